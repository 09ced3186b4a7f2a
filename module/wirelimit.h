/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* RLIMIT_MEMLOCK for pages wired on behalf of a user. */
#ifndef BSDVM_WIRELIMIT_H
#define BSDVM_WIRELIMIT_H

#include <linux/mutex.h>
#include <linux/types.h>

struct bsdvm_inode;
struct user_struct;

/**
 * struct bsdvm_wirelimit - who pays for a map's user-wired pages
 * @lock:  wiring for the user is done one call at a time
 * @user:  charged; NULL while nothing is
 * @pages: charged to @user
 */
struct bsdvm_wirelimit {
	struct mutex lock;
	struct user_struct *user;
	unsigned long pages;
};

void bsdvm_wirelimit_init(struct bsdvm_wirelimit *limit);
void bsdvm_wirelimit_fini(struct bsdvm_wirelimit *limit);
int bsdvm_wirelimit_wire(struct bsdvm_inode *bi, bsdvm_pindex_t first,
			 bsdvm_pindex_t npages);
int bsdvm_wirelimit_unwire(struct bsdvm_inode *bi, bsdvm_pindex_t first,
			   bsdvm_pindex_t npages);
void bsdvm_wirelimit_settle(struct bsdvm_inode *bi);

#endif /* BSDVM_WIRELIMIT_H */
