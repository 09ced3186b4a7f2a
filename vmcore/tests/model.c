// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The model's state, and how it is compared with the core's. */
#include "model.h"

struct model_map model_maps[MODEL_MAPS];
struct model_snapshot model_snapshots[MODEL_SNAPSHOTS];
struct model_pin model_pins[MODEL_PINS];
unsigned long (*model_roll)(unsigned long n);
char model_origin[64];

static const unsigned char zeroes[PAGE_SIZE];
static unsigned int step;
static bool tracing, short_of_memory;

void model_fail(const char *what, const char *file, int line)
{
	TWIN_DIE("%s, step %u: %s:%d: %s", model_origin, step, file, line,
		 what);
}

void model_trace(const char *fmt, ...)
{
	va_list args;

	if (!tracing)
		return;
	fprintf(stderr, "# %u: ", step);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void model_begin(unsigned long (*roll)(unsigned long n))
{
	model_roll = roll;
	step = 0;
	tracing = getenv("BSDVM_TRACE");
}

/* ---- choosing ----------------------------------- */

struct model_map *model_any_map(void)
{
	struct model_map *m = &model_maps[model_roll(MODEL_MAPS)];

	return m->map ? m : NULL;
}

struct model_map *model_free_map(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (!model_maps[i].map)
			return &model_maps[i];
	return NULL;
}

struct model_map *model_map_of(struct bsdvm_family *family)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (model_maps[i].map && model_maps[i].map->family == family)
			return &model_maps[i];
	return NULL;
}

bool model_any_range(const struct model_map *m, bsdvm_pindex_t *first,
		     bsdvm_pindex_t *last)
{
	bsdvm_pindex_t a, b;

	if (!m->size)
		return false;
	a = model_roll(m->size);
	b = model_roll(m->size);
	*first = min(a, b);
	*last = max(a, b);
	if (model_roll(3))
		*last = min(*last, *first + model_roll(4));
	return true;
}

unsigned char *model_page(struct model_map *m, bsdvm_pindex_t pindex)
{
	return m->bytes + pindex * PAGE_SIZE;
}

bsdvm_status_t model_may_write(const struct model_map *m, bsdvm_pindex_t at)
{
	return m->read_only[at] ? BSDVM_PROTECTION_FAILURE : BSDVM_SUCCESS;
}

/* ---- comparing ----------------------------------- */

void model_compare_page(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			const unsigned char *expected)
{
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
	bsdvm_pindex_t at = 0, next = 0;

	while (next < m->size) {
		at = next;
		if (bsdvm_map_seek_data(m->map, &next) != BSDVM_SUCCESS)
			next = m->size;
		for (; at < next; at++)
			model_assert(!memcmp(model_page(m, at), zeroes,
					     PAGE_SIZE));
		next++;
	}
}

static void compare_map(struct model_map *m)
{
	bsdvm_pindex_t i;

	model_assert(m->map->size == m->size);
	for (i = 0; i < m->size; i++)
		model_compare_page(m->map, i, model_page(m, i));
	compare_holes(m);
}

static void compare_snapshot(struct model_snapshot *s)
{
	struct model_map *m = model_map_of(s->family);
	struct bsdvm_map *map;
	bsdvm_pindex_t i;
	u64 bytes;

	model_assert(m);
	model_assert(bsdvm_snapshot_open(m->map, s->id, NULL, &map, &bytes) ==
		     BSDVM_SUCCESS);
	model_assert(bytes == s->size * PAGE_SIZE && map->size == s->size);
	for (i = 0; i < s->size; i++)
		model_compare_page(map, i, s->bytes + i * PAGE_SIZE);
	fx_put(map);
}

void model_compare_maps(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++)
		if (model_maps[i].map)
			compare_map(&model_maps[i]);
}

void model_compare_everything(void)
{
	unsigned int i;

	model_compare_maps();
	for (i = 0; i < MODEL_SNAPSHOTS; i++)
		if (model_snapshots[i].id)
			compare_snapshot(&model_snapshots[i]);
}

void model_compare_sample(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAPS; i++) {
		struct model_map *m = &model_maps[i];
		bsdvm_pindex_t pindex;

		if (!m->map || !m->size)
			continue;
		pindex = model_roll(m->size);
		model_compare_page(m->map, pindex, model_page(m, pindex));
	}
}

/* ---- running ----------------------------------- */

bool model_came_to_at(bsdvm_status_t status, bsdvm_status_t expected,
		      const char *what, const char *file, int line)
{
	if (short_of_memory && status == BSDVM_RESOURCE_SHORTAGE)
		return false;
	if (status != expected) {
		fprintf(stderr, "# came to %u instead of %u\n",
			(__force unsigned int)status,
			(__force unsigned int)expected);
		model_fail(what, file, line);
	}
	return status == BSDVM_SUCCESS;
}

/*
 * Either the n-th allocation fails, or few pages are left. The operation must
 * not be another of this kind.
 */
void model_run_short(void)
{
	unsigned long n = model_roll(16);

	if (short_of_memory)
		return;
	short_of_memory = true;
	model_trace("short of memory: %lu", n);
	if (n)
		twin_fail_nth(n);
	else
		bsdvm_budget = (struct bsdvm_budget){
			.limit = fx_count(live_pages) + 1, .reserved = 1,
			.severe = model_roll(2) * 2,
		};
	model_run_any();
	short_of_memory = false;
}

void model_run(unsigned int operation)
{
	unsigned int i;

	step++;
	model_table[operation].run();
	twin_fail_nth(0);
	bsdvm_budget = (struct bsdvm_budget){ };
	for (i = 0; i < MODEL_MAPS; i++)
		if (model_maps[i].map)
			check_all(model_maps[i].map);
}

void model_run_any(void)
{
	unsigned int i, total = 0, n;

	for (i = 0; i < model_operations; i++)
		total += model_table[i].weight;
	n = model_roll(total);
	for (i = 0; n >= model_table[i].weight; i++)
		n -= model_table[i].weight;
	model_run(i);
}

void model_close(struct model_map *m)
{
	struct bsdvm_family *family = m->map->family;
	unsigned int i;

	model_trace("close %td", m - model_maps);
	fx_put(m->map);
	m->map = NULL;
	if (model_map_of(family))
		return;
	for (i = 0; i < MODEL_SNAPSHOTS; i++)
		if (model_snapshots[i].family == family)
			model_snapshots[i].id = 0;
}

void model_end(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_PINS; i++)
		if (model_pins[i].page)
			folio_put(model_pins[i].page);
	memset(model_pins, 0, sizeof(model_pins));
	for (i = 0; i < MODEL_MAPS; i++)
		if (model_maps[i].map)
			model_close(&model_maps[i]);
	memset(model_snapshots, 0, sizeof(model_snapshots));
}
