// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Each entry point of the core with arguments of any value. What it comes to
 * must be documented; success means that the arguments were good ones; after
 * anything else nothing that can be asked about has changed.
 */
#include "chain.h"
#include "fuzz.h"

#define SCENE_PAGES	10
#define SIZE_MAX_KEPT	24

/* ---- the scene ----------------------------------- */

#define SCENE_STEPS	16

static bool tracing;
static struct bsdvm_map *map, *other;
static struct folio *pins[SCENE_STEPS];
static unsigned int npins;

/* A map, some of whose pages are there. */
static struct bsdvm_map *scene_map(void)
{
	unsigned int there = fuzz_below(1 << SCENE_PAGES), i;
	char pages[SCENE_PAGES + 1] = "";

	for (i = 0; i < SCENE_PAGES; i++)
		pages[i] = there & 1 << i ? 'A' + i : '.';
	return ch_map(pages);
}

/* Something that makes the chain longer, or the map's pages different. */
static void scene_step(void)
{
	bsdvm_pindex_t first = fuzz_below(SCENE_PAGES), n;
	bsdvm_pindex_t last = first + fuzz_below(SCENE_PAGES - first);
	unsigned int step = fuzz_below(6);

	if (tracing)
		fprintf(stderr, "# step %u, pages %lu to %lu\n", step, first,
			last);
	switch (step) {
	case 0:
		ch_write(map, first, 'x');
		break;
	case 1:
		ch_punch(map, first, last);
		break;
	case 2:
		ch_snapshot(map);
		break;
	case 3:
		ch_wire(map, first, last);
		break;
	case 4:
		fx_assert(bsdvm_map_user_wire(map, first, last, &n) ==
			  BSDVM_SUCCESS);
		break;
	case 5:
		ch_write(map, first, 'z');
		pins[npins++] = ch_pin(map, first);
		break;
	}
}

/* What the next bytes say: a map, and another one that it is in front of. */
static void scene_begin(void)
{
	unsigned int steps;
	u32 snapshot;

	map = scene_map();
	for (steps = fuzz_below(SCENE_STEPS); steps; steps--)
		scene_step();
	snapshot = ch_snapshot(map);
	other = fuzz_byte() & 1 ? ch_shadow(map, 2, 5) :
				  ch_open(map, snapshot);
	ch_write(map, 0, 'x');
	ch_write(other, 1, 'y');
	if (fuzz_byte() & 1)
		fx_assert(bsdvm_map_protect(map, 2, 3, BSDVM_PROT_READ, true) ==
			  BSDVM_SUCCESS);
}

static void scene_end(void)
{
	while (npins)
		folio_put(pins[--npins]);
	fx_put(other);
	fx_put(map);
}

/* Of all bytes; a page that may not be read has none. */
static u64 hash_map(struct bsdvm_map *m)
{
	struct folio *page;
	bsdvm_pindex_t i;
	u64 hash = m->size;

	for (i = 0; i < m->size; i++) {
		hash *= 0x100000001b3ULL;
		if (bsdvm_fault_page(m, i, BSDVM_PROT_READ, BSDVM_FAULT_NOZERO,
				     &page) != BSDVM_SUCCESS || !page)
			continue;
		hash ^= fx_folio_byte(page);
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	}
	return hash;
}

/* What anybody can ask about the scene. */
struct fingerprint {
	u64 hash[2];
	u64 wired;
	unsigned int snapshots;
	unsigned int maps;
	u64 live_snapshots;
	struct {
		unsigned char protection;
		unsigned char max_protection;
		unsigned int wired_count;
	} page[SIZE_MAX_KEPT];
};

static struct fingerprint take_fingerprint(void)
{
	struct fingerprint print;
	struct bsdvm_map_summary sum;
	struct bsdvm_entry entry;
	bsdvm_pindex_t i;
	u64 object;

	memset(&print, 0, sizeof(print));
	print.hash[0] = hash_map(map);
	print.hash[1] = hash_map(other);
	fx_assert(bsdvm_map_summary(map, &sum) == BSDVM_SUCCESS);
	print.wired = sum.wired;
	print.snapshots = sum.snapshots;
	print.maps = sum.maps;
	print.live_snapshots = fx_count(live_snapshots);
	for (i = 0; i < map->size; i++) {
		fx_assert(bsdvm_entry_query(map, i, &entry, &object) ==
			  BSDVM_SUCCESS);
		print.page[i].protection = entry.protection;
		print.page[i].max_protection = entry.max_protection;
		print.page[i].wired_count = entry.wired_count;
	}
	return print;
}

/* ---- arguments ----------------------------------- */

static u64 pick_number(void)
{
	static const u64 special[] = {
		0, 1, 2, SCENE_PAGES - 1, SCENE_PAGES, SCENE_PAGES + 1,
		PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1,
		BSDVM_PAGES_MAX - 1, BSDVM_PAGES_MAX, BSDVM_PAGES_MAX + 1,
		(u64)BSDVM_PAGES_MAX << PAGE_SHIFT, U32_MAX, 1ULL << 32,
		1ULL << 52, LLONG_MAX, 1ULL << 63, U64_MAX - 1, U64_MAX,
	};
	u8 kind = fuzz_byte();

	if (kind < 2 * ARRAY_SIZE(special))
		return special[kind / 2];
	return kind & 1 ? fuzz_byte() % SCENE_PAGES : fuzz_u64();
}

static u64 any_number(void)
{
	u64 number = pick_number();

	if (tracing)
		fprintf(stderr, "# %#llx\n", number);
	return number;
}

static bool in_map(bsdvm_pindex_t first, bsdvm_pindex_t last)
{
	return first <= last && last < map->size;
}

/* ---- calls ----------------------------------- */

/* Statuses a call may come to, as bits. */
#define MAY(name)	(1u << (__force unsigned int)BSDVM_##name)
#define MAY_FAULT	(MAY(SUCCESS) | MAY(INVALID_ADDRESS) | \
			 MAY(PROTECTION_FAILURE))

static bsdvm_status_t call_create(void)
{
	bsdvm_pindex_t size = any_number();
	struct bsdvm_map *made = bsdvm_map_create(size, NULL);

	fx_assert(!made == (size > BSDVM_PAGES_MAX));
	if (!made)
		return BSDVM_INVALID_ARGUMENT;
	fx_put(made);
	return BSDVM_SUCCESS;
}

/* A larger size is taken back: nobody compares that many bytes. */
static bsdvm_status_t call_resize(void)
{
	bsdvm_pindex_t size = any_number(), old = map->size;
	bsdvm_status_t status = bsdvm_map_resize(map, size);

	fx_assert((status == BSDVM_SUCCESS) == (size <= BSDVM_PAGES_MAX));
	if (status == BSDVM_SUCCESS && size > SIZE_MAX_KEPT)
		fx_assert(bsdvm_map_resize(map, old) == BSDVM_SUCCESS);
	return status;
}

static bsdvm_status_t call_punch(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number();
	bsdvm_status_t status = bsdvm_map_punch(map, first, last);

	fx_assert((status != BSDVM_INVALID_ARGUMENT) == (first <= last));
	return status;
}

static bsdvm_status_t call_clear(void)
{
	bsdvm_pindex_t pindex = any_number();
	unsigned int from = any_number(), to = any_number();
	bsdvm_status_t status = bsdvm_map_clear_bytes(map, pindex, from, to);

	fx_assert(status != BSDVM_SUCCESS ||
		  (in_map(pindex, pindex) && from <= to && to <= PAGE_SIZE));
	return status;
}

static bsdvm_status_t call_protect(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number();
	unsigned int prot = any_number();
	bsdvm_status_t status = bsdvm_map_protect(map, first, last, prot,
						  fuzz_byte() & 1);

	fx_assert(status != BSDVM_SUCCESS ||
		  (first <= last && !(prot & ~BSDVM_PROT_ALL)));
	return status;
}

static bsdvm_status_t call_wire(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number();
	bsdvm_status_t status = bsdvm_map_wire(map, first, last);

	fx_assert(status != BSDVM_SUCCESS || in_map(first, last));
	return status;
}

static bsdvm_status_t call_unwire(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number();
	bsdvm_status_t status = bsdvm_map_unwire(map, first, last);

	fx_assert(status != BSDVM_SUCCESS || in_map(first, last));
	return status;
}

static bsdvm_status_t call_user_wire(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number(), n = 1;
	bsdvm_status_t status = bsdvm_map_user_wire(map, first, last, &n);

	fx_assert(status == BSDVM_SUCCESS ? in_map(first, last) : !n);
	return status;
}

static bsdvm_status_t call_user_unwire(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number(), n = 1;
	bsdvm_status_t status = bsdvm_map_user_unwire(map, first, last, &n);

	fx_assert(status == BSDVM_SUCCESS ? in_map(first, last) : !n);
	return status;
}

static bsdvm_status_t call_open(void)
{
	u32 id = any_number();
	struct bsdvm_map *made;
	bsdvm_status_t status;
	u64 bytes;

	status = bsdvm_snapshot_open(map, id, NULL, &made, &bytes);
	if (status == BSDVM_SUCCESS)
		fx_put(made);
	return status;
}

static bsdvm_status_t call_drop(void)
{
	return bsdvm_snapshot_drop(map, any_number());
}

static bsdvm_status_t call_snapshot(void)
{
	u64 bytes = any_number();
	struct bsdvm_snapshot_summary sum;
	bsdvm_status_t status;
	u32 id;

	status = bsdvm_map_snapshot(map, bytes, &id);
	fx_assert(bsdvm_snapshot_query(map, id, &sum) == BSDVM_SUCCESS);
	fx_assert(sum.id == id && sum.bytes == bytes);
	fx_assert(bsdvm_snapshot_drop(map, id) == BSDVM_SUCCESS);
	return status;
}

static bsdvm_status_t call_shadow(void)
{
	bsdvm_pindex_t first = any_number(), npages = any_number();
	struct bsdvm_map *made;
	bsdvm_status_t status = bsdvm_map_shadow(map, first, npages, NULL,
						 &made);

	fx_assert((status == BSDVM_SUCCESS) ==
		  (npages && npages <= map->size &&
		   in_map(first, first + npages - 1)));
	if (status == BSDVM_SUCCESS)
		fx_put(made);
	return status;
}

static bsdvm_status_t call_seek_data(void)
{
	bsdvm_pindex_t from = any_number(), at = from;
	bsdvm_status_t status = bsdvm_map_seek_data(map, &at);

	fx_assert(status == BSDVM_SUCCESS ? at >= from && at < map->size :
					    at == from);
	return status;
}

static bsdvm_status_t call_seek_hole(void)
{
	bsdvm_pindex_t from = any_number(), at = from;
	bsdvm_status_t status = bsdvm_map_seek_hole(map, &at);

	fx_assert(status == BSDVM_SUCCESS ? at >= from && at <= map->size :
					    at == from);
	return status;
}

static bsdvm_status_t call_entry_query(void)
{
	bsdvm_pindex_t at = any_number();
	struct bsdvm_entry entry;
	bsdvm_status_t status;
	u64 object;

	status = bsdvm_entry_query(map, at, &entry, &object);
	fx_assert((status == BSDVM_SUCCESS) == (at < map->size));
	return status;
}

static bsdvm_status_t call_object_query(void)
{
	bsdvm_pindex_t at = any_number();
	struct bsdvm_object_summary sum;
	bsdvm_status_t status = bsdvm_object_query(map, at, any_number(), &sum);

	fx_assert(status != BSDVM_SUCCESS || at < map->size);
	return status;
}

static bsdvm_status_t call_snapshot_query(void)
{
	struct bsdvm_snapshot_summary sum;
	u32 id = any_number();
	bsdvm_status_t status = bsdvm_snapshot_query(map, id, &sum);

	fx_assert(status != BSDVM_SUCCESS || sum.id >= id);
	return status;
}

static bsdvm_status_t call_user_wired(void)
{
	bsdvm_pindex_t first = any_number(), last = any_number();
	bsdvm_pindex_t wired = bsdvm_map_user_wired(map, first, last);

	fx_assert(wired <= map->size && (first <= last || !wired));
	return BSDVM_SUCCESS;
}

static bsdvm_status_t call_fault(void)
{
	struct fx_space context = { .map = map };
	struct bsdvm_fault fault = {
		.map = map,
		.pindex = any_number(),
		.fault_type = any_number(),
		.flags = any_number() & ~BSDVM_FAULT_WIRE_MASK,
		.pmap = &context,
	};
	bsdvm_status_t status = bsdvm_fault(&fault);

	fx_assert(status != BSDVM_SUCCESS || fault.pindex < map->size);
	if (fault.page) {
		folio_unlock(fault.page);
		folio_put(fault.page);
	}
	return status;
}

static bsdvm_status_t call_fault_page(void)
{
	bsdvm_pindex_t at = any_number();
	unsigned int access = any_number();
	unsigned int flags = any_number() & ~BSDVM_FAULT_WIRE_MASK;
	struct folio *page;
	bsdvm_status_t status;

	status = bsdvm_fault_page(map, at, access, flags, &page);
	fx_assert(status == BSDVM_SUCCESS ? at < map->size : !page);
	if (page)
		bsdvm_fault_page_done(page, access);
	return status;
}

static const struct {
	bsdvm_status_t (*run)(void);
	unsigned int may;
} calls[] = {
	{ call_create, MAY(SUCCESS) | MAY(INVALID_ARGUMENT) },
	{ call_resize, MAY(SUCCESS) | MAY(INVALID_ARGUMENT) },
	{ call_punch, MAY(SUCCESS) | MAY(INVALID_ARGUMENT) |
		      MAY(PROTECTION_FAILURE) },
	{ call_clear, MAY_FAULT | MAY(INVALID_ARGUMENT) },
	{ call_protect, MAY(SUCCESS) | MAY(INVALID_ARGUMENT) |
			MAY(PROTECTION_FAILURE) },
	{ call_wire, MAY_FAULT },
	{ call_unwire, MAY(SUCCESS) | MAY(INVALID_ADDRESS) |
		       MAY(INVALID_ARGUMENT) },
	{ call_user_wire, MAY_FAULT },
	{ call_user_unwire, MAY(SUCCESS) | MAY(INVALID_ADDRESS) |
			    MAY(INVALID_ARGUMENT) },
	{ call_open, MAY(SUCCESS) | MAY(NO_ENTRY) },
	{ call_drop, MAY(SUCCESS) | MAY(NO_ENTRY) },
	{ call_snapshot, MAY(SUCCESS) },
	{ call_shadow, MAY(SUCCESS) | MAY(INVALID_ADDRESS) },
	{ call_seek_data, MAY(SUCCESS) | MAY(INVALID_ADDRESS) },
	{ call_seek_hole, MAY(SUCCESS) | MAY(INVALID_ADDRESS) },
	{ call_entry_query, MAY(SUCCESS) | MAY(NO_ENTRY) },
	{ call_object_query, MAY(SUCCESS) | MAY(NO_ENTRY) },
	{ call_snapshot_query, MAY(SUCCESS) | MAY(NO_ENTRY) },
	{ call_user_wired, MAY(SUCCESS) },
	{ call_fault, MAY_FAULT },
	{ call_fault_page, MAY_FAULT },
};

static void call_one(void)
{
	struct fingerprint before = take_fingerprint(), after;
	unsigned int n = fuzz_below(ARRAY_SIZE(calls));
	bsdvm_status_t status = calls[n].run();

	if (tracing)
		fprintf(stderr, "# call %u came to %u\n", n,
			(__force unsigned int)status);
	if (!(calls[n].may & 1u << (__force unsigned int)status))
		TWIN_DIE("call %u came to %u", n, (__force unsigned int)status);
	check_all(map);
	check_all(other);
	after = take_fingerprint();
	if (status != BSDVM_SUCCESS && memcmp(&before, &after, sizeof(before)))
		TWIN_DIE("call %u failed, but changed something", n);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	fx_assert(!fx_setup(NULL));
	fuzz_begin(data, size);
	tracing = getenv("BSDVM_TRACE");
	scene_begin();
	while (!fuzz_ended())
		call_one();
	scene_end();
	fx_assert(!fx_teardown(NULL));
	return 0;
}
