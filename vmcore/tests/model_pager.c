// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The operations of the model that are about pagers, and about the knobs. */
#include "model.h"

/* Where a page of a map is: false for a hole, or a page in store. */
static bool find_page(struct model_map *m, bsdvm_pindex_t at,
		      struct bsdvm_cursor *cursor)
{
	struct bsdvm_entry *entry = fx_entry(m->map, at);
	enum bsdvm_found found;

	if (!entry || !entry->object)
		return false;
	*cursor = (struct bsdvm_cursor){
		.object = entry->object,
		.pindex = bsdvm_entry_index(entry, at),
	};
	rcu_read_lock();
	found = bsdvm_resolve(cursor);
	rcu_read_unlock();
	return found == BSDVM_FOUND_PAGE;
}

/*
 * What is to be stored of a page: a byte, so many times, then zeroes. False for
 * other contents, which the scripted pager cannot store.
 */
static bool page_is_simple(struct folio *page, unsigned char *value,
			   unsigned int *valid)
{
	const unsigned char *data = kmap_local_folio(page, 0);
	unsigned int n = 0;
	bool simple = true;

	*value = data[0];
	while (n < PAGE_SIZE && data[n] == *value)
		n++;
	*valid = n;
	for (; n < PAGE_SIZE; n++)
		simple &= !data[n];
	kunmap_local(data);
	return simple;
}

/* As a page-out does: unmapped everywhere, then out of its slot. */
static void take_out(struct bsdvm_cursor *cursor)
{
	struct bsdvm_object *object = cursor->object;

	bsdvm_family_lock(object->family);
	bsdvm_object_unmap(object, cursor->pindex, 1);
	bsdvm_family_unlock(object->family);
	xa_erase(&object->slots, cursor->pindex);
	atomic_long_dec(&object->resident);
	bsdvm_page_free(cursor->slot);
}

/* What a read comes to after each answer of the pager but OK. */
static const struct {
	enum bsdvm_pager_result answer;
	bsdvm_status_t status;
} failures[] = {
	{ BSDVM_PAGER_ERROR, BSDVM_FAILURE },
	{ BSDVM_PAGER_BAD, BSDVM_PROTECTION_FAILURE },
	{ BSDVM_PAGER_AGAIN, BSDVM_SUCCESS },
	{ BSDVM_PAGER_PEND, BSDVM_SUCCESS },
};

/* Have the pager fail once, and read: nothing changes, the next read succeeds. */
static void read_with_failure(struct model_map *m, bsdvm_pindex_t at,
			      struct fx_stored *stored)
{
	unsigned int i = model_roll(ARRAY_SIZE(failures));
	struct folio *page;

	stored->script[0] = failures[i].answer;
	stored->nscript = 1;
	stored->gets = 0;
	if (model_came_to(bsdvm_fault_page(m->map, at, BSDVM_PROT_READ, 0,
					   &page), failures[i].status))
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	stored = fx_stored(stored->object, stored->pindex);
	stored->nscript = 0;
}

void model_op_page_out(void)
{
	struct model_map *m = model_any_map();
	bool fails = !model_roll(3), replace = model_roll(2);
	struct bsdvm_cursor cursor;
	struct fx_stored *stored;
	unsigned char value;
	unsigned int valid;
	bsdvm_pindex_t at;

	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	if (!find_page(m, at, &cursor) ||
	    bsdvm_page_wire_count(cursor.slot) ||
	    folio_ref_count(cursor.slot) != 1 + folio_mapcount(cursor.slot) ||
	    !page_is_simple(cursor.slot, &value, &valid))
		return;
	model_trace("page out %td:%lu at depth %u%s", m - model_maps, at,
		    cursor.depth, fails ? ", the pager fails" : "");
	take_out(&cursor);
	stored = fx_stored(cursor.object, cursor.pindex) ?:
		 fx_store(cursor.object, cursor.pindex, value);
	stored->value = value;
	stored->valid = valid;
	stored->replace = replace;
	if (fails)
		read_with_failure(m, at, stored);
}

/* The next fault on the page visits the pager for what follows. */
void model_op_readahead(void)
{
	struct model_map *m = model_any_map();
	struct bsdvm_cursor cursor;
	bsdvm_pindex_t at;

	if (!m || !m->size)
		return;
	at = model_roll(m->size);
	if (!find_page(m, at, &cursor) || !cursor.object->pager)
		return;
	model_trace("read-ahead mark %td:%lu", m - model_maps, at);
	bsdvm_page_set(cursor.slot, BSDVM_PAGE_RAM);
}

void model_op_knobs(void)
{
	bsdvm_tunables.fast_fault = model_roll(2);
	bsdvm_tunables.prefault_pages = 1u << model_roll(7);
	bsdvm_tunables.debug_cluster = model_roll(2);
	model_trace("fast_fault %u, prefault_pages %u",
		    bsdvm_tunables.fast_fault, bsdvm_tunables.prefault_pages);
}
