// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The fake pmap, the scripted pager and the helpers of fixture.h. */
#include <signal.h>
#include <sys/wait.h>

#include "fixture.h"

/* ---- the pmap ----------------------------------------------------------- */

struct mapping {
	struct list_head link;
	struct bsdvm_map *map;
	unsigned int space;
	bsdvm_pindex_t pindex;
	struct folio *page;
	unsigned int prot;
	bool dirty;
};

/* Leaf lock of mappings; whoever accesses memory through one holds it. */
static pthread_mutex_t mmu = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(mappings);

struct fx_pmap_log fx_pmap_log;
unsigned int fx_pmap_room;
void (*fx_enter_hook)(struct bsdvm_map *map, bsdvm_pindex_t pindex,
		      unsigned int n);
void (*fx_remove_hook)(struct bsdvm_map *map, bsdvm_pindex_t first,
		       bsdvm_pindex_t npages);

static struct mapping *mapping_find(struct bsdvm_map *map, unsigned int space,
				    bsdvm_pindex_t pindex)
{
	struct mapping *m;

	list_for_each_entry(m, &mappings, link)
		if (m->map == map && m->space == space && m->pindex == pindex)
			return m;
	return NULL;
}

static void mapping_add(struct bsdvm_map *map, unsigned int space,
			bsdvm_pindex_t pindex, struct folio *page,
			unsigned int prot)
{
	struct mapping *m = calloc(1, sizeof(*m));

	fx_assert(m);
	m->map = map;
	m->space = space;
	m->pindex = pindex;
	m->page = page;
	m->prot = prot;
	twin_folio_map(page);
	list_add_tail(&m->link, &mappings);
}

static void mapping_remove(struct mapping *m)
{
	list_del(&m->link);
	if (m->dirty)
		folio_mark_dirty(m->page);
	twin_folio_unmap(m->page);
	free(m);
}

static unsigned int pmap_enter(void *context, bsdvm_pindex_t pindex,
			       struct folio **pages, unsigned int n,
			       unsigned int prot)
{
	const struct fx_space *space = context;
	unsigned int i;

	lockdep_assert_held(&space->map->lock);
	might_sleep();
	if (fx_enter_hook)
		fx_enter_hook(space->map, pindex, n);
	pthread_mutex_lock(&mmu);
	fx_pmap_log.enters++;
	for (i = 0; i < n && fx_pmap_room; i++, fx_pmap_room--) {
		fx_assert(folio_test_locked(pages[i]));
		fx_assert(pages[i]->mapping && !(prot & ~BSDVM_PROT_ALL));
		if (mapping_find(space->map, space->space, pindex + i))
			break;
		mapping_add(space->map, space->space, pindex + i, pages[i],
			    prot);
	}
	pthread_mutex_unlock(&mmu);
	return i;
}

static void pmap_remove(struct bsdvm_map *map, bsdvm_pindex_t first,
			bsdvm_pindex_t npages)
{
	struct mapping *m, *next;

	might_sleep();
	fx_assert(npages);
	if (fx_remove_hook)
		fx_remove_hook(map, first, npages);
	pthread_mutex_lock(&mmu);
	fx_pmap_log.removes++;
	fx_pmap_log.map = map;
	fx_pmap_log.first = first;
	fx_pmap_log.npages = npages;
	if (first >= BSDVM_PAGES_MAX || npages > BSDVM_PAGES_MAX - first)
		fx_pmap_log.out_of_range++;
	list_for_each_entry_safe(m, next, &mappings, link)
		if (m->map == map && m->pindex - first < npages)
			mapping_remove(m);
	pthread_mutex_unlock(&mmu);
}

static struct address_space *anchor_create(void)
{
	return kzalloc(sizeof(struct address_space), GFP_KERNEL_ACCOUNT);
}

static void anchor_put(struct address_space *anchor)
{
	kfree(anchor);
}

static const struct bsdvm_pmap_ops pmap_ops = {
	.enter = pmap_enter,
	.remove = pmap_remove,
	.anchor_create = anchor_create,
	.anchor_put = anchor_put,
};

struct folio *fx_mapped(struct bsdvm_map *map, unsigned int space,
			bsdvm_pindex_t pindex)
{
	struct mapping *m;
	struct folio *page;

	pthread_mutex_lock(&mmu);
	m = mapping_find(map, space, pindex);
	page = m ? m->page : NULL;
	pthread_mutex_unlock(&mmu);
	return page;
}

unsigned int fx_mapped_prot(struct bsdvm_map *map, unsigned int space,
			    bsdvm_pindex_t pindex)
{
	struct mapping *m;
	unsigned int prot;

	pthread_mutex_lock(&mmu);
	m = mapping_find(map, space, pindex);
	prot = m ? m->prot : 0;
	pthread_mutex_unlock(&mmu);
	return prot;
}

unsigned int fx_mappings(struct bsdvm_map *map)
{
	unsigned int n = 0;
	struct mapping *m;

	pthread_mutex_lock(&mmu);
	list_for_each_entry(m, &mappings, link)
		n += m->map == map;
	pthread_mutex_unlock(&mmu);
	return n;
}

void fx_map_page(struct bsdvm_map *map, unsigned int space,
		 bsdvm_pindex_t pindex, struct folio *page, unsigned int prot)
{
	pthread_mutex_lock(&mmu);
	fx_assert(!mapping_find(map, space, pindex));
	mapping_add(map, space, pindex, page, prot);
	pthread_mutex_unlock(&mmu);
}

/* ---- accesses through mappings ------------------------------------------ */

/* The page present there, referenced, unless it may be accessed so. */
static bool mmu_allows(struct bsdvm_map *map, unsigned int space,
		       bsdvm_pindex_t pindex, unsigned int access,
		       struct folio **present)
{
	struct mapping *m;
	bool allows = false;

	*present = NULL;
	pthread_mutex_lock(&mmu);
	m = mapping_find(map, space, pindex);
	if (m && !(access & ~m->prot)) {
		allows = true;
	} else if (m) {
		*present = m->page;
		folio_get(m->page);
	}
	pthread_mutex_unlock(&mmu);
	return allows;
}

/* A page handed over, locked: what Linux does with it. */
static void mmu_finish(struct bsdvm_fault *fault, unsigned int space)
{
	struct mapping *m;

	fx_assert(folio_test_locked(fault->page));
	pthread_mutex_lock(&mmu);
	m = mapping_find(fault->map, space, fault->pindex);
	if (!m)
		mapping_add(fault->map, space, fault->pindex, fault->page,
			    fault->prot);
	else if (m->page == fault->page)
		m->prot |= fault->prot;
	pthread_mutex_unlock(&mmu);
	folio_unlock(fault->page);
	folio_put(fault->page);
}

static bsdvm_status_t touch_once(struct bsdvm_map *map, unsigned int space,
				 bsdvm_pindex_t pindex, unsigned int access,
				 unsigned int flags, struct folio *present)
{
	struct fx_space context = { .map = map, .space = space };
	struct bsdvm_fault fault = {
		.map = map,
		.pindex = pindex,
		.fault_type = access,
		.flags = flags,
		.pmap = &context,
		.present = present,
	};
	bsdvm_status_t status = bsdvm_fault(&fault);

	fx_assert(!current->nheld &&
		  current->folios_locked == (fault.page ? 1 : 0));
	if (status != BSDVM_SUCCESS)
		fx_assert(!fault.page);
	else if (fault.page)
		mmu_finish(&fault, space);
	return status;
}

bsdvm_status_t fx_touch(struct bsdvm_map *map, unsigned int space,
			bsdvm_pindex_t pindex, unsigned int access,
			unsigned int flags)
{
	bsdvm_status_t status;
	struct folio *present;
	unsigned int tries;

	if (access & BSDVM_PROT_WRITE)
		flags |= BSDVM_FAULT_DIRTY;
	for (tries = 0; tries < 1000; tries++) {
		if (mmu_allows(map, space, pindex, access, &present))
			return BSDVM_SUCCESS;
		status = touch_once(map, space, pindex, access, flags, present);
		if (present)
			folio_put(present);
		if (status != BSDVM_SUCCESS)
			return status;
		if (!fx_mapped(map, space, pindex) && tries > 10)
			return status;
	}
	return BSDVM_TRY_AGAIN;
}

static void folio_fill(struct folio *page, unsigned char value)
{
	void *data = kmap_local_folio(page, 0);

	memset(data, value, PAGE_SIZE);
	kunmap_local(data);
}

void fx_folio_fill(struct folio *page, unsigned char value)
{
	folio_fill(page, value);
}

/* -2: not the same byte throughout. */
static int folio_byte(struct folio *page)
{
	const unsigned char *data = kmap_local_folio(page, 0);
	int value = data[0];

	if (memcmp(data, data + 1, PAGE_SIZE - 1))
		value = -2;
	kunmap_local(data);
	return value;
}

int fx_folio_byte(struct folio *page)
{
	return folio_byte(page);
}

int fx_mapped_byte(struct bsdvm_map *map, unsigned int space,
		   bsdvm_pindex_t pindex)
{
	struct mapping *m;
	int value;

	pthread_mutex_lock(&mmu);
	m = mapping_find(map, space, pindex);
	value = m ? folio_byte(m->page) : -1;
	pthread_mutex_unlock(&mmu);
	return value;
}

int fx_load(struct bsdvm_map *map, unsigned int space, bsdvm_pindex_t pindex)
{
	int value;

	do {
		if (fx_touch(map, space, pindex, BSDVM_PROT_READ, 0) !=
		    BSDVM_SUCCESS)
			return -1;
		value = fx_mapped_byte(map, space, pindex);
	} while (value == -1);
	return value;
}

bsdvm_status_t fx_store_byte(struct bsdvm_map *map, unsigned int space,
			     bsdvm_pindex_t pindex, unsigned char value)
{
	bsdvm_status_t status;
	struct mapping *m;

	do {
		status = fx_touch(map, space, pindex, BSDVM_PROT_WRITE, 0);
		if (status != BSDVM_SUCCESS)
			return status;
		pthread_mutex_lock(&mmu);
		m = mapping_find(map, space, pindex);
		if (m && (m->prot & BSDVM_PROT_WRITE)) {
			folio_fill(m->page, value);
			m->dirty = true;
		} else {
			m = NULL;
		}
		pthread_mutex_unlock(&mmu);
	} while (!m);
	return BSDVM_SUCCESS;
}

int fx_held_byte(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct folio *page;
	int value;

	if (bsdvm_fault_page(map, pindex, BSDVM_PROT_READ, 0, &page) !=
	    BSDVM_SUCCESS)
		return -1;
	value = folio_byte(page);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	return value;
}

bsdvm_status_t fx_held_fill(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			    unsigned char value)
{
	struct folio *page;
	bsdvm_status_t status;

	status = bsdvm_fault_page(map, pindex, BSDVM_PROT_WRITE, 0, &page);
	if (status != BSDVM_SUCCESS)
		return status;
	folio_fill(page, value);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	return status;
}

/* ---- the pager ---------------------------------------------------------- */

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(store);

struct fx_pager_log fx_pager_log;
void (*fx_has_page_hook)(struct bsdvm_object *object, bsdvm_pindex_t pindex);
void (*fx_readahead_hook)(struct bsdvm_object *object, bsdvm_pindex_t pindex);

static struct fx_stored *store_find(struct bsdvm_object *object,
				    bsdvm_pindex_t pindex)
{
	struct fx_stored *s;

	list_for_each_entry(s, &store, link)
		if (s->object == object && s->pindex == pindex)
			return s;
	return NULL;
}

static void store_free(struct fx_stored *s)
{
	list_del(&s->link);
	free(s);
}

struct fx_stored *fx_store(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			   unsigned char value)
{
	struct fx_stored *s = calloc(1, sizeof(*s));

	fx_assert(s);
	s->object = object;
	s->pindex = pindex;
	s->value = value;
	s->valid = PAGE_SIZE;
	pthread_mutex_lock(&store_lock);
	fx_assert(!store_find(object, pindex));
	list_add_tail(&s->link, &store);
	pthread_mutex_unlock(&store_lock);
	WRITE_ONCE(object->pager, &fx_pager);
	return s;
}

struct fx_stored *fx_stored(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	struct fx_stored *s;

	pthread_mutex_lock(&store_lock);
	s = store_find(object, pindex);
	pthread_mutex_unlock(&store_lock);
	return s;
}

void fx_set_handle(struct bsdvm_object *object)
{
	object->handle = object;
	object->pager = &fx_pager;
}

static bool pager_has_page(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	fx_assert(rcu_read_lock_held() || current->nheld);
	if (fx_has_page_hook)
		fx_has_page_hook(object, pindex);
	__atomic_fetch_add(&fx_pager_log.has_pages, 1, __ATOMIC_RELAXED);
	return fx_stored(object, pindex);
}

/* A copy of the page's entry, after noting the request in it. */
static struct fx_stored store_request(struct bsdvm_pager_request *req)
{
	struct fx_stored copy = { .result = BSDVM_PAGER_FAIL }, *s;

	pthread_mutex_lock(&store_lock);
	fx_pager_log.gets++;
	s = store_find(req->object, req->pindex);
	if (s) {
		copy = *s;
		if (s->gets < s->nscript)
			copy.result = s->script[s->gets];
		s->gets++;
		s->sequential = req->sequential;
	}
	pthread_mutex_unlock(&store_lock);
	return copy;
}

static void pager_replace(struct bsdvm_pager_request *req)
{
	struct folio *page = bsdvm_page_alloc(req->object, false);

	fx_assert(page);
	bsdvm_page_discard(req->page);
	req->page = page;
}

static void pager_provide(struct bsdvm_pager_request *req,
			  const struct fx_stored *s)
{
	void *data;

	if (s->replace)
		pager_replace(req);
	data = kmap_local_folio(req->page, 0);
	memset(data, s->value, s->valid);
	kunmap_local(data);
	req->valid = s->valid;
	req->waited = s->waits;
}

/* F-58: nothing is held but the new page, and the slot is busy. */
static enum bsdvm_pager_result pager_get_page(struct bsdvm_pager_request *req)
{
	struct fx_stored s = store_request(req);

	fx_assert(!current->nheld && current->folios_locked == 1);
	fx_assert(folio_test_locked(req->page));
	fx_assert(bsdvm_slot_is_busy(xa_load(&req->object->slots,
					     req->pindex)));
	fx_assert(atomic_read(&req->object->pip) > 0);
	if (s.gate)
		fx_gate_pass(s.gate);
	if (s.visit)
		s.visit(req);
	if (s.result == BSDVM_PAGER_OK)
		pager_provide(req, &s);
	return s.result;
}

static void pager_readahead(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	unsigned int n;

	fx_assert(!current->nheld && !current->folios_locked);
	fx_assert(atomic_read(&object->pip) > 0);
	n = __atomic_fetch_add(&fx_pager_log.readaheads, 1, __ATOMIC_RELAXED);
	if (n < FX_LOG_MAX) {
		fx_pager_log.readahead_object[n] = object;
		fx_pager_log.readahead_pindex[n] = pindex;
	}
	if (fx_readahead_hook)
		fx_readahead_hook(object, pindex);
}

static void pager_forget(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	struct fx_stored *s;

	pthread_mutex_lock(&store_lock);
	fx_pager_log.forgets++;
	s = store_find(object, pindex);
	if (s)
		store_free(s);
	pthread_mutex_unlock(&store_lock);
}

static bool collapse_keeps(struct bsdvm_object *front, struct fx_stored *s,
			   bsdvm_pindex_t offset)
{
	bsdvm_pindex_t to = s->pindex - offset;

	return s->pindex >= offset && to < front->backing_end &&
	       !xa_load(&front->slots, to) && !store_find(front, to);
}

static void pager_collapse(struct bsdvm_object *front,
			   struct bsdvm_object *backing, bsdvm_pindex_t offset)
{
	struct fx_stored *s, *next;

	might_sleep();
	pthread_mutex_lock(&store_lock);
	fx_pager_log.collapses++;
	list_for_each_entry_safe(s, next, &store, link) {
		if (s->object != backing)
			continue;
		if (!collapse_keeps(front, s, offset)) {
			store_free(s);
			continue;
		}
		s->object = front;
		s->pindex -= offset;
	}
	pthread_mutex_unlock(&store_lock);
}

static void pager_dealloc(struct bsdvm_object *object)
{
	struct fx_stored *s, *next;

	pthread_mutex_lock(&store_lock);
	fx_pager_log.deallocs++;
	list_for_each_entry_safe(s, next, &store, link)
		if (s->object == object)
			store_free(s);
	pthread_mutex_unlock(&store_lock);
}

const struct bsdvm_pager_ops fx_pager = {
	.has_page = pager_has_page,
	.get_page = pager_get_page,
	.readahead = pager_readahead,
	.forget = pager_forget,
	.collapse = pager_collapse,
	.dealloc = pager_dealloc,
};

void fx_gate_pass(struct fx_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->arrived++;
	pthread_cond_broadcast(&gate->cond);
	while (!gate->open)
		pthread_cond_wait(&gate->cond, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void fx_gate_await(struct fx_gate *gate, unsigned int arrived)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->arrived < arrived)
		pthread_cond_wait(&gate->cond, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void fx_gate_open(struct fx_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->cond);
	pthread_mutex_unlock(&gate->lock);
}

/* ---- maps and objects --------------------------------------------------- */

struct bsdvm_map *fx_map(bsdvm_pindex_t npages)
{
	struct bsdvm_map *map = bsdvm_map_create(npages, NULL);

	fx_assert(map);
	return map;
}

void fx_put(struct bsdvm_map *map)
{
	struct mapping *m, *next;

	check_all(map);
	if (refcount_read(&map->refs) == 1) {
		pthread_mutex_lock(&mmu);
		list_for_each_entry_safe(m, next, &mappings, link)
			if (m->map == map)
				mapping_remove(m);
		pthread_mutex_unlock(&mmu);
	}
	bsdvm_map_put(map);
}

static void chain_fill(struct fx_chain *chain, bsdvm_pindex_t npages,
		       const char *pages)
{
	unsigned int level = 0;
	bsdvm_pindex_t i = 0;

	for (; *pages; pages++) {
		if (*pages == '/') {
			level++;
			i = 0;
			continue;
		}
		fx_assert(level < chain->depth && i < npages);
		if (*pages == '0')
			xa_store(&chain->object[level]->slots, i,
				 BSDVM_SLOT_ZERO, GFP_KERNEL);
		else if (*pages != '.')
			fx_add_page(chain->object[level], i,
				    (unsigned char)*pages,
				    BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
		i++;
	}
}

struct fx_chain fx_chain(unsigned int depth, bsdvm_pindex_t npages,
			 const char *pages)
{
	struct bsdvm_family *family = bsdvm_family_create();
	struct fx_chain chain = { .depth = depth };
	unsigned int i;

	fx_assert(family && depth && depth <= FX_DEPTH_MAX);
	bsdvm_family_lock(family);
	for (i = depth; i-- > 0;) {
		chain.object[i] = bsdvm_object_alloc(family, npages);
		fx_assert(chain.object[i]);
		if (i + 1 < depth)
			bsdvm_object_attach(chain.object[i],
					    chain.object[i + 1], 0, npages);
	}
	bsdvm_family_unlock(family);
	chain.map = bsdvm_map_create_object(chain.object[0], NULL);
	fx_assert(chain.map);
	bsdvm_family_put(family);
	if (pages)
		chain_fill(&chain, npages, pages);
	return chain;
}

void fx_ref(struct bsdvm_object *object)
{
	bsdvm_family_lock(object->family);
	bsdvm_object_reference(object);
	bsdvm_family_unlock(object->family);
}

void fx_unref(struct bsdvm_object *object)
{
	struct bsdvm_family *family = object->family;

	bsdvm_family_lock(family);
	bsdvm_object_deallocate(object);
	bsdvm_family_unlock(family);
}

struct folio *fx_add_page(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			  unsigned char value, unsigned long state)
{
	struct folio *page = bsdvm_page_alloc(object, false);

	fx_assert(page);
	folio_fill(page, value);
	bsdvm_page_bind(page, pindex, state);
	folio_unlock(page);
	atomic_long_inc(&object->resident);
	fx_assert(!bsdvm_slot_is_page(xa_store(&object->slots, pindex, page,
					       GFP_KERNEL)));
	return page;
}

void *fx_slot(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	return xa_load(&object->slots, pindex);
}

struct folio *fx_page(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	void *slot = fx_slot(object, pindex);

	return bsdvm_slot_is_page(slot) ? slot : NULL;
}

struct bsdvm_entry *fx_entry(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	return bsdvm_map_entry_at(map, pindex);
}

struct bsdvm_object *fx_object(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry = fx_entry(map, pindex);

	return entry ? entry->object : NULL;
}

/* ---- checks ------------------------------------------------------------- */

/* I-4, I-9, and that what is mapped is what the page resolves to. */
static void check_mapping(const struct mapping *m)
{
	struct bsdvm_entry *entry = fx_entry(m->map, m->pindex);
	struct bsdvm_cursor cursor = { };
	enum bsdvm_found found;

	fx_assert(entry && entry->object);
	cursor.object = entry->object;
	cursor.pindex = bsdvm_entry_index(entry, m->pindex);
	rcu_read_lock();
	found = bsdvm_resolve(&cursor);
	rcu_read_unlock();
	fx_assert(found == BSDVM_FOUND_PAGE && cursor.slot == m->page);
	fx_assert(bsdvm_page_queue(m->page) != BSDVM_QUEUE_CACHE);
	if (m->prot & BSDVM_PROT_WRITE)
		fx_assert(!cursor.depth && !bsdvm_entry_needs_copy(entry));
}

/* I-14 for one object: SWAPPED if and only if the pager could provide it. */
static void check_stored(struct bsdvm_object *object)
{
	unsigned long pindex;
	struct fx_stored *s;
	void *slot;

	if (object->pager != &fx_pager || object->handle)
		return;
	xa_for_each(&object->slots, pindex, slot) {
		if (!bsdvm_slot_is_page(slot))
			continue;
		s = fx_stored(object, pindex);
		if (bsdvm_page_state(slot) & BSDVM_PAGE_SWAPPED)
			fx_assert(s);
		else
			fx_assert(!s || s->result != BSDVM_PAGER_OK);
	}
}

void check_all(struct bsdvm_map *map)
{
	struct bsdvm_report report;
	struct bsdvm_object *object;
	struct bsdvm_entry *entry;
	struct mapping *m;

	twin_assert_idle();
	fx_assert(bsdvm_family_check(map, &report) == BSDVM_SUCCESS);
	if (report.violated)
		TWIN_DIE("invariant %u is violated", report.violated);
	down_read(&map->lock);
	pthread_mutex_lock(&mmu);
	list_for_each_entry(m, &mappings, link)
		if (m->map == map)
			check_mapping(m);
	pthread_mutex_unlock(&mmu);
	bsdvm_for_each_entry(map, entry, 0, BSDVM_PAGES_MAX)
		for (object = entry->object; object;
		     object = object->backing_object)
			check_stored(object);
	up_read(&map->lock);
}

/* ---- around each test --------------------------------------------------- */

static long allocs_before, pages_before;

/* What a test that failed left behind is not to fail the next one. */
static void forget_failed_test(void)
{
	struct task_struct *task = current;
	struct fx_stored *s, *next;
	struct mapping *m, *other;

	list_for_each_entry_safe(s, next, &store, link)
		store_free(s);
	list_for_each_entry_safe(m, other, &mappings, link) {
		list_del(&m->link);
		free(m);
	}
	task->nheld = 0;
	task->nkmaps = 0;
	task->folios_locked = 0;
}

int fx_setup(void **state)
{
	static struct bsdvm_tunables tunables;

	(void)state;
	twin_reset();
	forget_failed_test();
	/*
	 * Off: who holds the folio lock of a fresh copy waits for that of its
	 * source. Nobody waits for a fresh copy with an older page locked.
	 */
	twin_folio_wait_rule = false;
	if (!tunables.prefault_pages)
		tunables = bsdvm_tunables;
	bsdvm_tunables = tunables;
	bsdvm_budget = (struct bsdvm_budget){ };
	memset(&bsdvm_stats, 0, sizeof(bsdvm_stats));
	memset(&fx_pmap_log, 0, sizeof(fx_pmap_log));
	memset(&fx_pager_log, 0, sizeof(fx_pager_log));
	fx_pmap_room = UINT_MAX;
	fx_enter_hook = NULL;
	fx_remove_hook = NULL;
	fx_has_page_hook = NULL;
	fx_readahead_hook = NULL;
	allocs_before = twin_live_allocs();
	pages_before = twin_live_pages();
	return bsdvm_core_init(&pmap_ops);
}

int fx_teardown(void **state)
{
	struct bsdvm_stats sum;
	bool bad;

	(void)state;
	/* Do not abort: what the test itself complained about is to be seen. */
	twin_warn_abort = false;
	bsdvm_core_fini();
	twin_assert_idle();
	bsdvm_stats_sum(&sum);
	bad = bsdvm_stats_live(&sum) || !list_empty(&mappings) ||
	      !list_empty(&store) || twin_warnings ||
	      twin_live_allocs() != allocs_before ||
	      twin_live_pages() != pages_before;
	if (bad)
		fprintf(stderr,
			"left: %llu objects, %llu pages, %llu entries, %llu maps, %llu wired; %d mappings, %d stored; %ld allocations, %ld folios; %lu warnings\n",
			sum.live_objects, sum.live_pages, sum.live_entries,
			sum.live_maps, sum.live_wired, !list_empty(&mappings),
			!list_empty(&store), twin_live_allocs() - allocs_before,
			twin_live_pages() - pages_before, twin_warnings);
	return bad;
}

bool fx_survives(void (*body)(void))
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		if (!getenv("FX_VERBOSE") && !freopen("/dev/null", "w", stderr))
			_exit(2);
		alarm(20);
		body();
		_exit(fx_teardown(NULL));
	}
	if (waitpid(child, &status, 0) != child)
		return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* ---- threads ------------------------------------------------------------ */

static void *thread_main(void *arg)
{
	struct fx_thread *me = arg;

	smp_store_release(&me->task, current);
	me->body(me);
	twin_assert_idle();
	WRITE_ONCE(me->done, true);
	return NULL;
}

void fx_spawn(struct fx_thread *thread, void (*body)(struct fx_thread *me))
{
	thread->task = NULL;
	thread->done = false;
	thread->body = body;
	fx_assert(!pthread_create(&thread->thread, NULL, thread_main, thread));
}

void fx_join(struct fx_thread *thread)
{
	fx_assert(!pthread_join(thread->thread, NULL));
}

void fx_await_sleep(struct fx_thread *thread)
{
	struct task_struct *task;

	while (!(task = smp_load_acquire(&thread->task)) ||
	       !twin_sleeping(task)) {
		fx_assert(!READ_ONCE(thread->done));
		usleep(100);
	}
}

void fx_do_held(struct fx_thread *me)
{
	struct folio *page;

	me->status = bsdvm_fault_page(me->map, me->pindex, me->access,
				      me->flags, &page);
	if (me->status != BSDVM_SUCCESS || !page)
		return;
	if (me->access & BSDVM_PROT_WRITE)
		folio_fill(page, me->value);
	else
		me->value = (unsigned char)folio_byte(page);
	bsdvm_fault_page_done(page, me->access);
}

void fx_do_touch(struct fx_thread *me)
{
	me->status = fx_touch(me->map, 0, me->pindex, me->access, me->flags);
}
