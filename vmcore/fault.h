/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The state of one fault, shared by the steps that resolve it. */
#ifndef BSDVM_VMCORE_FAULT_H
#define BSDVM_VMCORE_FAULT_H

#include "busy.h"
#include "map.h"
#include "object.h"
#include "resolve.h"

/**
 * enum fault_pause - what to do between two attempts, with nothing held
 *
 * @FAULT_PAUSE_NONE:      nothing
 * @FAULT_PAUSE_WAIT:      sleep: fs->wait is prepared
 * @FAULT_PAUSE_MEMORY:    wait for the page budget (F-49)
 * @FAULT_PAUSE_DELAY:     sleep for fs->delay jiffies (F-48)
 * @FAULT_PAUSE_SHORT:     sleep a short while (F-66)
 * @FAULT_PAUSE_READAHEAD: visit the pager at fs->cursor (F-41)
 */
enum fault_pause {
	FAULT_PAUSE_NONE,
	FAULT_PAUSE_WAIT,
	FAULT_PAUSE_MEMORY,
	FAULT_PAUSE_DELAY,
	FAULT_PAUSE_SHORT,
	FAULT_PAUSE_READAHEAD,
};

/**
 * struct fault_state - one fault, over all its attempts
 *
 * Survives attempts:
 * @request:   what was asked; @request->fault_type is what each attempt begins
 *             with again (F-17)
 * @didlimit:  the rate limit was applied (F-48)
 * @shortages: failed allocations under the page budget so far
 * @want_top:  the next lookup must yield an object of the map's own
 * @disturbed: attempts that began anew because something had changed
 *
 * One attempt:
 * @lookup:    the map's answer; @lookup.object is the first object
 * @map_locked: map->lock is held shared
 * @cursor:    the object in hand
 * @page:      the page in hand: referenced
 * @page_locked: and its folio lock is held
 * @owned:     and it lies in the first object, made or found there
 * @zero_filled: and this attempt made it, of zeroes
 * @copied:    and this attempt made it, as a copy
 * @pip:       an object whose paging in progress is ours, or NULL
 *
 * @pause:     what to do before the next attempt
 * @delay:     for FAULT_PAUSE_DELAY, in jiffies
 * @wait:      for FAULT_PAUSE_WAIT
 */
struct fault_state {
	struct bsdvm_fault *request;
	bool didlimit;
	unsigned int shortages;
	bool want_top;
	unsigned int disturbed;

	struct bsdvm_lookup lookup;
	bool map_locked;
	struct bsdvm_cursor cursor;
	struct folio *page;
	bool page_locked;
	bool owned;
	bool zero_filled;
	bool copied;
	struct bsdvm_object *pip;

	enum fault_pause pause;
	long delay;
	struct bsdvm_wait wait;
};

/**
 * fault_is_write - is the page to be written?
 * @fs: looked up, or an object fault
 *
 * F-17: by the access of this attempt, which is wider than the caller's if the
 * entry is wired.
 *
 * Return: true if so.
 */
static inline bool fault_is_write(const struct fault_state *fs)
{
	return fs->lookup.fault_type & BSDVM_PROT_WRITE;
}

/**
 * fault_is_wiring - is the page to be wired or unwired?
 * @fs: the fault
 *
 * Return: true if the caller set a flag of BSDVM_FAULT_WIRE_MASK.
 */
static inline bool fault_is_wiring(const struct fault_state *fs)
{
	return fs->request->flags & BSDVM_FAULT_WIRE_MASK;
}

/**
 * fault_page_index - identity of a page this fault makes
 * @fs:     looked up, or an object fault
 * @pindex: page of the map; of the object where there is no map
 *
 * Return: folio->index for bsdvm_page_bind(), in pages.
 */
static inline unsigned long fault_page_index(const struct fault_state *fs,
					     bsdvm_pindex_t pindex)
{
	return fs->lookup.map ? fs->lookup.map->index_base + pindex : pindex;
}

/**
 * fault_keep_family - let no link of the family change during a walk
 * @fs: disturbed often enough, or nothing is done
 *
 * As bsdvm_resolve_keep(), called with no folio lock and no paging in progress
 * held: a collapse waits for both. May sleep until a fatal signal, which ends
 * the fault at its next pause.
 *
 * Return: the family, locked, or NULL: for bsdvm_resolve_leave().
 */
static inline struct bsdvm_family *
fault_keep_family(const struct fault_state *fs)
{
	struct bsdvm_family *family = fs->lookup.object->family;

	if (likely(fs->disturbed < BSDVM_PATIENCE) ||
	    bsdvm_family_lock_killable(family) != BSDVM_SUCCESS)
		return NULL;
	return family;
}

/* fault.c */
void fault_mark_writable(const struct fault_state *fs, struct folio *page,
			 bsdvm_pindex_t pindex);
bsdvm_status_t fault_retry(struct fault_state *fs, enum fault_pause pause);

/* fault_object.c */
bsdvm_status_t fault_object(struct fault_state *fs);
struct folio *fault_alloc(struct fault_state *fs, bool zeroed,
			  bsdvm_status_t *status);
bsdvm_status_t fault_publish(struct fault_state *fs, struct folio *page);

/* fault_cow.c */
bsdvm_status_t fault_cow(struct fault_state *fs);

/* fault_pager.c */
bsdvm_status_t fault_pager(struct fault_state *fs);
void fault_readahead(struct fault_state *fs);
void fault_deactivate_behind(struct fault_state *fs);

/* prefault.c */
bool prefault(struct fault_state *fs);

/* ratelimit.c */
long bsdvm_ratelimit_delay(void);

#endif /* BSDVM_VMCORE_FAULT_H */
