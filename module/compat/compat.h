/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Differences between kernels: the only place that knows of them. */
#ifndef BSDVM_COMPAT_H
#define BSDVM_COMPAT_H

#include <linux/fs.h>
#include <linux/mm.h>

/* Before 6.3 a mount's owner mapping is a user namespace. */
typedef struct user_namespace bsdvm_idmap;

/* A copy on the stack, which no lock protects. */
static inline void bsdvm_vma_copy_flags_set(struct vm_area_struct *copy,
					    unsigned long flags)
{
	copy->vm_flags |= flags;
}

/* Before 6.5 splice from ->read_iter() has this name. */
#define bsdvm_splice_read	generic_file_splice_read

#endif /* BSDVM_COMPAT_H */
