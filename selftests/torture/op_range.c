// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Operations on a range of pages: holes, size, wiring. */

#include <linux/falloc.h>

#include "torture.h"

/* Fewer than the versions remembered of a page. */
#define SWEEPS	(RING / 4)

/* New versions of those pages of a range that exist, or are to exist. */
static void range_begin(struct attach *at, unsigned int first,
			unsigned int last, enum kind kind,
			const struct content *content)
{
	struct cell *cell = &at->map->cell[first];
	uint64_t start = tick();

	for (; cell <= &at->map->cell[last]; cell++) {
		if (kind == KIND_PUNCH && content_is_gone(cell_now(cell)))
			continue;
		version_begin(cell, kind, start, content);
		cell->epoch++;
	}
}

static void range_commit(struct attach *at, unsigned int first,
			 unsigned int last)
{
	for (; first <= last; first++)
		if (cell_newest(&at->map->cell[first])->end == UNFINISHED)
			version_commit(&at->map->cell[first]);
}

/* Entry: the cell locked. */
static void sweep_page(struct attach *at, unsigned int page, unsigned int word)
{
	struct cell *cell = &at->map->cell[page];
	struct content new = *cell_now(cell);
	uint64_t start;

	if (content_is_gone(&new))
		return;
	start = tick();
	new.word[word] = word_stamp(start, word);
	version_begin(cell, KIND_STORE, start, &new);
	if (access_store(at->p + page * PAGE, word, new.word[word]))
		complain("map %d page %u: a store failed", at->slot, page);
	version_commit(cell);
}

/*
 * One page after the other, with nothing between but the notes that must be
 * taken: so close together that a snapshot that is no cut would show.
 */
void op_sweep(struct thread *t, struct attach *at)
{
	unsigned int word = random_below(t, WORDS), round, page;

	cell_lock_range(at, 0, NPAGES - 1);
	for (round = 0; round < SWEEPS; round++)
		for (page = 0; page < NPAGES; page++)
			sweep_page(at, page, word);
	cell_unlock_range(at, 0, NPAGES - 1);
}

/* In one of three ways. MADV_REMOVE only knows what is in the file. */
static bool punch(struct thread *t, struct attach *at, unsigned int first,
		  unsigned int last)
{
	int modes[] = { FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE };
	int mode = modes[random_below(t, 2)] | FALLOC_FL_KEEP_SIZE;
	size_t offset = first * PAGE, length = (last - first + 1) * PAGE;
	bool remove = random_below(t, 3) == 0;
	unsigned int tries = 0;
	int error;

	do {
		error = remove ?
			madvise(at->p + offset, length, MADV_REMOVE) :
			fallocate(at->fd, mode, offset, length);
	} while (error && access_retry(errno, &tries));
	return !error;
}

void op_punch(struct thread *t, struct attach *at)
{
	struct content zero = { };
	unsigned int first, last;

	random_range(t, NPAGES, &first, &last);
	cell_lock_range(at, first, last);
	range_begin(at, first, last, KIND_PUNCH, &zero);
	if (!punch(t, at, first, last))
		complain("punch: %s", strerror(errno));
	range_commit(at, first, last);
	page_expect(t, at, first);
	cell_unlock_range(at, first, last);
}

/* The cells of the pages that come or go are locked. */
static void resize(struct attach *at, unsigned int npages)
{
	struct map_slot *map = at->map;
	unsigned int first = npages < map->npages ? npages : map->npages;
	unsigned int last = (npages < map->npages ? map->npages : npages) - 1;
	struct content content;
	unsigned int tries = 0, i;
	int error;

	content_fill(&content, npages < map->npages ? GONE : 0);
	range_begin(at, first, last, KIND_RESIZE, &content);
	do {
		error = ftruncate(at->fd, npages * PAGE);
	} while (error && access_retry(errno, &tries));
	if (error)
		complain("ftruncate: %s", strerror(errno));
	range_commit(at, first, last);
	map->npages = npages;
	for (i = first; i < NPAGES; i++)
		map->wired[i] = false;
}

void op_truncate(struct thread *t, struct attach *at)
{
	unsigned int first, last, npages = NPAGES;

	if (random_below(t, 3))
		npages = 1 + random_below(t, NPAGES);
	layout_lock(at);
	if (npages != at->map->npages) {
		first = npages < at->map->npages ? npages : at->map->npages;
		last = (npages < at->map->npages ? at->map->npages : npages) -
		       1;
		cell_lock_range(at, first, last);
		resize(at, npages);
		cell_unlock_range(at, first, last);
	}
	layout_unlock(at);
}

static bool range_is_wired(const struct map_slot *map, unsigned int first,
			   unsigned int last)
{
	for (; first <= last; first++)
		if (!map->wired[first])
			return false;
	return true;
}

/* Entry: the layout locked. */
static void range_wire(struct attach *at, unsigned int first, unsigned int last,
		       bool wired)
{
	size_t offset = first * PAGE, length = (last - first + 1) * PAGE;
	bool was = range_is_wired(at->map, first, last);
	unsigned int tries = 0;
	int error;

	do {
		error = wired ? bsdvm_wire(at->fd, offset, length, 0) :
				bsdvm_unwire(at->fd, offset, length, 0);
	} while (error && access_retry(errno, &tries));
	if (!wired && !was && error && errno == EINVAL)
		return;
	if (error || (!wired && !was)) {
		complain("map %d: wiring (%d, was %d) pages %u to %u: %s",
			 at->slot, wired, was, first, last,
			 error ? strerror(errno) : "success");
		return;
	}
	for (; first <= last; first++)
		at->map->wired[first] = wired;
}

void op_wire(struct thread *t, struct attach *at)
{
	unsigned int first, last;

	layout_lock(at);
	random_range(t, at->map->npages, &first, &last);
	range_wire(at, first, last, true);
	layout_unlock(at);
}

void op_unwire(struct thread *t, struct attach *at)
{
	unsigned int first, last;

	layout_lock(at);
	random_range(t, at->map->npages, &first, &last);
	range_wire(at, first, last, false);
	layout_unlock(at);
}
