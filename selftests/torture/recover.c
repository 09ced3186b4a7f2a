// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Locks of cells and maps, with what their owner left unfinished when it was
 * killed: each word of the page is the old one or the new one, and is made the
 * new one now. A change of size happened or did not: the file's size tells.
 */

#include <sys/stat.h>

#include <linux/falloc.h>

#include "torture.h"

unsigned int size_in_pages(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		complain("fstat: %s", strerror(errno));
	return st.st_size / PAGE;
}

static void recover_resize(struct attach *at, unsigned int page)
{
	struct cell *cell = &at->map->cell[page];
	bool gone = page >= size_in_pages(at->fd);

	if (gone == content_is_gone(cell_now(cell)))
		version_commit(cell);
	else
		version_cancel(cell);
}

static void recover_punch(struct attach *at, unsigned int page)
{
	if (fallocate(at->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      page * PAGE, PAGE))
		complain("punch for a dead process: %s", strerror(errno));
	version_commit(&at->map->cell[page]);
}

/* Each word must be the one before or the one begun. */
static bool recover_is_mixed(struct cell *cell, const struct content *seen)
{
	const struct content *old = version_before(cell);
	const struct content *new = cell_now(cell);
	unsigned int j;

	for (j = 0; j < WORDS; j++)
		if (seen->word[j] != old->word[j] &&
		    seen->word[j] != new->word[j])
			return false;
	return true;
}

static void recover_store(struct attach *at, unsigned int page)
{
	struct cell *cell = &at->map->cell[page];
	const struct content *old = version_before(cell);
	const struct content *new = cell_now(cell);
	struct content seen;
	unsigned int j;

	if (!access_pread(at->fd, page, &seen) ||
	    !recover_is_mixed(cell, &seen))
		complain("map %d page %u: a killed writer left what it never wrote",
			 at->slot, page);
	for (j = 0; j < WORDS; j++)
		if (new->word[j] != old->word[j] &&
		    !access_write(at, page, new, j, j))
			complain("write for a dead process: %s",
				 strerror(errno));
	version_commit(cell);
}

static void recover_cell(struct attach *at, unsigned int page)
{
	struct version *version = cell_newest(&at->map->cell[page]);

	if (version->end != UNFINISHED)
		return;
	atomic_fetch_add(&shared->recovered, 1);
	switch (version->kind) {
	case KIND_RESIZE:
		recover_resize(at, page);
		break;
	case KIND_PUNCH:
		recover_punch(at, page);
		break;
	case KIND_STORE:
	case KIND_PINNED:
		recover_store(at, page);
		break;
	}
}

void cell_lock(struct attach *at, unsigned int page)
{
	if (robust_lock(&at->map->cell[page].lock))
		recover_cell(at, page);
}

void cell_unlock(struct attach *at, unsigned int page)
{
	pthread_mutex_unlock(&at->map->cell[page].lock);
}

void cell_lock_range(struct attach *at, unsigned int first, unsigned int last)
{
	for (; first <= last; first++)
		cell_lock(at, first);
}

void cell_unlock_range(struct attach *at, unsigned int first, unsigned int last)
{
	for (; first <= last; first++)
		cell_unlock(at, first);
}

/* Which pages are wired for the user, by the kernel's account. */
static void recover_wired(struct attach *at)
{
	struct bsdvm_entry_info info = { .size = sizeof(info) };
	unsigned int page;

	memset(at->map->wired, 0, sizeof(at->map->wired));
	while (!ioctl(at->fd, BSDVM_IOC_ENTRY_INFO, &info)) {
		page = info.offset / PAGE;
		info.offset += info.length;
		for (; page < info.offset / PAGE && page < NPAGES; page++)
			at->map->wired[page] = info.entry_flags &
					       BSDVM_ENTRY_INFO_USER_WIRED;
	}
}

void layout_lock(struct attach *at)
{
	if (!robust_lock(&at->map->layout))
		return;
	at->map->npages = size_in_pages(at->fd);
	recover_wired(at);
}

void layout_unlock(struct attach *at)
{
	pthread_mutex_unlock(&at->map->layout);
}
