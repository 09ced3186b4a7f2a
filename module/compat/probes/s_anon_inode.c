/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inodes of alloc_anon_inode() had no mark of their own. Linux 6.16 gave them
 * one, S_ANON_INODE, by which the kernel refuses them what only files with a
 * name can do: to be executed, to be read ahead. Stable kernels of 6.15 have
 * got it as well.
 */
#include <linux/fs.h>

bool bsdvm_probe(const struct inode *inode);
bool bsdvm_probe(const struct inode *inode)
{
#ifdef BSDVM_PROBE_NEW
	return inode->i_flags & S_ANON_INODE;
#else
	return inode->i_flags & S_PRIVATE;
#endif
}
