/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Freezing a map's objects. */
#ifndef BSDVM_VMCORE_SNAPSHOT_H
#define BSDVM_VMCORE_SNAPSHOT_H

bsdvm_status_t bsdvm_freeze_entry(struct bsdvm_entry *entry,
				  struct bsdvm_segment *segment);
void bsdvm_snapshot_drop_all(struct bsdvm_family *family);

#endif /* BSDVM_VMCORE_SNAPSHOT_H */
