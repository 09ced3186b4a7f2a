/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* RLIMIT_MEMLOCK for pages wired on behalf of a user. */
#ifndef BSDVM_WIRELIMIT_H
#define BSDVM_WIRELIMIT_H

#include <linux/mutex.h>
#include <linux/types.h>

struct bsdvm_inode;
struct cred;

/**
 * struct bsdvm_wirelimit - who pays for a map's user-wired pages
 * @lock:  wiring for the user is done one call at a time
 * @cred:  those of who pays, for its user: references to that alone cannot be
 *         dropped by a module on every kernel; NULL while nothing is charged
 * @pages: charged to the user of @cred
 */
struct bsdvm_wirelimit {
	struct mutex lock;
	const struct cred *cred;
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
