// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/check.c: an invariant that is broken on purpose must be reported. */
#include "chain.h"

/* A map with something of everything, in which all is well. */
static struct bsdvm_map *sound(void)
{
	struct bsdvm_map *map = ch_map("ABCDEF");

	ch_snapshot(map);
	ch_write(map, 0, 'x');
	ch_wire(map, 4, 5);
	ch_snapshot(map);
	ch_write(map, 1, 'y');
	fx_assert(!ch_violated(map));
	return map;
}

static struct bsdvm_object *deepest(struct bsdvm_map *map)
{
	struct bsdvm_object *object = fx_object(map, 0);

	while (object->backing_object)
		object = object->backing_object;
	return object;
}

static void expect(struct bsdvm_map *map, unsigned int invariant)
{
	assert_int_equal(ch_violated(map), invariant);
	twin_assert_idle();
}

static void test_counts_what_it_saw(void **state)
{
	struct fx_chain c = fx_chain(3, 2, "a./.b/0.");
	struct bsdvm_report report;

	fx_assert_status(bsdvm_family_check(c.map, &report), BSDVM_SUCCESS);
	assert_int_equal(report.violated, 0);
	assert_int_equal(report.objects, 3);
	assert_int_equal(report.pages, 2);
	fx_put(c.map);
}

static void test_I1_page_without_identity(void **state)
{
	struct bsdvm_map *map = sound();
	struct folio *page = fx_page(deepest(map), 2);
	struct address_space *mapping = page->mapping;

	page->mapping = NULL;
	expect(map, 1);
	page->mapping = mapping;
	expect(map, 0);
	fx_put(map);
}

/* The same page in two objects, and twice in one. */
static void test_I1_page_in_two_slots(void **state)
{
	struct bsdvm_map *map = sound();
	struct bsdvm_object *front = fx_object(map, 0), *back = deepest(map);
	struct folio *page = fx_page(back, 2);

	xa_store(&front->slots, 2, page, GFP_KERNEL);
	atomic_long_inc(&front->resident);
	expect(map, 1);
	xa_erase(&front->slots, 2);
	atomic_long_dec(&front->resident);
	xa_store(&back->slots, 9, page, GFP_KERNEL);
	atomic_long_inc(&back->resident);
	expect(map, 1);
	xa_erase(&back->slots, 9);
	atomic_long_dec(&back->resident);
	expect(map, 0);
	fx_put(map);
}

/* Its marks are gone afterwards, also from what a snapshot alone reaches. */
static void test_I1_marks_go(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct folio *page = fx_page(fx_object(map, 0), 1);

	ch_snapshot(map);
	ch_resize(map, 1);
	expect(map, 0);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_CHECKED);
	fx_put(map);
}

static void test_I2_resident(void **state)
{
	struct bsdvm_map *map = sound();

	atomic_long_inc(&deepest(map)->resident);
	expect(map, 2);
	atomic_long_dec(&deepest(map)->resident);
	atomic_long_dec(&fx_object(map, 0)->resident);
	expect(map, 2);
	atomic_long_inc(&fx_object(map, 0)->resident);
	expect(map, 0);
	fx_put(map);
}

static void test_I3_links(void **state)
{
	struct bsdvm_map *map = sound();
	struct bsdvm_object *back = deepest(map), *front;
	struct bsdvm_entry *entry;
	unsigned int refs = back->ref_count;

	back->shadow_count++;
	expect(map, 3);
	back->shadow_count--;
	back->ref_count = 0;
	expect(map, 3);
	back->ref_count = refs;
	front = list_first_entry(&back->shadows, struct bsdvm_object,
				 shadow_link);
	list_del_init(&front->shadow_link);
	expect(map, 3);
	list_add(&front->shadow_link, &back->shadows);
	entry = fx_entry(map, 0);
	list_del_init(&entry->object_link);
	list_add(&entry->object_link, &back->entries);
	expect(map, 3);
	list_del_init(&entry->object_link);
	list_add(&entry->object_link, &entry->object->entries);
	map->family->nsnapshots++;
	expect(map, 3);
	map->family->nsnapshots--;
	expect(map, 0);
	fx_put(map);
}

/* Seen from the front only: the list and its length agree with each other. */
static void test_I3_front_not_listed(void **state)
{
	struct bsdvm_map *map = sound();
	struct bsdvm_object *front = fx_object(map, 0);
	struct bsdvm_object *back = front->backing_object;

	list_del_init(&front->shadow_link);
	back->shadow_count--;
	expect(map, 3);
	list_add(&front->shadow_link, &back->shadows);
	back->shadow_count++;
	expect(map, 0);
	fx_put(map);
}

static void test_I3_families(void **state)
{
	struct bsdvm_map *map = sound(), *other = fx_map(1);
	struct bsdvm_family *family = map->family;
	struct bsdvm_object *back = deepest(map);

	/* As many checks here as there: nothing else tells. */
	other->family->checks = family->checks + 1;
	back->family = other->family;
	expect(map, 3);
	back->family = family;
	bsdvm_family_get(family);
	list_move(&other->family_link, &family->maps);
	expect(map, 3);
	assert_false(refcount_dec_and_test(&family->refs));
	list_move(&other->family_link, &other->family->maps);
	list_del_init(&map->family_link);
	expect(map, 3);
	list_add(&map->family_link, &family->maps);
	fx_entry(map, 0)->map = other;
	expect(map, 17);
	fx_entry(map, 0)->map = map;
	expect(map, 0);
	fx_put(other);
	fx_put(map);
}

/* An entry of another map's that shows our object. */
static void test_I3_foreign_entry(void **state)
{
	struct bsdvm_map *map = sound(), *other = ch_map("A");
	struct bsdvm_entry *entry = fx_entry(other, 0);
	struct bsdvm_object *mine = fx_object(map, 0), *its = entry->object;

	list_move(&entry->object_link, &mine->entries);
	entry->object = mine;
	mine->ref_count++;
	expect(map, 3);
	mine->ref_count--;
	entry->object = its;
	list_move(&entry->object_link, &its->entries);
	expect(map, 0);
	expect(other, 0);
	fx_put(other);
	fx_put(map);
}

static void test_I4_cache(void **state)
{
	struct bsdvm_map *map = sound();
	struct folio *page = fx_page(deepest(map), 2);

	assert_int_equal(fx_load(map, 0, 2), 'C');
	bsdvm_page_test_clear(page, BSDVM_PAGE_DIRTY);
	bsdvm_page_requeue(page, BSDVM_QUEUE_CACHE);
	expect(map, 4);
	bsdvm_pmap->remove(map, 2, 1);
	expect(map, 0);
	bsdvm_page_set(page, BSDVM_PAGE_DIRTY);
	expect(map, 4);
	bsdvm_page_activate(page);
	expect(map, 0);
	fx_put(map);
}

static void test_I5_wired_in_a_queue(void **state)
{
	struct bsdvm_map *map = sound();
	struct folio *page = fx_page(fx_object(map, 4),
				     bsdvm_entry_index(fx_entry(map, 4), 4));

	assert_int_equal(bsdvm_page_wire_count(page), 1);
	bsdvm_page_set(page, BSDVM_QUEUE_ACTIVE);
	expect(map, 5);
	bsdvm_page_requeue(page, BSDVM_QUEUE_ACTIVE);
	expect(map, 0);
	fx_put(map);
}

static void test_I8_freed_page(void **state)
{
	struct bsdvm_map *map = sound();
	struct folio *page = fx_page(deepest(map), 2);
	int count = atomic_read(&page->refcount);

	atomic_set(&page->refcount, 0);
	expect(map, 8);
	atomic_set(&page->refcount, count);
	expect(map, 0);
	fx_put(map);
}

static void test_I11_wired(void **state)
{
	struct bsdvm_map *map = sound();
	struct bsdvm_entry *entry = fx_entry(map, 4);
	struct bsdvm_object *object = entry->object;
	bsdvm_pindex_t index = bsdvm_entry_index(entry, 5);
	struct folio *page = fx_page(object, index);

	/* Not wired. */
	bsdvm_page_unwire(page);
	expect(map, 11);
	bsdvm_page_wire(page);
	expect(map, 0);
	/* The one that shows then is another's, and not wired, or wired. */
	xa_erase(&object->slots, index);
	atomic_long_dec(&object->resident);
	expect(map, 11);
	bsdvm_page_wire(fx_page(object->backing_object,
				object->backing_offset + index));
	expect(map, 0);
	bsdvm_page_unwire(fx_page(object->backing_object,
				  object->backing_offset + index));
	/* Not there. */
	xa_store(&object->slots, index, BSDVM_SLOT_ZERO, GFP_KERNEL);
	expect(map, 11);
	xa_store(&object->slots, index, page, GFP_KERNEL);
	atomic_long_inc(&object->resident);
	expect(map, 0);
	/* While it is being wired nothing is expected yet. */
	bsdvm_page_unwire(page);
	entry->flags |= BSDVM_ENTRY_IN_TRANSITION;
	expect(map, 0);
	entry->flags &= ~BSDVM_ENTRY_IN_TRANSITION;
	bsdvm_page_wire(page);
	ch_unwire(map, 4, 5);
	fx_put(map);
}

static void test_I11_no_object(void **state)
{
	struct bsdvm_map *map = fx_map(2);

	fx_entry(map, 0)->wired_count = 1;
	expect(map, 11);
	fx_entry(map, 0)->wired_count = 0;
	fx_put(map);
}

static void test_I12_user_wired(void **state)
{
	struct bsdvm_map *map = sound();

	fx_entry(map, 0)->flags |= BSDVM_ENTRY_USER_WIRED;
	expect(map, 12);
	fx_entry(map, 0)->flags &= ~BSDVM_ENTRY_USER_WIRED;
	fx_put(map);
}

static void test_I13_dead(void **state)
{
	struct bsdvm_map *map = sound();

	set_bit(BSDVM_OBJECT_DEAD, &deepest(map)->flags);
	expect(map, 13);
	clear_bit(BSDVM_OBJECT_DEAD, &deepest(map)->flags);
	fx_put(map);
}

/* I-15: no slot stays busy; with another map about it may be just now. */
static void test_I15_busy(void **state)
{
	struct bsdvm_map *map = sound(), *other;
	struct bsdvm_object *object = fx_object(map, 0);

	fx_assert_status(bsdvm_busy_claim(object, 3, NULL), BSDVM_SUCCESS);
	expect(map, 15);
	fx_ref(object);
	other = bsdvm_map_create_object(object, NULL);
	expect(map, 0);
	bsdvm_busy_release(object, 3, NULL);
	fx_put(other);
	fx_put(map);
}

static void test_I17_entries(void **state)
{
	struct bsdvm_map *map = sound(), *other = fx_map(1);
	struct bsdvm_entry *entry = fx_entry(map, 4);

	entry->start--;
	expect(map, 17);
	entry->start += 2;
	expect(map, 17);
	entry->start--;
	map->size++;
	expect(map, 17);
	map->size -= 2;
	expect(map, 17);
	map->size++;
	entry->last++;
	expect(map, 17);
	entry->last--;
	entry->map = other;
	expect(map, 17);
	entry->map = map;
	expect(map, 0);
	fx_put(other);
	fx_put(map);
}

/* The list and the index of entries have the same entries in one order. */
static void test_I17_list(void **state)
{
	struct bsdvm_map *map = sound(), *other = fx_map(1);
	struct bsdvm_entry *entry = fx_entry(map, 4), *first, *second;

	fx_assert_status(bsdvm_map_protect(map, 0, 0, BSDVM_PROT_RW, false),
			 BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 3);
	/* Found now: a lookup trusts the list. */
	first = fx_entry(map, 0);
	second = fx_entry(map, 1);
	/* The first two change places. */
	list_move(&second->map_link, &map->entry_list);
	expect(map, 17);
	list_move(&first->map_link, &map->entry_list);
	expect(map, 0);
	list_move(&entry->map_link, &map->entry_list);
	expect(map, 17);
	list_del(&entry->map_link);
	expect(map, 17);
	list_add(&entry->map_link, &second->map_link);
	expect(map, 0);
	list_move_tail(&fx_entry(other, 0)->map_link, &map->entry_list);
	expect(map, 17);
	list_move(&fx_entry(other, 0)->map_link, &other->entry_list);
	expect(map, 0);
	fx_put(other);
	fx_put(map);
}

/* What only a snapshot reaches is looked at as well. */
static void test_snapshot_only(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_object *object = fx_object(map, 0);

	ch_snapshot(map);
	ch_resize(map, 0);
	expect(map, 0);
	atomic_long_inc(&object->resident);
	expect(map, 2);
	atomic_long_dec(&object->resident);
	fx_put(map);
}

static void killed_check(struct fx_thread *me)
{
	struct bsdvm_report report;

	twin_kill(current);
	me->status = bsdvm_family_check(me->map, &report);
	twin_unkill(current);
}

static void test_F30_killable(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_thread thread = { .map = map };

	bsdvm_map_lock_always(map);
	fx_spawn(&thread, killed_check);
	fx_join(&thread);
	bsdvm_map_unlock(map);
	fx_assert_status(thread.status, BSDVM_INTERRUPTED);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_counts_what_it_saw),
		FX_TEST(test_I1_page_without_identity),
		FX_TEST(test_I1_page_in_two_slots),
		FX_TEST(test_I1_marks_go),
		FX_TEST(test_I2_resident),
		FX_TEST(test_I3_links),
		FX_TEST(test_I3_front_not_listed),
		FX_TEST(test_I3_families),
		FX_TEST(test_I3_foreign_entry),
		FX_TEST(test_I4_cache),
		FX_TEST(test_I5_wired_in_a_queue),
		FX_TEST(test_I8_freed_page),
		FX_TEST(test_I11_wired),
		FX_TEST(test_I11_no_object),
		FX_TEST(test_I12_user_wired),
		FX_TEST(test_I13_dead),
		FX_TEST(test_I15_busy),
		FX_TEST(test_I17_entries),
		FX_TEST(test_I17_list),
		FX_TEST(test_snapshot_only),
		FX_TEST(test_F30_killable),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
