/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Waiting for entries that are being wired. */
#ifndef BSDVM_VMCORE_WIRE_H
#define BSDVM_VMCORE_WIRE_H

/* Set on an entry only while the range it lies in is in transition. */
#define BSDVM_ENTRY_BY_THIS_CALL	0x1000u

bsdvm_status_t bsdvm_map_lock_settled(struct bsdvm_map *map,
				      bsdvm_pindex_t first,
				      bsdvm_pindex_t last);
void bsdvm_map_lock_settled_always(struct bsdvm_map *map, bsdvm_pindex_t first,
				   bsdvm_pindex_t last);

#endif /* BSDVM_VMCORE_WIRE_H */
