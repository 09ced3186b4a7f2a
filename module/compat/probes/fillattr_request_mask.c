/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Until Linux 6.6 generic_fillattr() filled in everything. Since then it is
 * told what the caller of statx asked for, so that it need not look up what
 * nobody wants to know, such as a version counter. The type of the first
 * argument is a matter of another probe: any pointer does here.
 */
#include <linux/fs.h>
#include <linux/stat.h>

void bsdvm_probe(struct inode *inode, struct kstat *stat);
void bsdvm_probe(struct inode *inode, struct kstat *stat)
{
#ifdef BSDVM_PROBE_NEW
	generic_fillattr(NULL, STATX_BASIC_STATS, inode, stat);
#else
	generic_fillattr(NULL, inode, stat);
#endif
}
