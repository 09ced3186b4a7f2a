// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The operations of the model, on maps; those on pagers are in model_pager.c. */
#include "model.h"

static bool all_writable(const struct model_map *m, bsdvm_pindex_t first,
			 bsdvm_pindex_t last)
{
	for (; first <= last; first++)
		if (m->read_only[first])
			return false;
	return true;
}

static struct model_snapshot *any_snapshot(void)
{
	return &model_snapshots[model_roll(MODEL_SNAPSHOTS)];
}

static void op_create(void)
{
	struct model_map *m = model_free_map();

	if (!m)
		return;
	memset(m, 0, sizeof(*m));
	m->size = model_roll(MODEL_PAGES + 1);
	model_trace("create %td of %lu", m - model_maps, m->size);
	m->map = bsdvm_map_create(m->size, NULL);
	model_came_to(m->map ? BSDVM_SUCCESS : BSDVM_RESOURCE_SHORTAGE,
		      BSDVM_SUCCESS);
}

static void op_write_held(void)
{
	struct model_map *m = model_any_map();
	unsigned int from, n;
	struct folio *page;
	bsdvm_pindex_t at;
	unsigned char value = model_roll(256);
	char *data;

	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	from = model_roll(PAGE_SIZE);
	n = 1 + model_roll(PAGE_SIZE - from);
	model_trace("write %td:%lu %u+%u = %u", m - model_maps, at, from, n,
		    value);
	if (!model_came_to(bsdvm_fault_page(m->map, at, BSDVM_PROT_WRITE, 0,
					    &page), model_may_write(m, at)))
		return;
	data = kmap_local_folio(page, 0);
	memset(data + from, value, n);
	kunmap_local(data);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	memset(model_page(m, at) + from, value, n);
}

static void op_store(void)
{
	struct model_map *m = model_any_map();
	unsigned char value = model_roll(256);
	bsdvm_pindex_t at;

	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	model_trace("store %td:%lu = %u", m - model_maps, at, value);
	if (model_came_to(fx_store_byte(m->map, model_roll(2), at, value),
			  model_may_write(m, at)))
		memset(model_page(m, at), value, PAGE_SIZE);
}

static void op_load(void)
{
	struct model_map *m = model_any_map();
	unsigned int space = model_roll(2), flags;
	struct folio *page;
	bsdvm_pindex_t at;
	void *data;

	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	model_trace("load %td:%lu", m - model_maps, at);
	flags = model_roll(2) ? BSDVM_FAULT_BURST : 0;
	if (!model_came_to(fx_touch(m->map, space, at, BSDVM_PROT_READ, flags),
			   BSDVM_SUCCESS))
		return;
	page = fx_mapped(m->map, space, at);
	model_assert(page);
	data = kmap_local_folio(page, 0);
	model_assert(!memcmp(data, model_page(m, at), PAGE_SIZE));
	kunmap_local(data);
}

static void op_snapshot(void)
{
	struct model_map *m = model_any_map();
	struct model_snapshot *s = any_snapshot();

	if (!m || s->id)
		return;
	s->family = m->map->family;
	s->size = m->size;
	memcpy(s->bytes, m->bytes, sizeof(s->bytes));
	if (!model_came_to(bsdvm_map_snapshot(m->map, m->size * PAGE_SIZE,
					      &s->id), BSDVM_SUCCESS))
		s->id = 0;
	model_trace("snapshot %td -> %u", m - model_maps, s->id);
}

static void op_open(void)
{
	struct model_snapshot *s = any_snapshot();
	struct model_map *m = model_free_map(), *of;
	u64 bytes;

	if (!s->id || !m)
		return;
	model_trace("open %u -> %td", s->id, m - model_maps);
	memset(m, 0, sizeof(*m));
	m->size = s->size;
	memcpy(m->bytes, s->bytes, sizeof(m->bytes));
	of = model_map_of(s->family);
	if (!model_came_to(bsdvm_snapshot_open(of->map, s->id, NULL, &m->map,
					       &bytes), BSDVM_SUCCESS))
		m->map = NULL;
}

static void op_drop(void)
{
	struct model_snapshot *s = any_snapshot();

	if (!s->id)
		return;
	model_trace("drop %u", s->id);
	model_assert(bsdvm_snapshot_drop(model_map_of(s->family)->map, s->id) ==
		     BSDVM_SUCCESS);
	s->id = 0;
}

static void op_shadow(void)
{
	struct model_map *m = model_any_map(), *to = model_free_map();
	bsdvm_pindex_t first, last;

	if (!m || !to || !model_any_range(m, &first, &last))
		return;
	model_trace("shadow %td:%lu-%lu -> %td", m - model_maps, first, last,
		    to - model_maps);
	memset(to, 0, sizeof(*to));
	to->size = last - first + 1;
	memcpy(to->bytes, model_page(m, first), to->size * PAGE_SIZE);
	if (!model_came_to(bsdvm_map_shadow(m->map, first, to->size, NULL,
					    &to->map), BSDVM_SUCCESS))
		to->map = NULL;
}

/*
 * Memory ran out: entries before one are punched, that one and those behind
 * are not. Pages of zeroes do not tell.
 */
static void punched_in_part(struct model_map *m, bsdvm_pindex_t first,
			    bsdvm_pindex_t last)
{
	bsdvm_pindex_t i = first;

	twin_fail_nth(0);
	for (; i <= last && fx_held_byte(m->map, i) == 0; i++)
		memset(model_page(m, i), 0, PAGE_SIZE);
	for (; i <= last; i++)
		model_compare_page(m->map, i, model_page(m, i));
}

static void op_punch(void)
{
	struct model_map *m = model_any_map();
	bsdvm_pindex_t first, last;

	if (!m || !model_any_range(m, &first, &last))
		return;
	model_trace("punch %td:%lu-%lu", m - model_maps, first, last);
	if (model_came_to(bsdvm_map_punch(m->map, first, last), BSDVM_SUCCESS))
		memset(model_page(m, first), 0, (last - first + 1) * PAGE_SIZE);
	else
		punched_in_part(m, first, last);
}

static void op_clear(void)
{
	struct model_map *m = model_any_map();
	unsigned int from, to;
	bsdvm_pindex_t at;

	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	from = model_roll(PAGE_SIZE);
	to = from + 1 + model_roll(PAGE_SIZE - from);
	model_trace("clear %td:%lu %u-%u", m - model_maps, at, from, to);
	if (model_came_to(bsdvm_map_clear_bytes(m->map, at, from, to),
			  model_may_write(m, at)))
		memset(model_page(m, at) + from, 0, to - from);
}

static void op_resize(void)
{
	struct model_map *m = model_any_map();
	bsdvm_pindex_t size = model_roll(MODEL_PAGES + 1), i;

	if (!m)
		return;
	model_trace("resize %td: %lu -> %lu", m - model_maps, m->size, size);
	if (!model_came_to(bsdvm_map_resize(m->map, size), BSDVM_SUCCESS))
		return;
	for (i = min(size, m->size); i < MODEL_PAGES; i++) {
		memset(model_page(m, i), 0, PAGE_SIZE);
		m->sys[i] = 0;
		m->user[i] = false;
		m->read_only[i] = false;
		m->max_read_only[i] = false;
	}
	m->size = size;
}

static void op_wire(void)
{
	struct model_map *m = model_any_map();
	bsdvm_pindex_t first, last, i;

	if (!m || !model_any_range(m, &first, &last) ||
	    !all_writable(m, first, last))
		return;
	model_trace("wire %td:%lu-%lu", m - model_maps, first, last);
	if (!model_came_to(bsdvm_map_wire(m->map, first, last), BSDVM_SUCCESS))
		return;
	for (i = first; i <= last; i++)
		m->sys[i]++;
}

static void op_unwire(void)
{
	struct model_map *m = model_any_map();
	bsdvm_status_t expected = BSDVM_SUCCESS;
	bsdvm_pindex_t first, last, i;

	if (!m || !model_any_range(m, &first, &last))
		return;
	model_trace("unwire %td:%lu-%lu", m - model_maps, first, last);
	for (i = first; i <= last; i++)
		if (!m->sys[i])
			expected = BSDVM_INVALID_ARGUMENT;
	if (!model_came_to(bsdvm_map_unwire(m->map, first, last), expected))
		return;
	for (i = first; i <= last; i++)
		m->sys[i]--;
}

static void op_user_wire(void)
{
	struct model_map *m = model_any_map();
	bsdvm_pindex_t first, last, i, n, expected = 0;

	if (!m || !model_any_range(m, &first, &last) ||
	    !all_writable(m, first, last))
		return;
	model_trace("user wire %td:%lu-%lu", m - model_maps, first, last);
	if (!model_came_to(bsdvm_map_user_wire(m->map, first, last, &n),
			   BSDVM_SUCCESS)) {
		model_assert(!n);
		return;
	}
	for (i = first; i <= last; i++) {
		expected += !m->user[i];
		m->user[i] = true;
	}
	model_assert(n == expected);
}

static void op_user_unwire(void)
{
	struct model_map *m = model_any_map();
	bsdvm_status_t expected = BSDVM_SUCCESS;
	bsdvm_pindex_t first, last, i, n;

	if (!m || !model_any_range(m, &first, &last))
		return;
	model_trace("user unwire %td:%lu-%lu", m - model_maps, first, last);
	for (i = first; i <= last; i++)
		if (!m->user[i])
			expected = BSDVM_INVALID_ARGUMENT;
	if (!model_came_to(bsdvm_map_user_unwire(m->map, first, last, &n),
			   expected)) {
		model_assert(!n);
		return;
	}
	model_assert(n == last - first + 1);
	for (i = first; i <= last; i++)
		m->user[i] = false;
}

/* Not of wired pages: what is due to be copied when it is wired is W-25's. */
static bool may_protect(const struct model_map *m, bsdvm_pindex_t first,
			bsdvm_pindex_t last)
{
	for (; first <= last; first++)
		if (m->sys[first] || m->user[first])
			return false;
	return true;
}

/* M-35. */
static bsdvm_status_t protect_outcome(const struct model_map *m,
				      bsdvm_pindex_t first, bsdvm_pindex_t last,
				      bool read_only)
{
	for (; first <= last; first++)
		if (m->max_read_only[first] && !read_only)
			return BSDVM_PROTECTION_FAILURE;
	return BSDVM_SUCCESS;
}

static void op_protect(void)
{
	struct model_map *m = model_any_map();
	bool read_only = model_roll(2), set_max = !model_roll(4);
	bsdvm_pindex_t first, last, i;
	unsigned int prot = read_only ? BSDVM_PROT_READ : BSDVM_PROT_ALL;

	if (!m || !model_any_range(m, &first, &last) ||
	    !may_protect(m, first, last))
		return;
	model_trace("protect %td:%lu-%lu %u%s", m - model_maps, first, last,
		    prot, set_max ? " at most" : "");
	if (!model_came_to(bsdvm_map_protect(m->map, first, last, prot,
					     set_max),
			   protect_outcome(m, first, last, read_only)))
		return;
	for (i = first; i <= last; i++) {
		m->max_read_only[i] |= set_max && read_only;
		m->read_only[i] = read_only || (set_max && m->read_only[i]);
	}
}

/* From anywhere, the end and beyond included. */
static void op_seek(void)
{
	struct model_map *m = model_any_map();
	bsdvm_pindex_t from = model_roll(MODEL_PAGES + 2), at = from, i;
	static const unsigned char zeroes[PAGE_SIZE];
	bsdvm_status_t status;

	if (!m)
		return;
	status = bsdvm_map_seek_data(m->map, &at);
	if (status != BSDVM_SUCCESS)
		at = m->size;
	for (i = from; i < at; i++)
		model_assert(!memcmp(model_page(m, i), zeroes, PAGE_SIZE));
	at = from;
	status = bsdvm_map_seek_hole(m->map, &at);
	model_assert(status == (from < m->size ? BSDVM_SUCCESS :
						 BSDVM_INVALID_ADDRESS));
	model_assert(at >= from && (from >= m->size || at <= m->size));
	if (at < m->size)
		model_compare_page(m->map, at, zeroes);
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
	struct model_pin *pin = &model_pins[model_roll(MODEL_PINS)];
	struct model_map *m = model_any_map();
	bsdvm_pindex_t at;

	if (pin->page) {
		model_trace("unpin %td", pin - model_pins);
		folio_put(pin->page);
		pin->page = NULL;
		return;
	}
	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	pin->page = own_page(m, at);
	if (!pin->page)
		return;
	model_trace("pin %td:%lu", m - model_maps, at);
	folio_get(pin->page);
	pin->map = m;
	pin->pindex = at;
}

/* As a device would: the live map sees it, unless the page is gone from it. */
static void op_write_pinned(void)
{
	struct model_pin *pin = &model_pins[model_roll(MODEL_PINS)];
	unsigned char value = model_roll(256);

	if (!pin->page)
		return;
	model_trace("write pin %td = %u", pin - model_pins, value);
	fx_folio_fill(pin->page, value);
	if (pin->map->map && pin->pindex < pin->map->size &&
	    own_page(pin->map, pin->pindex) == pin->page)
		memset(model_page(pin->map, pin->pindex), value, PAGE_SIZE);
}

static void op_close(void)
{
	struct model_map *m = model_any_map();

	if (m)
		model_close(m);
}

const struct model_operation model_table[] = {
	{ 4, op_create }, { 24, op_write_held }, { 16, op_store },
	{ 8, op_load }, { 10, op_snapshot }, { 6, op_open }, { 7, op_drop },
	{ 5, op_shadow }, { 8, op_punch }, { 4, op_clear }, { 6, op_resize },
	{ 3, op_wire }, { 4, op_unwire }, { 3, op_user_wire },
	{ 4, op_user_unwire }, { 4, op_pin }, { 4, op_write_pinned },
	{ 3, op_protect }, { 3, op_close }, { 3, op_seek },
	{ 6, model_op_page_out }, { 2, model_op_readahead },
	{ 1, model_op_knobs }, { 8, model_run_short },
};

const unsigned int model_operations = ARRAY_SIZE(model_table);
