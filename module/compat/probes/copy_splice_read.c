/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * generic_file_splice_read() let ->read_iter() put pages into a pipe. Linux
 * 6.5 removed it, and has two in its place: one for the page cache, and
 * copy_splice_read() for files that have their bytes elsewhere, which reads
 * into pages of the pipe's own.
 */
#include <linux/fs.h>
#include <linux/splice.h>

extern const struct file_operations bsdvm_probe_fops;
const struct file_operations bsdvm_probe_fops = {
#ifdef BSDVM_PROBE_NEW
	.splice_read = copy_splice_read,
#else
	.splice_read = generic_file_splice_read,
#endif
};
