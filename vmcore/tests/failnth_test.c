// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Each operation with the first allocation failing, then the second, and so on
 * until it succeeds; and with the first and all that follow failing, then with
 * the second and all that follow. A failure is RESOURCE_SHORTAGE, changes no
 * byte of any map or snapshot, and leaves nothing behind. Tried again, the
 * operation succeeds.
 *
 * Each try has a scene of its own, and so has what it is compared with: looking
 * at a map may make an object, which would then not be made by the operation.
 */
#include "chain.h"

struct scene {
	struct bsdvm_map *map;
	struct bsdvm_map *other;	/* opened from the snapshot, or NULL */
	struct bsdvm_map *made;		/* by the operation */
	struct folio *pin;
	u32 id;
};

/* What numbers are others than before, or than if nothing had been tried. */
#define MORE_ENTRIES	0x01u
#define FEWER_ENTRIES	0x02u
#define MORE_OBJECTS	0x04u
#define FEWER_OBJECTS	0x08u
#define MORE_PAGES	0x10u
#define FEWER_PAGES	0x20u

/*
 * M-18, M-19: the map's own object is made, or pushed, before the page that is
 * to go there is allocated. It has no page and shows the same; the next write
 * needs it anyway.
 */
#define PUSHED		MORE_OBJECTS
/*
 * Pages stay that were made to be wired (W-7), or paged in to be copied: they
 * are what any fault leaves.
 */
#define FAULTED		MORE_PAGES
/*
 * W-11: an object is pushed for each entry to be wired. The entries no longer
 * show the same object, so they cannot be merged again.
 */
#define PUSHED_APART	(MORE_OBJECTS | MORE_ENTRIES)
/*
 * Entries before the one that failed are frozen already, some with an object in
 * front for the pages that are wired or pinned, and with copies of these. What
 * is frozen stays so: the next write copies, as uapi/linux/bsdvm.h says. While
 * other entries show the same object it keeps its pages. Entries that no longer
 * do cannot be merged again; and copies that settle() itself makes go again,
 * which otherwise the shared object would keep.
 */
#define COPIED		(MORE_OBJECTS | MORE_PAGES)

/* The operation cannot fail. */
#define NO_SHORTAGE	0x100u

/*
 * @flags: NO_SHORTAGE; or exactly what changes there are after failures
 * @least: failures there must have been
 * @later: exactly what changes settle() cannot undo
 */
struct operation {
	const char *name;
	void (*set)(struct scene *scene);
	bsdvm_status_t (*run)(struct scene *scene);
	unsigned int flags;
	unsigned long least;
	unsigned int later;
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

static void user_wire(struct bsdvm_map *map, bsdvm_pindex_t first,
		      bsdvm_pindex_t last)
{
	bsdvm_pindex_t n;

	fx_assert_status(bsdvm_map_user_wire(map, first, last, &n),
			 BSDVM_SUCCESS);
	check_all(map);
}

static void set_user_wired(struct scene *s)
{
	set_opened(s);
	user_wire(s->map, 64, 68);
}

static void set_many_entries(struct scene *s)
{
	set_pinned(s);
	ch_wire(s->map, 10, 12);
	user_wire(s->map, 130, 131);
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

/* Behind an object without pages, one with pages 3 and 66 in store. */
static void set_stored(struct scene *s)
{
	struct fx_chain c = fx_chain(2, 70, NULL);

	s->map = c.map;
	fx_store(c.object[1], 3, 's');
	fx_store(c.object[1], 66, 't');
}

/* The pager is short of something twice before it answers. */
static void set_stored_again(struct scene *s)
{
	static const enum bsdvm_pager_result script[] = {
		BSDVM_PAGER_AGAIN, BSDVM_PAGER_PEND,
	};
	struct fx_stored *stored;

	set_stored(s);
	stored = fx_stored(fx_object(s->map, 0)->backing_object, 66);
	memcpy(stored->script, script, sizeof(script));
	stored->nscript = ARRAY_SIZE(script);
}

/* The pager may have the page, as far as it knows without asking. */
static void set_stored_absent(struct scene *s)
{
	set_stored(s);
	fx_stored(fx_object(s->map, 0)->backing_object, 66)->result =
		BSDVM_PAGER_FAIL;
}

/* Pages of the top object, in store and in memory; one is pinned. */
static void set_stored_top(struct scene *s)
{
	struct fx_chain c = fx_chain(2, 140, NULL);

	s->map = c.map;
	fx_store(c.object[0], 66, 't');
	fx_store(c.object[0], 130, 'u');
	fx_store(c.object[1], 3, 's');
	fx_assert(ch_peek(s->map, 66) == 't');
	s->pin = ch_pin(s->map, 66);
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
	       bsdvm_map_clear_bytes(s->map, 66, 5, 9) : status;
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

static bsdvm_status_t run_user_unwire(struct scene *s)
{
	bsdvm_pindex_t n;

	return bsdvm_map_user_unwire(s->map, 65, 67, &n);
}

static bsdvm_status_t run_protect(struct scene *s)
{
	return bsdvm_map_protect(s->map, 3, 66, BSDVM_PROT_READ, false);
}

static bsdvm_status_t run_protect_max(struct scene *s)
{
	return bsdvm_map_protect(s->map, 3, 66, BSDVM_PROT_READ, true);
}

static bsdvm_status_t object_fault(struct bsdvm_object *object,
				   bsdvm_pindex_t pindex,
				   unsigned int fault_type, unsigned int flags)
{
	bsdvm_status_t status;
	struct folio *page;

	status = bsdvm_fault_object_page(object, (u64)pindex << PAGE_SHIFT,
					 fault_type, flags, &page);
	if (status == BSDVM_SUCCESS && page)
		bsdvm_fault_page_done(page, fault_type);
	return status;
}

static bsdvm_status_t run_object_read(struct scene *s)
{
	return object_fault(fx_object(s->map, 0), 69, BSDVM_PROT_READ, 0);
}

static bsdvm_status_t run_object_page_in(struct scene *s)
{
	return object_fault(fx_object(s->map, 0), 130, BSDVM_PROT_WRITE,
			    BSDVM_FAULT_UNSWAP);
}

/* Neither to read nor to write: it becomes resident where it is. */
static bsdvm_status_t run_object_none(struct scene *s)
{
	return object_fault(fx_object(s->map, 0), 66, 0, BSDVM_FAULT_DIRTY);
}

static bsdvm_status_t run_object_write(struct scene *s)
{
	return object_fault(fx_object(s->map, 0), 66, BSDVM_PROT_WRITE,
			    BSDVM_FAULT_UNSWAP);
}

static bsdvm_status_t run_cut(struct scene *s)
{
	/* Cannot fail. */
	bsdvm_map_cut(s->map, 65);
	assert_int_equal(s->map->size, 65);
	return BSDVM_SUCCESS;
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

static bsdvm_status_t run_map_info(struct scene *s)
{
	struct bsdvm_map_summary sum;

	return bsdvm_map_summary(s->map, &sum);
}

static bsdvm_status_t run_entry_info(struct scene *s)
{
	struct bsdvm_entry copy;
	u64 object_id;

	return bsdvm_entry_query(s->map, 11, &copy, &object_id);
}

static bsdvm_status_t run_snapshot_info(struct scene *s)
{
	struct bsdvm_snapshot_summary sum;

	return bsdvm_snapshot_query(s->map, 0, &sum);
}

static bsdvm_status_t run_object_info(struct scene *s)
{
	struct bsdvm_object_summary sum;

	return bsdvm_object_query(s->map, 66, 1, &sum);
}

static const struct operation operations[] = {
	{ "create", set_empty, run_create, 0, 3 },
	{ "create for an object", set_plain, run_create_object, 0, 2 },
	{ "read a hole of nothing", set_empty, run_read_hole, PUSHED, 3 },
	{ "write a hole of nothing", set_empty, run_write_hole, PUSHED, 3 },
	{ "read a hole", set_opened, run_read_hole, 0, 1 },
	{ "write a hole", set_opened, run_write_hole, 0, 1 },
	{ "read a hole, frozen", set_frozen, run_read_hole, PUSHED, 2 },
	{ "read a page", set_opened, run_read_page, NO_SHORTAGE, 0 },
	{ "write a page: copy", set_opened, run_write_page, 0, 2 },
	{ "write a page: push and copy", set_frozen, run_write_page,
	  PUSHED, 3 },
	{ "write a page: rename", set_private_chain, run_rename, 0, 1 },
	{ "write through a mapping", set_opened, run_touch, 0, 2 },
	{ "write ahead", set_plain, run_touch_ahead, 0, 1 },
	{ "clear a part", set_frozen, run_clear, PUSHED, 3 },
	{ "page in", set_stored, run_read_page, 0, 2 },
	{ "page in and copy", set_stored, run_write_page, FAULTED, 4 },
	{ "page in, again and again", set_stored_again, run_read_page, 0, 4 },
	{ "page in, absent", set_stored_absent, run_read_page, 0, 4 },
	{ "page in to wire", set_stored, run_wire, FAULTED, 8 },
	{ "fault on an object", set_opened, run_object_read, 0, 1 },
	{ "write to an object: copy", set_opened, run_object_write, 0, 2 },
	{ "page in an object", set_stored_top, run_object_page_in, 0, 2 },
	{ "page in behind an object", set_stored, run_object_none, 0, 2 },
	{ "snapshot", set_plain, run_snapshot, 0, 1 },
	{ "snapshot again", set_frozen, run_snapshot, 0, 1 },
	{ "snapshot, pinned", set_pinned, run_snapshot, 0, 3 },
	{ "snapshot, wired", set_wired, run_snapshot, 0, 8, COPIED },
	{ "snapshot, many entries", set_many_entries, run_snapshot,
	  COPIED, 8, COPIED | MORE_ENTRIES | FEWER_PAGES },
	/* M-45: the object behind had to go anyway. */
	{ "snapshot, pinned page in store", set_stored_top, run_snapshot,
	  FEWER_OBJECTS, 3 },
	{ "open", set_opened, run_open, 0, 3 },
	{ "drop", set_opened, run_drop, NO_SHORTAGE, 0 },
	{ "shadow", set_pinned, run_shadow, COPIED, 4 },
	{ "shadow, many entries", set_many_entries, run_shadow,
	  COPIED, 4, MORE_ENTRIES },
	{ "wire", set_opened, run_wire, FAULTED, 8 },
	{ "wire, frozen", set_frozen, run_wire,
	  PUSHED_APART | FAULTED, 8, PUSHED_APART },
	{ "wire for the user", set_many_entries, run_user_wire, FAULTED, 8 },
	{ "unwire a part", set_wired, run_unwire, 0, 2 },
	{ "unwire a part for the user", set_user_wired, run_user_unwire, 0, 2 },
	{ "protect", set_opened, run_protect, 0, 2 },
	{ "protect for good", set_opened, run_protect_max, 0, 2 },
	{ "punch", set_opened, run_punch, 0, 1 },
	{ "punch, frozen", set_frozen, run_punch, PUSHED, 2 },
	{ "punch, in store", set_stored_top, run_punch, 0, 1 },
	{ "shrink", set_opened, run_shrink, 0, 1 },
	{ "shrink, frozen", set_frozen, run_shrink, 0, 1 },
	{ "shrink, in store", set_stored_top, run_shrink, 0, 1 },
	{ "cut", set_opened, run_cut, 0, 1 },
	{ "cut, frozen", set_frozen, run_cut, 0, 1 },
	{ "grow", set_opened, run_grow, 0, 1 },
	{ "grow after a shrink", set_shrunk, run_grow, 0, 1 },
	{ "collapse", set_private_chain, run_collapse, 0, 1 },
	{ "seek", set_opened, run_seek, NO_SHORTAGE, 0 },
	{ "check", set_many_entries, run_check, NO_SHORTAGE, 0 },
	{ "map info", set_many_entries, run_map_info, NO_SHORTAGE, 0 },
	{ "entry info", set_many_entries, run_entry_info, NO_SHORTAGE, 0 },
	{ "snapshot info", set_many_entries, run_snapshot_info,
	  NO_SHORTAGE, 0 },
	{ "object info", set_many_entries, run_object_info, NO_SHORTAGE, 0 },
};

/* ---- before and after ----------------------------------- */

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

static u64 hash_all(const struct scene *s)
{
	u64 hash = ch_hash(s->map) + hash_snapshots(s->map);

	check_all(s->map);
	if (!s->other)
		return hash;
	check_all(s->other);
	return hash * 31 + ch_hash(s->other);
}

static struct bsdvm_stats stats(void)
{
	struct bsdvm_stats sum;

	bsdvm_stats_sum(&sum);
	return sum;
}

static unsigned int change(u64 before, u64 after, unsigned int more,
			   unsigned int fewer)
{
	return after > before ? more : after < before ? fewer : 0;
}

static unsigned int changes(const struct bsdvm_stats *b,
			    const struct bsdvm_stats *a)
{
	return change(b->live_entries, a->live_entries, MORE_ENTRIES,
		      FEWER_ENTRIES) |
	       change(b->live_objects, a->live_objects, MORE_OBJECTS,
		      FEWER_OBJECTS) |
	       change(b->live_pages, a->live_pages, MORE_PAGES, FEWER_PAGES);
}

/* What has changed that must not, with @may change besides. */
static void compare(const struct operation *op, unsigned long n,
		    const struct bsdvm_stats *b, const struct bsdvm_stats *a,
		    unsigned int may)
{
	if (a->live_families == b->live_families &&
	    a->live_maps == b->live_maps &&
	    a->live_snapshots == b->live_snapshots &&
	    a->live_wired == b->live_wired && !(changes(b, a) & ~may))
		return;
	fail_msg("%s: failure %lu left something: %lld families, %lld maps, %lld snapshots, %lld wired, %lld entries, %lld objects, %lld pages",
		 op->name, n, a->live_families - b->live_families,
		 a->live_maps - b->live_maps,
		 a->live_snapshots - b->live_snapshots,
		 a->live_wired - b->live_wired,
		 a->live_entries - b->live_entries,
		 a->live_objects - b->live_objects,
		 a->live_pages - b->live_pages);
}

/* The map's own page, unless it must not be written. */
static void settle_page(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct folio *page;

	if (bsdvm_fault_page(map, pindex, BSDVM_PROT_WRITE, 0, &page) ==
	    BSDVM_SUCCESS)
		bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
}

/*
 * What is resident, in how many objects and entries, depends on what was tried
 * before. It no longer does when every page is the map's own, entries alike
 * are merged, as when a wiring ends, and chains are as short as may be, which
 * a snapshot sees to. Changes no byte.
 */
static void settle(struct bsdvm_map *map)
{
	bsdvm_pindex_t pindex, n;

	for (pindex = 0; pindex < map->size; pindex++)
		settle_page(map, pindex);
	user_wire(map, 0, map->size - 1);
	fx_assert_status(bsdvm_map_user_unwire(map, 0, map->size - 1, &n),
			 BSDVM_SUCCESS);
	ch_drop(map, ch_snapshot(map));
}

static struct bsdvm_stats settle_all(const struct scene *s)
{
	settle(s->map);
	if (s->other)
		settle(s->other);
	return stats();
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

/* What a scene is if the operation was never tried. */
struct untried {
	u64 hash;
	struct bsdvm_stats settled;
};

static struct untried leave_untried(const struct operation *op)
{
	struct scene scene = { };
	struct untried untried;

	op->set(&scene);
	untried.hash = hash_all(&scene);
	untried.settled = settle_all(&scene);
	end_scene(&scene);
	return untried;
}

/* One operation, and what has come of it. */
struct trial {
	const struct operation *op;
	struct untried untried;
	unsigned long n;	/* of the allocation that is to fail */
	bool all;		/* and of all that follow */
	unsigned int stayed;	/* changes after failures, so far */
	unsigned int settled;	/* changes after settle() */
};

/* The scene as it is after the failure, and as settle() leaves it. */
static void check_failure(struct trial *t, const struct scene *scene,
			  const struct bsdvm_stats *before)
{
	struct bsdvm_stats after = stats();

	compare(t->op, t->n, before, &after, t->op->flags);
	t->stayed |= changes(before, &after);
	if (hash_all(scene) != t->untried.hash)
		fail_msg("%s: bytes changed by failure %lu", t->op->name, t->n);
	after = settle_all(scene);
	compare(t->op, t->n, &t->untried.settled, &after, t->op->later);
	t->settled |= changes(&t->untried.settled, &after);
	if (hash_all(scene) != t->untried.hash)
		fail_msg("%s: bytes changed after failure %lu", t->op->name,
			 t->n);
}

static void check_status(const struct trial *t, bsdvm_status_t status,
			 bool failed)
{
	if (status != BSDVM_RESOURCE_SHORTAGE || !failed ||
	    (t->op->flags & NO_SHORTAGE))
		fail_msg("%s: failure %lu: status %u", t->op->name, t->n,
			 (__force unsigned int)status);
}

/* As if nothing had been, now it works. */
static void try_again(const struct trial *t, struct scene *scene)
{
	bsdvm_status_t status = t->op->run(scene);

	if (status != BSDVM_SUCCESS)
		fail_msg("%s: after failure %lu: status %u", t->op->name, t->n,
			 (__force unsigned int)status);
}

/*
 * With allocation @t->n failing; after a failure either looked at, or tried
 * again. False: there is no such allocation any more.
 */
static bool run_failing(struct trial *t, bool again)
{
	struct scene scene = { };
	struct bsdvm_stats before;
	bsdvm_status_t status;
	bool failed;

	t->op->set(&scene);
	before = stats();
	if (t->all)
		twin_fail_from(t->n);
	else
		twin_fail_nth(t->n);
	status = t->op->run(&scene);
	failed = twin_fail_allocs_done();
	twin_fail_nth(0);
	twin_assert_idle();
	if (status != BSDVM_SUCCESS) {
		check_status(t, status, failed);
		if (again)
			try_again(t, &scene);
		else
			check_failure(t, &scene, &before);
	}
	check_all(scene.map);
	if (scene.made)
		check_all(scene.made);
	end_scene(&scene);
	return failed;
}

/*
 * Failures that the operation can do without count as well: an array asks twice
 * before it gives up. That only when all that follow fail, too.
 */
static unsigned long fail_each(struct trial *t, bool all)
{
	t->all = all;
	t->n = 1;
	while (run_failing(t, false) && run_failing(t, true))
		t->n++;
	return t->n - 1;
}

static unsigned long run_operation(const struct operation *op)
{
	struct trial t = { .op = op, .untried = leave_untried(op) };
	unsigned long n = fail_each(&t, false);

	fail_each(&t, true);
	if (n < op->least)
		fail_msg("%s: only %lu failures", op->name, n);
	if (t.stayed != (op->flags & ~NO_SHORTAGE) || t.settled != op->later)
		fail_msg("%s: changes %#x stay, and later %#x", op->name,
			 t.stayed, t.settled);
	return n;
}

static unsigned long failures;

/* W-13, W-20, and what else is to be undone after a failure. */
static void test_failnth(void **state)
{
	failures += run_operation(*state);
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
	int failed;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		tests[i] = (struct CMUnitTest){
			.name = operations[i].name,
			.test_func = test_failnth,
			.setup_func = setup,
			.teardown_func = teardown,
			.initial_state = (void *)&operations[i],
		};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("failnth", tests, NULL, NULL);
	printf("# failnth: %zu operations, %lu allocations failed\n",
	       ARRAY_SIZE(operations), failures);
	return failed;
}
