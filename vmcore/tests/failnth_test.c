// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Each operation with the first allocation failing, then the second, and so on
 * until it succeeds. A failure is RESOURCE_SHORTAGE, changes no byte of any map
 * or snapshot, and leaves nothing behind.
 *
 * What may remain: objects made or pushed in preparation, without pages, and
 * a split entry where the operation is one that splits. With FREEZES also a
 * frozen object with its copies, in an entry before the one that failed.
 */
#include "chain.h"

struct scene {
	struct bsdvm_map *map;
	struct bsdvm_map *other;	/* opened from the snapshot, or NULL */
	struct bsdvm_map *made;		/* by the operation */
	struct folio *pin;
	u32 id;
};

#define FREEZES		0x1u	/* copies may remain */
#define NO_SHORTAGE	0x2u	/* the operation cannot fail */

struct operation {
	const char *name;
	void (*set)(struct scene *scene);
	bsdvm_status_t (*run)(struct scene *scene);
	unsigned int flags;
	unsigned long least;	/* failures there must have been */
};

/* ---- scenes ----------------------------------- */

static void set_empty(struct scene *s)
{
	s->map = fx_map(70);
}

/* Pages far enough apart that slots of different nodes hold them. */
static void set_plain(struct scene *s)
{
	s->map = fx_map(140);
	ch_write(s->map, 0, 'A');
	ch_write(s->map, 66, 'B');
	ch_write(s->map, 139, 'C');
}

static void set_frozen(struct scene *s)
{
	set_plain(s);
	s->id = ch_snapshot(s->map);
}

static void set_opened(struct scene *s)
{
	set_frozen(s);
	s->other = ch_open(s->map, s->id);
	ch_write(s->other, 1, 'x');
	ch_write(s->map, 2, 'y');
}

static void set_pinned(struct scene *s)
{
	set_opened(s);
	ch_write(s->map, 70, 'p');
	s->pin = ch_pin(s->map, 70);
}

static void set_wired(struct scene *s)
{
	set_opened(s);
	ch_wire(s->map, 64, 68);
}

static void set_many_entries(struct scene *s)
{
	bsdvm_pindex_t n;

	set_pinned(s);
	ch_wire(s->map, 10, 12);
	fx_assert_status(bsdvm_map_user_wire(s->map, 130, 131, &n),
			 BSDVM_SUCCESS);
	check_all(s->map);
}

/* A chain whose objects are nobody else's: a write renames. */
static void set_private_chain(struct scene *s)
{
	s->map = fx_chain(2, 3, ".../ABC").map;
}

static void set_shrunk(struct scene *s)
{
	set_opened(s);
	ch_resize(s->map, 66);
	ch_resize(s->other, 100);
}

/* ---- operations ----------------------------------- */

static bsdvm_status_t run_create(struct scene *s)
{
	s->made = bsdvm_map_create(5, NULL);
	return s->made ? BSDVM_SUCCESS : BSDVM_RESOURCE_SHORTAGE;
}

static bsdvm_status_t run_create_object(struct scene *s)
{
	struct bsdvm_object *object = fx_object(s->map, 0);

	fx_ref(object);
	s->made = bsdvm_map_create_object(object, NULL);
	if (s->made)
		return BSDVM_SUCCESS;
	fx_unref(object);
	return BSDVM_RESOURCE_SHORTAGE;
}

static bsdvm_status_t fault(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			    unsigned int fault_type)
{
	struct folio *page;
	bsdvm_status_t status = bsdvm_fault_page(map, pindex, fault_type, 0,
						 &page);

	if (status == BSDVM_SUCCESS)
		bsdvm_fault_page_done(page, fault_type);
	return status;
}

static bsdvm_status_t run_read_hole(struct scene *s)
{
	return fault(s->map, 69, BSDVM_PROT_READ);
}

static bsdvm_status_t run_write_hole(struct scene *s)
{
	return fault(s->map, 69, BSDVM_PROT_WRITE);
}

static bsdvm_status_t run_read_page(struct scene *s)
{
	return fault(s->map, 66, BSDVM_PROT_READ);
}

static bsdvm_status_t run_write_page(struct scene *s)
{
	return fault(s->map, 66, BSDVM_PROT_WRITE);
}

/* Without memory for the slot a rename may become a copy, or fail. */
static bsdvm_status_t run_rename(struct scene *s)
{
	u64 renamed = fx_count(v_cow_optim);
	bsdvm_status_t status = fault(s->map, 1, BSDVM_PROT_WRITE);

	if (status == BSDVM_SUCCESS && !twin_fail_allocs_done())
		fx_assert(fx_count(v_cow_optim) == renamed + 1);
	return status;
}

static bsdvm_status_t run_touch(struct scene *s)
{
	return fx_touch(s->map, 0, 66, BSDVM_PROT_WRITE, BSDVM_FAULT_BURST);
}

static bsdvm_status_t run_touch_ahead(struct scene *s)
{
	return fx_touch(s->map, 0, 67, BSDVM_PROT_WRITE, BSDVM_FAULT_BURST);
}

static bsdvm_status_t run_clear(struct scene *s)
{
	bsdvm_status_t status = fault(s->map, 66, BSDVM_PROT_WRITE);

	return status == BSDVM_SUCCESS ?
	       bsdvm_map_clear_bytes(s->map, 66, 5, 5) : status;
}

static bsdvm_status_t run_snapshot(struct scene *s)
{
	return bsdvm_map_snapshot(s->map, 1, &s->id);
}

static bsdvm_status_t run_open(struct scene *s)
{
	u64 bytes;

	return bsdvm_snapshot_open(s->map, s->id, NULL, &s->made, &bytes);
}

static bsdvm_status_t run_drop(struct scene *s)
{
	return bsdvm_snapshot_drop(s->map, s->id);
}

static bsdvm_status_t run_shadow(struct scene *s)
{
	return bsdvm_map_shadow(s->map, 60, 30, NULL, &s->made);
}

static bsdvm_status_t run_wire(struct scene *s)
{
	return bsdvm_map_wire(s->map, 63, 69);
}

static bsdvm_status_t run_user_wire(struct scene *s)
{
	bsdvm_pindex_t n;

	return bsdvm_map_user_wire(s->map, 63, 69, &n);
}

static bsdvm_status_t run_unwire(struct scene *s)
{
	return bsdvm_map_unwire(s->map, 65, 67);
}

/* Every page of the range is seen through a window, or is a hole. */
static bsdvm_status_t run_punch(struct scene *s)
{
	return bsdvm_map_punch(s->map, 3, 130);
}

static bsdvm_status_t run_shrink(struct scene *s)
{
	return bsdvm_map_resize(s->map, 65);
}

static bsdvm_status_t run_grow(struct scene *s)
{
	return bsdvm_map_resize(s->map, 5000);
}

static bsdvm_status_t run_collapse(struct scene *s)
{
	struct bsdvm_object *front = fx_object(s->map, 0);

	bsdvm_family_lock(front->family);
	bsdvm_object_collapse(front);
	bsdvm_family_unlock(front->family);
	return front->backing_object ? BSDVM_RESOURCE_SHORTAGE : BSDVM_SUCCESS;
}

static bsdvm_status_t run_seek(struct scene *s)
{
	bsdvm_pindex_t at = 1, hole = 66;
	bsdvm_status_t status = bsdvm_map_seek_data(s->map, &at);

	return status == BSDVM_SUCCESS ? bsdvm_map_seek_hole(s->map, &hole) :
					 status;
}

static bsdvm_status_t run_check(struct scene *s)
{
	struct bsdvm_report report;

	return bsdvm_family_check(s->map, &report);
}

static const struct operation operations[] = {
	{ "create", set_empty, run_create, 0, 3 },
	{ "create for an object", set_plain, run_create_object, 0, 2 },
	{ "read a hole of nothing", set_empty, run_read_hole, 0, 2 },
	{ "write a hole of nothing", set_empty, run_write_hole, 0, 2 },
	{ "read a hole", set_opened, run_read_hole, 0, 1 },
	{ "write a hole", set_opened, run_write_hole, 0, 1 },
	{ "read a hole, frozen", set_frozen, run_read_hole, 0, 2 },
	{ "read a page", set_opened, run_read_page, NO_SHORTAGE, 0 },
	{ "write a page: copy", set_opened, run_write_page, 0, 2 },
	{ "write a page: push and copy", set_frozen, run_write_page, 0, 3 },
	{ "write a page: rename", set_private_chain, run_rename, 0, 1 },
	{ "write through a mapping", set_opened, run_touch, 0, 2 },
	{ "write ahead", set_plain, run_touch_ahead, 0, 1 },
	{ "clear a part", set_frozen, run_clear, 0, 3 },
	{ "snapshot", set_plain, run_snapshot, 0, 1 },
	{ "snapshot again", set_frozen, run_snapshot, 0, 1 },
	{ "snapshot, pinned", set_pinned, run_snapshot, 0, 3 },
	{ "snapshot, wired", set_wired, run_snapshot, FREEZES, 8 },
	{ "snapshot, many entries", set_many_entries, run_snapshot, FREEZES, 8 },
	{ "open", set_opened, run_open, 0, 3 },
	{ "drop", set_opened, run_drop, NO_SHORTAGE, 0 },
	{ "shadow", set_pinned, run_shadow, FREEZES, 4 },
	{ "shadow, many entries", set_many_entries, run_shadow, FREEZES, 4 },
	{ "wire", set_opened, run_wire, 0, 8 },
	{ "wire, frozen", set_frozen, run_wire, 0, 8 },
	{ "wire for the user", set_many_entries, run_user_wire, 0, 8 },
	{ "unwire a part", set_wired, run_unwire, 0, 2 },
	{ "punch", set_opened, run_punch, 0, 1 },
	{ "punch, frozen", set_frozen, run_punch, 0, 2 },
	{ "shrink", set_opened, run_shrink, 0, 1 },
	{ "shrink, frozen", set_frozen, run_shrink, 0, 1 },
	{ "grow", set_opened, run_grow, 0, 1 },
	{ "grow after a shrink", set_shrunk, run_grow, 0, 1 },
	{ "collapse", set_private_chain, run_collapse, 0, 1 },
	{ "seek", set_opened, run_seek, NO_SHORTAGE, 0 },
	{ "check", set_many_entries, run_check, NO_SHORTAGE, 0 },
};

/* ---- before and after ----------------------------------- */

struct picture {
	u64 hash;
	struct bsdvm_stats live;
};

static u64 hash_snapshots(struct bsdvm_map *map)
{
	struct bsdvm_snapshot_summary sum = { };
	struct bsdvm_map *opened;
	u64 hash = 0;
	u32 id = 0;

	while (bsdvm_snapshot_query(map, id, &sum) == BSDVM_SUCCESS) {
		opened = ch_open(map, sum.id);
		hash = hash * 31 + ch_hash(opened) + sum.id;
		fx_put(opened);
		id = sum.id + 1;
	}
	return hash;
}

static struct picture take_picture(const struct scene *s)
{
	struct picture p;

	p.hash = ch_hash(s->map) + hash_snapshots(s->map);
	if (s->other)
		p.hash = p.hash * 31 + ch_hash(s->other);
	check_all(s->map);
	if (s->other)
		check_all(s->other);
	bsdvm_stats_sum(&p.live);
	return p;
}

static void compare(const struct operation *op, const struct picture *before,
		    const struct picture *after, unsigned long n)
{
	const struct bsdvm_stats *b = &before->live, *a = &after->live;

	if (after->hash != before->hash)
		fail_msg("%s: bytes changed by failure %lu", op->name, n);
	if (a->live_families != b->live_families ||
	    a->live_maps != b->live_maps ||
	    a->live_snapshots != b->live_snapshots ||
	    a->live_wired != b->live_wired ||
	    a->live_entries < b->live_entries ||
	    a->live_entries > b->live_entries + 2 ||
	    a->live_objects < b->live_objects ||
	    a->live_objects > b->live_objects + 6 ||
	    (!(op->flags & FREEZES) && a->live_pages > b->live_pages))
		fail_msg("%s: failure %lu left something: %lld families, %lld maps, %lld snapshots, %lld wired, %lld entries, %lld objects, %lld pages",
			 op->name, n,
			 a->live_families - b->live_families,
			 a->live_maps - b->live_maps,
			 a->live_snapshots - b->live_snapshots,
			 a->live_wired - b->live_wired,
			 a->live_entries - b->live_entries,
			 a->live_objects - b->live_objects,
			 a->live_pages - b->live_pages);
}

static void end_scene(struct scene *s)
{
	if (s->pin)
		folio_put(s->pin);
	if (s->made)
		fx_put(s->made);
	if (s->other)
		fx_put(s->other);
	fx_put(s->map);
}

/* Wirings that roll back leave the pages they made: those stay, zero or copied. */
static bool makes_pages(const struct operation *op)
{
	return op->run == run_wire || op->run == run_user_wire;
}

/* With allocation @n failing. False: there is no such allocation any more. */
static bool run_failing(const struct operation *op, unsigned long n)
{
	struct picture before, after;
	struct scene scene = { };
	bsdvm_status_t status;
	bool failed;

	op->set(&scene);
	before = take_picture(&scene);
	twin_fail_nth(n);
	status = op->run(&scene);
	failed = twin_fail_allocs_done();
	twin_fail_nth(0);
	twin_assert_idle();
	if (status != BSDVM_SUCCESS) {
		if (status != BSDVM_RESOURCE_SHORTAGE || !failed ||
		    (op->flags & NO_SHORTAGE))
			fail_msg("%s: failure %lu: status %u", op->name, n,
				 (__force unsigned int)status);
		after = take_picture(&scene);
		if (makes_pages(op))
			after.live.live_pages = before.live.live_pages;
		compare(op, &before, &after, n);
		/* And then it works. */
		twin_fail_nth(0);
		status = op->run(&scene);
		if (status != BSDVM_SUCCESS)
			fail_msg("%s: after failure %lu: status %u", op->name,
				 n, (__force unsigned int)status);
	}
	check_all(scene.map);
	if (scene.made)
		check_all(scene.made);
	end_scene(&scene);
	return failed;
}

/* Failures that the operation can do without count as well. */
static void run_operation(const struct operation *op)
{
	unsigned long n = 1;

	while (run_failing(op, n))
		n++;
	if (n - 1 < op->least)
		fail_msg("%s: only %lu failures", op->name, n - 1);
}

/* W-13, W-20, and what else is to be undone after a failure. */
static void test_failnth(void **state)
{
	run_operation(*state);
}

static int setup(void **state)
{
	return fx_setup(NULL);
}

static int teardown(void **state)
{
	return fx_teardown(NULL);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(operations)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		tests[i] = (struct CMUnitTest){
			.name = operations[i].name,
			.test_func = test_failnth,
			.setup_func = setup,
			.teardown_func = teardown,
			.initial_state = (void *)&operations[i],
		};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("failnth", tests, NULL, NULL);
}
