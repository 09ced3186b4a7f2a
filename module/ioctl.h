/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How requests reach their functions. */
#ifndef BSDVM_IOCTL_H
#define BSDVM_IOCTL_H

#include <linux/bsdvm.h>

/**
 * struct bsdvm_ucmd - a request, its argument copied in and checked
 * @file: the descriptor the request went to
 * @map_file: the map's file it stands for; NULL for requests without a map
 * @map:  the map; NULL for requests without one
 * @user: where results go
 * @arg:  the argument; beyond what the caller passed it is zero
 */
struct bsdvm_ucmd {
	struct file *file;
	struct file *map_file;
	struct bsdvm_map *map;
	void __user *user;
	union {
		u32 size;
		struct bsdvm_query query;
		struct bsdvm_create create;
		struct bsdvm_map_fd map_fd;
		struct bsdvm_snapshot_take snapshot_take;
		struct bsdvm_snapshot_ref snapshot_ref;
		struct bsdvm_shadow shadow;
		struct bsdvm_wire wire;
		struct bsdvm_map_info map_info;
		struct bsdvm_entry_info entry_info;
		struct bsdvm_snapshot_info snapshot_info;
		struct bsdvm_object_info object_info;
		struct bsdvm_check check;
	} arg;
};

#endif /* BSDVM_IOCTL_H */
