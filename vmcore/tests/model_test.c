// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random operations on families of maps, compared with a naive model in which
 * every map and every snapshot is an array of bytes of its own.
 *
 *   BSDVM_SEED=n    this seed alone
 *   BSDVM_STEPS=n   so many operations for each seed
 *   BSDVM_TRACE=1   print the operations
 */
#include "chain.h"

#define MODEL_MAPS	5
#define MODEL_SNAPSHOTS	6
#define MODEL_PINS	3
#define MODEL_PAGES	20
#define MODEL_STEPS	1200

struct model_map {
	struct bsdvm_map *map;
	bsdvm_pindex_t size;
	unsigned int sys[MODEL_PAGES];
	bool user[MODEL_PAGES];
	bool read_only[MODEL_PAGES];
	unsigned char bytes[MODEL_PAGES * PAGE_SIZE];
};

struct model_snapshot {
	struct bsdvm_family *family;
	u32 id;
	bsdvm_pindex_t size;
	unsigned char bytes[MODEL_PAGES * PAGE_SIZE];
};

struct model_pin {
	struct folio *page;
	struct model_map *map;
	bsdvm_pindex_t pindex;
};

static struct model_map maps[MODEL_MAPS];
static struct model_snapshot snapshots[MODEL_SNAPSHOTS];
static struct model_pin pins[MODEL_PINS];
static u64 seed, dice;
static unsigned int step;
static bool tracing;

#define model_assert(cond) do {						\
	if (!(cond))							\
		fail_msg("BSDVM_SEED=%llu, step %u: %s", seed, step, #cond); \
} while (0)

#define trace(...) do {							\
	if (tracing) {							\
		fprintf(stderr, "# %u: ", step);			\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
	}								\
} while (0)

static unsigned long roll(unsigned long n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % n;
}

static unsigned char *page_bytes(struct model_map *m, bsdvm_pindex_t pindex)
{
	return m->bytes + pindex * PAGE_SIZE;
}

static struct model_map *any_map(void)
{
	struct model_map *m = &maps[roll(MODEL_MAPS)];

	return m->map ? m : NULL;
}

static struct model_map *free_map(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (!maps[i].map)
			return &maps[i];
	return NULL;
}

/* A range within the map: false if there is none. */
static bool any_range(const struct model_map *m, bsdvm_pindex_t *first,
		      bsdvm_pindex_t *last)
{
	bsdvm_pindex_t a, b;

	if (!m->size)
		return false;
	a = roll(m->size);
	b = roll(m->size);
	*first = min(a, b);
	*last = max(a, b);
	if (roll(3))
		*last = min(*last, *first + roll(4));
	return true;
}

/* What a write to a page comes to. */
static bsdvm_status_t may_write(const struct model_map *m, bsdvm_pindex_t at)
{
	return m->read_only[at] ? BSDVM_PROTECTION_FAILURE : BSDVM_SUCCESS;
}

static bool all_writable(const struct model_map *m, bsdvm_pindex_t first,
			 bsdvm_pindex_t last)
{
	for (; first <= last; first++)
		if (m->read_only[first])
			return false;
	return true;
}

/* ---- comparing ----------------------------------- */

static void compare_page(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			 const unsigned char *expected)
{
	static const unsigned char zeroes[PAGE_SIZE];
	struct folio *page;
	const void *data;

	model_assert(bsdvm_fault_page(map, pindex, BSDVM_PROT_READ,
				      BSDVM_FAULT_NOZERO, &page) ==
		     BSDVM_SUCCESS);
	if (!page) {
		model_assert(!memcmp(zeroes, expected, PAGE_SIZE));
		return;
	}
	data = kmap_local_folio(page, 0);
	model_assert(!memcmp(data, expected, PAGE_SIZE));
	kunmap_local(data);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
}

/* Whatever is skipped in search of data reads zero. */
static void compare_holes(struct model_map *m)
{
	static const unsigned char zeroes[PAGE_SIZE];
	bsdvm_pindex_t at = 0, next = 0;

	while (next < m->size) {
		at = next;
		if (bsdvm_map_seek_data(m->map, &next) != BSDVM_SUCCESS)
			next = m->size;
		for (; at < next; at++)
			model_assert(!memcmp(page_bytes(m, at), zeroes,
					     PAGE_SIZE));
		next++;
	}
}

static void compare_map(struct model_map *m)
{
	bsdvm_pindex_t i;

	model_assert(m->map->size == m->size);
	for (i = 0; i < m->size; i++)
		compare_page(m->map, i, page_bytes(m, i));
	compare_holes(m);
}

static void compare_snapshot(struct model_snapshot *s)
{
	struct bsdvm_map *map = NULL;
	bsdvm_pindex_t i;
	u64 bytes;

	for (i = 0; i < MODEL_MAPS && !map; i++)
		if (maps[i].map && maps[i].map->family == s->family)
			map = maps[i].map;
	model_assert(map);
	model_assert(bsdvm_snapshot_open(map, s->id, NULL, &map, &bytes) ==
		     BSDVM_SUCCESS);
	model_assert(bytes == s->size * PAGE_SIZE && map->size == s->size);
	for (i = 0; i < s->size; i++)
		compare_page(map, i, s->bytes + i * PAGE_SIZE);
	fx_put(map);
}

static void compare_everything(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (maps[i].map)
			compare_map(&maps[i]);
	for (i = 0; i < MODEL_SNAPSHOTS; i++)
		if (snapshots[i].id)
			compare_snapshot(&snapshots[i]);
}

static void check_everything(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (maps[i].map)
			check_all(maps[i].map);
}

/* A page of a map, or two, after each operation. */
static void compare_sample(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++) {
		struct model_map *m = &maps[i];
		bsdvm_pindex_t pindex;

		if (!m->map || !m->size)
			continue;
		pindex = roll(m->size);
		compare_page(m->map, pindex, page_bytes(m, pindex));
	}
}

/* ---- operations ----------------------------------- */

static void op_create(void)
{
	struct model_map *m = free_map();

	if (!m)
		return;
	memset(m, 0, sizeof(*m));
	m->size = roll(MODEL_PAGES + 1);
	m->map = fx_map(m->size);
	trace("create %td of %lu", m - maps, m->size);
}

static void op_write_held(void)
{
	struct model_map *m = any_map();
	unsigned int from, n;
	struct folio *page;
	bsdvm_pindex_t at;
	unsigned char value = roll(256);
	char *data;

	if (!m || !m->size)
		return;
	at = roll(m->size);
	from = roll(PAGE_SIZE);
	n = 1 + roll(PAGE_SIZE - from);
	trace("write %td:%lu %u+%u = %u", m - maps, at, from, n, value);
	model_assert(bsdvm_fault_page(m->map, at, BSDVM_PROT_WRITE, 0, &page) ==
		     may_write(m, at));
	if (!page)
		return;
	data = kmap_local_folio(page, 0);
	memset(data + from, value, n);
	kunmap_local(data);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	memset(page_bytes(m, at) + from, value, n);
}

static void op_store(void)
{
	struct model_map *m = any_map();
	unsigned char value = roll(256);
	bsdvm_pindex_t at;

	if (!m || !m->size)
		return;
	at = roll(m->size);
	trace("store %td:%lu = %u", m - maps, at, value);
	model_assert(fx_store_byte(m->map, roll(2), at, value) ==
		     may_write(m, at));
	if (!m->read_only[at])
		memset(page_bytes(m, at), value, PAGE_SIZE);
}

static void op_load(void)
{
	struct model_map *m = any_map();
	unsigned int space = roll(2);
	struct folio *page;
	bsdvm_pindex_t at;
	void *data;

	if (!m || !m->size)
		return;
	at = roll(m->size);
	trace("load %td:%lu", m - maps, at);
	model_assert(fx_touch(m->map, space, at, BSDVM_PROT_READ,
			      roll(2) ? BSDVM_FAULT_BURST : 0) == BSDVM_SUCCESS);
	page = fx_mapped(m->map, space, at);
	model_assert(page);
	data = kmap_local_folio(page, 0);
	model_assert(!memcmp(data, page_bytes(m, at), PAGE_SIZE));
	kunmap_local(data);
}

static void op_snapshot(void)
{
	struct model_map *m = any_map();
	struct model_snapshot *s = &snapshots[roll(MODEL_SNAPSHOTS)];

	if (!m || s->id)
		return;
	s->family = m->map->family;
	s->size = m->size;
	memcpy(s->bytes, m->bytes, sizeof(s->bytes));
	model_assert(bsdvm_map_snapshot(m->map, m->size * PAGE_SIZE, &s->id) ==
		     BSDVM_SUCCESS);
	trace("snapshot %td -> %u", m - maps, s->id);
}

static struct model_map *map_of_family(struct bsdvm_family *family)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (maps[i].map && maps[i].map->family == family)
			return &maps[i];
	return NULL;
}

static void op_open(void)
{
	struct model_snapshot *s = &snapshots[roll(MODEL_SNAPSHOTS)];
	struct model_map *m = free_map();
	u64 bytes;

	if (!s->id || !m)
		return;
	trace("open %u -> %td", s->id, m - maps);
	memset(m, 0, sizeof(*m));
	m->size = s->size;
	memcpy(m->bytes, s->bytes, sizeof(m->bytes));
	model_assert(bsdvm_snapshot_open(map_of_family(s->family)->map, s->id,
					 NULL, &m->map, &bytes) == BSDVM_SUCCESS);
}

static void op_drop(void)
{
	struct model_snapshot *s = &snapshots[roll(MODEL_SNAPSHOTS)];

	if (!s->id)
		return;
	trace("drop %u", s->id);
	model_assert(bsdvm_snapshot_drop(map_of_family(s->family)->map, s->id) ==
		     BSDVM_SUCCESS);
	s->id = 0;
}

static void op_shadow(void)
{
	struct model_map *m = any_map(), *to = free_map();
	bsdvm_pindex_t first, last;

	if (!m || !to || !any_range(m, &first, &last))
		return;
	trace("shadow %td:%lu-%lu -> %td", m - maps, first, last, to - maps);
	memset(to, 0, sizeof(*to));
	to->size = last - first + 1;
	memcpy(to->bytes, page_bytes(m, first), to->size * PAGE_SIZE);
	model_assert(bsdvm_map_shadow(m->map, first, to->size, NULL, &to->map) ==
		     BSDVM_SUCCESS);
}

static void op_punch(void)
{
	struct model_map *m = any_map();
	bsdvm_pindex_t first, last;

	if (!m || !any_range(m, &first, &last))
		return;
	trace("punch %td:%lu-%lu", m - maps, first, last);
	model_assert(bsdvm_map_punch(m->map, first, last) == BSDVM_SUCCESS);
	memset(page_bytes(m, first), 0, (last - first + 1) * PAGE_SIZE);
}

static void op_clear(void)
{
	struct model_map *m = any_map();
	unsigned int from, to;
	bsdvm_pindex_t at;

	if (!m || !m->size)
		return;
	at = roll(m->size);
	from = roll(PAGE_SIZE);
	to = from + 1 + roll(PAGE_SIZE - from);
	trace("clear %td:%lu %u-%u", m - maps, at, from, to);
	model_assert(bsdvm_map_clear_bytes(m->map, at, from, to) ==
		     may_write(m, at));
	if (!m->read_only[at])
		memset(page_bytes(m, at) + from, 0, to - from);
}

static void op_resize(void)
{
	struct model_map *m = any_map();
	bsdvm_pindex_t size = roll(MODEL_PAGES + 1), i;

	if (!m)
		return;
	trace("resize %td: %lu -> %lu", m - maps, m->size, size);
	model_assert(bsdvm_map_resize(m->map, size) == BSDVM_SUCCESS);
	for (i = min(size, m->size); i < MODEL_PAGES; i++) {
		memset(page_bytes(m, i), 0, PAGE_SIZE);
		m->sys[i] = 0;
		m->user[i] = false;
		m->read_only[i] = false;
	}
	m->size = size;
}

static void op_wire(void)
{
	struct model_map *m = any_map();
	bsdvm_pindex_t first, last, i;

	if (!m || !any_range(m, &first, &last) ||
	    !all_writable(m, first, last))
		return;
	trace("wire %td:%lu-%lu", m - maps, first, last);
	model_assert(bsdvm_map_wire(m->map, first, last) == BSDVM_SUCCESS);
	for (i = first; i <= last; i++)
		m->sys[i]++;
}

static void op_unwire(void)
{
	struct model_map *m = any_map();
	bsdvm_status_t expected = BSDVM_SUCCESS;
	bsdvm_pindex_t first, last, i;

	if (!m || !any_range(m, &first, &last))
		return;
	trace("unwire %td:%lu-%lu", m - maps, first, last);
	for (i = first; i <= last; i++)
		if (!m->sys[i])
			expected = BSDVM_INVALID_ARGUMENT;
	model_assert(bsdvm_map_unwire(m->map, first, last) == expected);
	for (i = first; i <= last && expected == BSDVM_SUCCESS; i++)
		m->sys[i]--;
}

static void op_user_wire(void)
{
	struct model_map *m = any_map();
	bsdvm_pindex_t first, last, i, n, expected = 0;

	if (!m || !any_range(m, &first, &last) ||
	    !all_writable(m, first, last))
		return;
	trace("user wire %td:%lu-%lu", m - maps, first, last);
	model_assert(bsdvm_map_user_wire(m->map, first, last, &n) ==
		     BSDVM_SUCCESS);
	for (i = first; i <= last; i++) {
		expected += !m->user[i];
		m->user[i] = true;
	}
	model_assert(n == expected);
}

static void op_user_unwire(void)
{
	struct model_map *m = any_map();
	bsdvm_status_t expected = BSDVM_SUCCESS;
	bsdvm_pindex_t first, last, i, n;

	if (!m || !any_range(m, &first, &last))
		return;
	trace("user unwire %td:%lu-%lu", m - maps, first, last);
	for (i = first; i <= last; i++)
		if (!m->user[i])
			expected = BSDVM_INVALID_ARGUMENT;
	model_assert(bsdvm_map_user_unwire(m->map, first, last, &n) == expected);
	for (i = first; i <= last && expected == BSDVM_SUCCESS; i++)
		m->user[i] = false;
}

/* Not of wired pages: what is due to be copied when it is wired is W-25's. */
static void op_protect(void)
{
	struct model_map *m = any_map();
	bool read_only = roll(2);
	bsdvm_pindex_t first, last, i;

	if (!m || !any_range(m, &first, &last))
		return;
	for (i = first; i <= last; i++)
		if (m->sys[i] || m->user[i])
			return;
	trace("protect %td:%lu-%lu %d", m - maps, first, last, read_only);
	model_assert(bsdvm_map_protect(m->map, first, last,
				       read_only ? BSDVM_PROT_READ :
				       BSDVM_PROT_ALL, false) == BSDVM_SUCCESS);
	for (i = first; i <= last; i++)
		m->read_only[i] = read_only;
}

/* The page a map's own top object has, or NULL. */
static struct folio *own_page(struct model_map *m, bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry = fx_entry(m->map, pindex);

	if (!entry || !entry->object || bsdvm_entry_needs_copy(entry))
		return NULL;
	return fx_page(entry->object, bsdvm_entry_index(entry, pindex));
}

static void op_pin(void)
{
	struct model_pin *pin = &pins[roll(MODEL_PINS)];
	struct model_map *m = any_map();
	bsdvm_pindex_t at;

	if (pin->page) {
		trace("unpin %td", pin - pins);
		folio_put(pin->page);
		pin->page = NULL;
		return;
	}
	if (!m || !m->size)
		return;
	at = roll(m->size);
	pin->page = own_page(m, at);
	if (!pin->page)
		return;
	trace("pin %td:%lu", m - maps, at);
	folio_get(pin->page);
	pin->map = m;
	pin->pindex = at;
}

/* As a device would: the live map sees it, unless the page is gone from it. */
static void op_write_pinned(void)
{
	struct model_pin *pin = &pins[roll(MODEL_PINS)];
	unsigned char value = roll(256);

	if (!pin->page)
		return;
	trace("write pin %td = %u", pin - pins, value);
	fx_folio_fill(pin->page, value);
	if (pin->map->map && pin->pindex < pin->map->size &&
	    own_page(pin->map, pin->pindex) == pin->page)
		memset(page_bytes(pin->map, pin->pindex), value, PAGE_SIZE);
}

static void close_map(struct model_map *m)
{
	struct bsdvm_family *family = m->map->family;
	unsigned int i;

	trace("close %td", m - maps);
	fx_put(m->map);
	m->map = NULL;
	if (map_of_family(family))
		return;
	for (i = 0; i < MODEL_SNAPSHOTS; i++)
		if (snapshots[i].family == family)
			snapshots[i].id = 0;
}

static void op_close(void)
{
	struct model_map *m = any_map();

	if (m)
		close_map(m);
}

static const struct {
	unsigned int weight;
	void (*run)(void);
} operations[] = {
	{ 4, op_create }, { 24, op_write_held }, { 16, op_store },
	{ 8, op_load }, { 10, op_snapshot }, { 6, op_open }, { 7, op_drop },
	{ 5, op_shadow }, { 8, op_punch }, { 4, op_clear }, { 6, op_resize },
	{ 3, op_wire }, { 4, op_unwire }, { 3, op_user_wire },
	{ 4, op_user_unwire }, { 4, op_pin }, { 4, op_write_pinned },
	{ 3, op_protect }, { 3, op_close },
};

static void one_step(void)
{
	unsigned int i, total = 0, n;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		total += operations[i].weight;
	n = roll(total);
	for (i = 0; n >= operations[i].weight; i++)
		n -= operations[i].weight;
	operations[i].run();
	check_everything();
	compare_sample();
	if (step % 50 == 0)
		compare_everything();
}

static void close_everything(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_PINS; i++)
		if (pins[i].page)
			folio_put(pins[i].page);
	memset(pins, 0, sizeof(pins));
	for (i = 0; i < MODEL_MAPS; i++)
		if (maps[i].map)
			close_map(&maps[i]);
	memset(snapshots, 0, sizeof(snapshots));
}

static void run_seed(u64 with)
{
	const char *steps = getenv("BSDVM_STEPS");
	unsigned int n = steps ? strtoul(steps, NULL, 0) : MODEL_STEPS;

	seed = with;
	dice = with ?: 1;
	tracing = getenv("BSDVM_TRACE");
	fprintf(stderr, "# model_test: BSDVM_SEED=%llu BSDVM_STEPS=%u\n",
		seed, n);
	for (step = 1; step <= n; step++)
		one_step();
	compare_everything();
	close_everything();
}

static void test_fixed_seeds(void **state)
{
	static const u64 fixed[] = { 1, 20110115, 0x5eed, 14976264 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fixed) && !getenv("BSDVM_SEED"); i++)
		run_seed(fixed[i]);
}

static void test_random_or_given_seed(void **state)
{
	const char *given = getenv("BSDVM_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	run_seed(given ? strtoull(given, NULL, 0) :
		 (u64)now.tv_sec * 1000003 ^ now.tv_nsec ^ getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_fixed_seeds),
		FX_TEST(test_random_or_given_seed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
