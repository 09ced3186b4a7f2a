/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Taking pages away, for a hole or for the end of a map. */
#ifndef BSDVM_VMCORE_PUNCH_H
#define BSDVM_VMCORE_PUNCH_H

/**
 * struct bsdvm_punch - one object's part of a hole
 * @entry:      the entry; its map is locked exclusively, its object the map's
 * @first:      first index in the object
 * @last:       last index, inclusive
 * @keep_wired: wired pages stay, cleared (O-38); otherwise they go like others
 * @pages:      pages taken out of their slots
 */
struct bsdvm_punch {
	struct bsdvm_entry *entry;
	bsdvm_pindex_t first;
	bsdvm_pindex_t last;
	bool keep_wired;
	struct list_head pages;
};

bsdvm_status_t bsdvm_punch_entry(struct bsdvm_entry *entry,
				 bsdvm_pindex_t first, bsdvm_pindex_t last,
				 bool keep_wired);
bsdvm_status_t bsdvm_punch_object(struct bsdvm_punch *punch);
void bsdvm_punch_take(struct bsdvm_punch *punch);
void bsdvm_punch_free(struct bsdvm_punch *punch);

#endif /* BSDVM_VMCORE_PUNCH_H */
