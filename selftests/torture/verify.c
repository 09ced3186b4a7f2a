// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * At the end, when nobody else works: every page of every map and of every
 * snapshot, before and after the snapshots are dropped.
 */

#include "torture.h"

static struct thread verifier = { .random = 1 };

static void verify_map(int slot)
{
	struct attach at = {
		.slot = slot,
		.map = &shared->map[slot],
		.fd = broker_fd(slot),
	};
	unsigned int page;

	at.p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, at.fd,
		    0);
	if (at.p == MAP_FAILED)
		complain("mmap: %s", strerror(errno));
	for (page = 0; page < NPAGES && !shared->failed; page++) {
		cell_lock(&at, page);
		page_expect(&verifier, &at, page);
		cell_unlock(&at, page);
	}
	op_check(&verifier, &at);
	munmap(at.p, LENGTH);
}

static void verify_maps(void)
{
	int slot;

	for (slot = 0; slot < MAPS; slot++)
		if (shared->map[slot].state == SLOT_LIVE)
			verify_map(slot);
}

/* Some map of a family, or -1. */
static int family_slot(uint64_t family)
{
	int slot;

	for (slot = 0; slot < MAPS; slot++)
		if (shared->map[slot].state == SLOT_LIVE &&
		    shared->map[slot].family == family)
			return slot;
	return -1;
}

static void verify_snap(struct snap_slot *snap)
{
	int slot = family_slot(snap->family), fd;
	struct content seen[NPAGES];

	if (slot < 0)
		return;
	fd = bsdvm_open(broker_fd(slot), snap->id);
	if (fd < 0 || !access_read_map(fd, seen, NPAGES) ||
	    memcmp(seen, snap->content, sizeof(seen)))
		complain("at the end: snapshot %u of map %d is not what it was",
			 snap->id, slot);
	close(fd);
	if (bsdvm_drop(broker_fd(slot), snap->id))
		complain("at the end: drop %u of map %d: %s", snap->id, slot,
			 strerror(errno));
}

void verify_all(void)
{
	struct snap_slot *snap;

	access_catch();
	verify_maps();
	for (snap = shared->snap; snap < shared->snap + SNAPS; snap++)
		if (snap->live && !shared->failed)
			verify_snap(snap);
	verify_maps();
}
