// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Wiring for the user, within RLIMIT_MEMLOCK.
 *
 * The pages belong to the map, so the map remembers who pays: the user of the
 * first wiring, until none is left. The limit is tried beforehand, for what is
 * in the map and not wired yet; what was not added after all is given back.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "../vmcore/internal.h"
#include "module.h"
#include "../vmcore/info.h"

/**
 * bsdvm_wirelimit_init - nobody pays for anything yet
 * @limit: of a new inode
 */
void bsdvm_wirelimit_init(struct bsdvm_wirelimit *limit)
{
	mutex_init(&limit->lock);
	limit->cred = NULL;
	limit->pages = 0;
}

static void wirelimit_uncharge(struct bsdvm_wirelimit *limit,
			       unsigned long pages)
{
	if (!limit->cred)
		return;
	atomic_long_sub(pages, &limit->cred->user->locked_vm);
	limit->pages -= pages;
	if (!limit->pages) {
		put_cred(limit->cred);
		limit->cred = NULL;
	}
}

/**
 * bsdvm_wirelimit_fini - give back what is still charged
 * @limit: of an inode that goes, after its map
 */
void bsdvm_wirelimit_fini(struct bsdvm_wirelimit *limit)
{
	wirelimit_uncharge(limit, limit->pages);
	mutex_destroy(&limit->lock);
}

static bool wirelimit_is_exceeded(unsigned long locked)
{
	return locked > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT &&
	       !capable(CAP_IPC_LOCK);
}

/* Entry: limit->lock held. */
static int wirelimit_charge(struct bsdvm_wirelimit *limit,
			    unsigned long pages)
{
	struct user_struct *user = current_user();

	if (limit->cred && limit->cred->user != user)
		return -EBUSY;
	if (wirelimit_is_exceeded(atomic_long_add_return(pages,
							 &user->locked_vm))) {
		atomic_long_sub(pages, &user->locked_vm);
		return -ENOMEM;
	}
	if (!limit->cred)
		limit->cred = get_current_cred();
	limit->pages += pages;
	return 0;
}

/**
 * bsdvm_wirelimit_wire - wire a range for the calling user
 * @bi:     the map's inode
 * @first:  first page
 * @npages: at least 1
 *
 * Takes the limit's lock, then the map's. May sleep, until a fatal signal.
 *
 * Return: 0; -ERANGE if the range does not lie in the map, whatever its length;
 * -EBUSY if another user pays for this map; -ENOMEM over the limit; what
 * bsdvm_map_user_wire() came to.
 */
int bsdvm_wirelimit_wire(struct bsdvm_inode *bi, bsdvm_pindex_t first,
			 bsdvm_pindex_t npages)
{
	struct bsdvm_wirelimit *limit = &bi->wirelimit;
	bsdvm_pindex_t last = first + npages - 1, more, added = 0;
	int error;

	if (mutex_lock_killable(&limit->lock))
		return -EINTR;
	error = bsdvm_status_errno(
		bsdvm_map_user_wire_need(bi->map, first, last, &more));
	if (!error)
		error = wirelimit_charge(limit, more);
	if (!error) {
		error = bsdvm_status_errno(
			bsdvm_map_user_wire(bi->map, first, last, &added));
		wirelimit_uncharge(limit, more - added);
	}
	mutex_unlock(&limit->lock);
	return error;
}

/**
 * bsdvm_wirelimit_unwire - undo bsdvm_wirelimit_wire()
 * @bi:     the map's inode
 * @first:  first page
 * @npages: at least 1
 *
 * Takes the limit's lock, then the map's. May sleep, until a fatal signal.
 *
 * Return: 0 or what bsdvm_map_user_unwire() came to.
 */
int bsdvm_wirelimit_unwire(struct bsdvm_inode *bi, bsdvm_pindex_t first,
			   bsdvm_pindex_t npages)
{
	struct bsdvm_wirelimit *limit = &bi->wirelimit;
	bsdvm_pindex_t removed = 0;
	int error;

	if (mutex_lock_killable(&limit->lock))
		return -EINTR;
	error = bsdvm_status_errno(
		bsdvm_map_user_unwire(bi->map, first, first + npages - 1,
				      &removed));
	wirelimit_uncharge(limit, removed);
	mutex_unlock(&limit->lock);
	return error;
}

/**
 * bsdvm_wirelimit_settle - give back what went with the end of a map
 * @bi: the inode of a map that was just shortened
 *
 * Takes the limit's lock and the map's, signals or not.
 */
void bsdvm_wirelimit_settle(struct bsdvm_inode *bi)
{
	struct bsdvm_wirelimit *limit = &bi->wirelimit;
	bsdvm_pindex_t wired;

	mutex_lock(&limit->lock);
	if (limit->cred) {
		wired = bsdvm_map_user_wired(bi->map, 0, BSDVM_PAGES_MAX);
		if (wired < limit->pages)
			wirelimit_uncharge(limit, limit->pages - wired);
	}
	mutex_unlock(&limit->lock);
}
