// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The checker: do the invariants of section 1 hold in this family?
 *
 * Run after every operation by the tests, and on request by whoever may write
 * to a map. Faults of other threads may be under way, so what they may be
 * changing just now is not judged unless the family is quiet, that is, has no
 * other map than the one that is locked: busy slots, the count of resident
 * pages, where pages are and in which queue.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "info.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "resolve.h"

/* Invariants are named by their numbers. */
static bool check(struct bsdvm_report *report, unsigned int invariant,
		  bool holds)
{
	if (!holds && !report->violated)
		report->violated = invariant;
	return holds;
}

/*
 * I-4, I-5: a wired page is in no queue; one that may go at any time is clean
 * and in nobody's hands.
 */
static void check_queue(struct bsdvm_report *report, struct folio *page)
{
	unsigned long queue = bsdvm_page_queue(page);

	check(report, 5, !bsdvm_page_wire_count(page) ||
	      queue == BSDVM_QUEUE_NONE);
	check(report, 4, queue != BSDVM_QUEUE_CACHE ||
	      !(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY));
	check(report, 4, queue != BSDVM_QUEUE_CACHE || !folio_mapped(page));
}

/* I-1, I-8: a page that lives, is the family's, and is in no other slot. */
static void check_page(struct bsdvm_report *report, struct folio *page,
		       const struct address_space *anchor, bool quiet)
{
	report->pages++;
	check(report, 1, page->mapping == anchor);
	check(report, 8, folio_ref_count(page) > 0);
	if (!quiet)
		return;
	check(report, 1, !(bsdvm_page_state(page) & BSDVM_PAGE_CHECKED));
	bsdvm_page_set(page, BSDVM_PAGE_CHECKED);
	check_queue(report, page);
}

/* I-2, and of I-15 that no slot stays busy in a quiet family. */
static void check_slots(struct bsdvm_report *report,
			struct bsdvm_object *object, bool quiet)
{
	unsigned long pindex;
	long resident = 0;
	void *slot;

	xa_for_each(&object->slots, pindex, slot) {
		if (fatal_signal_pending(current))
			return;
		if (bsdvm_slot_is_page(slot)) {
			check_page(report, slot, object->family->anchor,
				   quiet);
			resident++;
		} else if (quiet) {
			check(report, 15, !bsdvm_slot_is_busy(slot));
		}
		cond_resched();
	}
	if (quiet)
		check(report, 2,
		      resident == atomic_long_read(&object->resident));
}

/* I-3. */
static void check_links(struct bsdvm_report *report,
			struct bsdvm_object *object)
{
	struct bsdvm_object *shadow;
	struct bsdvm_entry *entry;
	unsigned long shadows = 0, entries = 0;

	list_for_each_entry(shadow, &object->shadows, shadow_link) {
		check(report, 3, shadow->backing_object == object);
		shadow->listed = object->family->checks;
		shadows++;
		cond_resched();
	}
	list_for_each_entry(entry, &object->entries, object_link) {
		check(report, 3, entry->object == object);
		check(report, 3, entry->map->family == object->family);
		entries++;
		cond_resched();
	}
	check(report, 3, shadows == object->shadow_count);
	check(report, 3, object->ref_count >= shadows + entries);
	check(report, 13, !bsdvm_object_is_dead(object));
}

static void check_object(struct bsdvm_report *report,
			 struct bsdvm_object *object, bool quiet)
{
	report->objects++;
	object->checked = object->family->checks;
	check_slots(report, object, quiet);
	check_links(report, object);
}

/*
 * I-11: resident and wired. It may lie behind the entry's object: until the
 * first write if the entry could not be written when it was wired (W-5, N-15).
 */
static void check_wired_page(struct bsdvm_report *report,
			     const struct bsdvm_entry *entry,
			     bsdvm_pindex_t pindex)
{
	struct bsdvm_cursor cursor = {
		.object = entry->object,
		.pindex = bsdvm_entry_index(entry, pindex),
	};
	enum bsdvm_found found;

	rcu_read_lock();
	found = bsdvm_resolve_resident(&cursor);
	if (check(report, 11, found == BSDVM_FOUND_PAGE))
		check(report, 11, bsdvm_page_wire_count(cursor.slot) > 0);
	rcu_read_unlock();
}

static void check_entry(struct bsdvm_report *report,
			const struct bsdvm_entry *entry)
{
	bsdvm_pindex_t pindex;

	check(report, 12, !(entry->flags & BSDVM_ENTRY_USER_WIRED) ||
	      entry->wired_count);
	if (!entry->wired_count || (entry->flags & BSDVM_ENTRY_IN_TRANSITION))
		return;
	if (!check(report, 11, entry->object))
		return;
	for (pindex = entry->start;
	     pindex <= entry->last && !fatal_signal_pending(current);
	     pindex++) {
		check_wired_page(report, entry, pindex);
		cond_resched();
	}
}

/* I-17: by index and by list the same entries. The map is locked. */
static void check_map(struct bsdvm_report *report, struct bsdvm_map *map)
{
	struct list_head *link = &map->entry_list;
	struct bsdvm_entry *entry;
	unsigned long last;
	bsdvm_pindex_t next = 0;

	xa_for_each(&map->entries, last, entry) {
		check(report, 17, entry->last == last && entry->map == map);
		check(report, 17, entry->start == next &&
		      entry->start <= entry->last);
		check(report, 17, link->next == &entry->map_link);
		link = &entry->map_link;
		next = entry->last + 1;
		check_entry(report, entry);
	}
	check(report, 17, next == map->size && list_is_last(link,
							    &map->entry_list));
}

/*
 * Every object of the family is reached from a map's entry or a snapshot's
 * segment, down the chain; each is checked once. I-3 from the front: who has a
 * backing object is on the list of its shadows, which was walked by then.
 */
static void check_chain(struct bsdvm_report *report,
			struct bsdvm_family *family,
			struct bsdvm_object *object, bool quiet)
{
	struct bsdvm_object *at;

	for (at = object; at; at = at->backing_object) {
		if (!check(report, 3, at->family == family))
			return;
		if (at->checked == family->checks)
			break;
		check_object(report, at, quiet);
		if (fatal_signal_pending(current))
			return;
		cond_resched();
	}
	for (; object != at; object = object->backing_object)
		check(report, 3, !object->backing_object ||
		      object->listed == family->checks);
}

static void check_map_objects(struct bsdvm_report *report,
			      struct bsdvm_map *map, bool quiet)
{
	struct bsdvm_entry *entry;
	unsigned long last;

	xa_for_each(&map->entries, last, entry)
		check_chain(report, map->family, entry->object, quiet);
}

static void check_snapshots(struct bsdvm_report *report,
			    struct bsdvm_family *family, bool quiet)
{
	struct bsdvm_snapshot *snapshot;
	unsigned int i, n = 0;
	unsigned long id;

	xa_for_each(&family->snapshots, id, snapshot) {
		n++;
		for (i = 0; i < snapshot->nsegments; i++)
			check_chain(report, family,
				    snapshot->segments[i].object, quiet);
		cond_resched();
	}
	check(report, 3, n == family->nsnapshots);
}

/* A map holds a reference on its family, and is on its list. */
static void check_maps(struct bsdvm_report *report,
		       struct bsdvm_family *family)
{
	struct bsdvm_map *map;
	unsigned int n = 0;

	list_for_each_entry(map, &family->maps, family_link) {
		check(report, 3, map->family == family);
		n++;
	}
	check(report, 3, n && n == family->nmaps &&
	      n <= refcount_read(&family->refs));
}

/* Take the marks of check_page() off again. */
static void unmark_chain(struct bsdvm_object *object)
{
	unsigned long pindex;
	void *slot;

	for (; object && object->checked; object = object->backing_object) {
		object->checked = 0;
		xa_for_each(&object->slots, pindex, slot) {
			if (bsdvm_slot_is_page(slot))
				bsdvm_page_test_clear(slot, BSDVM_PAGE_CHECKED);
			cond_resched();
		}
		cond_resched();
	}
}

static void unmark_pages(struct bsdvm_map *map)
{
	struct bsdvm_snapshot *snapshot;
	struct bsdvm_entry *entry;
	unsigned long id;
	unsigned int i;

	xa_for_each(&map->entries, id, entry)
		unmark_chain(entry->object);
	xa_for_each(&map->family->snapshots, id, snapshot) {
		for (i = 0; i < snapshot->nsegments; i++)
			unmark_chain(snapshot->segments[i].object);
		cond_resched();
	}
}

/*
 * The map is locked exclusively, so nothing of it changes; with other maps in
 * the family, pages may.
 */
static void check_family(struct bsdvm_report *report, struct bsdvm_map *map)
{
	struct bsdvm_family *family = map->family;
	bool quiet = list_is_singular(&family->maps);

	family->checks++;
	check_maps(report, family);
	check_map(report, map);
	check_map_objects(report, map, quiet);
	check_snapshots(report, family, quiet);
	if (quiet)
		unmark_pages(map);
}

/**
 * bsdvm_family_check - do the invariants hold?
 * @map:    a map of the family; its entries are checked, and every object that
 *          it or a snapshot reaches
 * @report: out
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS whatever the report says; INTERRUPTED.
 */
bsdvm_status_t bsdvm_family_check(struct bsdvm_map *map,
				  struct bsdvm_report *report)
{
	bsdvm_status_t status = bsdvm_map_lock(map);

	if (status != BSDVM_SUCCESS)
		return status;
	*report = (struct bsdvm_report){ };
	status = bsdvm_family_lock_killable(map->family);
	if (status == BSDVM_SUCCESS) {
		check_family(report, map);
		bsdvm_family_unlock(map->family);
	}
	bsdvm_map_unlock(map);
	/* Then not all was looked at, and what was found may not be so. */
	return fatal_signal_pending(current) ? BSDVM_INTERRUPTED : status;
}
