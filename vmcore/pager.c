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
 * page provided in part is cleared behind what was provided.
 */
enum bsdvm_pager_result bsdvm_pager_get_page(struct bsdvm_pager_request *req)
{
	enum bsdvm_pager_result result;

	might_sleep();
	req->valid = PAGE_SIZE;
	req->waited = false;
	result = req->object->pager->get_page(req);
	if (result == BSDVM_PAGER_OK && req->valid < PAGE_SIZE)
		bsdvm_page_clear(req->page, req->valid, PAGE_SIZE);
	return result;
}

/* A page with a read-ahead mark was met (F-41). The outcome is ignored. */
void bsdvm_pager_readahead(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	might_sleep();
	if (object->pager->readahead)
		object->pager->readahead(object, pindex);
}

/* The object is going: the pager frees what it stored. */
void bsdvm_pager_dealloc(struct bsdvm_object *object)
{
	if (object->pager && object->pager->dealloc)
		object->pager->dealloc(object);
}
