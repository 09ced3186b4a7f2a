/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Idmapped mounts came with Linux 5.12, which passed the mount's user namespace
 * to the inode operations. Linux 6.3 gave the mapping a type of its own, struct
 * mnt_idmap, in the same places.
 */
#include <linux/fs.h>

#ifdef BSDVM_PROBE_NEW
typedef struct mnt_idmap bsdvm_idmap;
#else
typedef struct user_namespace bsdvm_idmap;
#endif

int bsdvm_probe(bsdvm_idmap *idmap, struct dentry *dentry, struct iattr *attr);
int bsdvm_probe(bsdvm_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	return setattr_prepare(idmap, dentry, attr);
}

extern const struct inode_operations bsdvm_probe_iops;
const struct inode_operations bsdvm_probe_iops = {
	.setattr = bsdvm_probe,
};
