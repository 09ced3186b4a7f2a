// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The pager interface: what holds for every pager, whatever its store. */

#include "internal.h"
#include "vmcore.h"
#include "page.h"
#include "pager.h"

/**
 * bsdvm_pager_get_page - have the pager fill a page
 * @req: filled in by the caller; @req->page is locked and seen by nobody
 *
 * Called with no lock held; the object's paging in progress keeps it. F-61: a
 * page provided in part is cleared behind what was provided. May sleep.
 *
 * Return: the pager's answer; only after OK do the page's bytes mean anything.
 */
enum bsdvm_pager_result bsdvm_pager_get_page(struct bsdvm_pager_request *req)
{
	enum bsdvm_pager_result result;

	might_sleep();
	req->valid = PAGE_SIZE;
	req->waited = false;
	result = bsdvm_pager_of(req->object)->get_page(req);
	if (result == BSDVM_PAGER_OK && req->valid < PAGE_SIZE)
		bsdvm_page_clear(req->page, req->valid, PAGE_SIZE);
	return result;
}

/**
 * bsdvm_pager_readahead - a page with a read-ahead mark was met
 * @object: has a pager; kept by its paging in progress
 * @pindex: which page of it
 *
 * F-41, F-67: the outcome is ignored. Called with no lock held. May sleep.
 */
void bsdvm_pager_readahead(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	const struct bsdvm_pager_ops *pager = bsdvm_pager_of(object);

	might_sleep();
	if (pager->readahead)
		pager->readahead(object, pindex);
}

/**
 * bsdvm_pager_dealloc - an object goes: the pager frees what it stored
 * @object: dead, without pages; with a pager or without
 *
 * O-11. Called with no lock of the core held. May sleep.
 */
void bsdvm_pager_dealloc(struct bsdvm_object *object)
{
	if (object->pager && object->pager->dealloc)
		object->pager->dealloc(object);
}
