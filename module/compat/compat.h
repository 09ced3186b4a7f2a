/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Differences between kernels: the only place that knows of them.
 *
 * features.h is made when the module is built, by compiling probes/NAME.c: what
 * each feature is, and since when, is said there.
 */
#ifndef BSDVM_COMPAT_H
#define BSDVM_COMPAT_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "features.h"

/** typedef bsdvm_idmap - how a mount maps ids */
#if BSDVM_HAVE_MNT_IDMAP
typedef struct mnt_idmap bsdvm_idmap;
#else
typedef struct user_namespace bsdvm_idmap;
#endif

/**
 * bsdvm_fillattr - generic_fillattr()
 * @idmap:        of the mount
 * @request_mask: STATX_*; not used by kernels that do not ask for it
 * @inode:        whose attributes
 * @stat:         out
 */
static inline void bsdvm_fillattr(bsdvm_idmap *idmap, u32 request_mask,
				  struct inode *inode, struct kstat *stat)
{
#if BSDVM_HAVE_FILLATTR_REQUEST_MASK
	generic_fillattr(idmap, request_mask, inode, stat);
#else
	generic_fillattr(idmap, inode, stat);
#endif
}

/**
 * bsdvm_inode_clear_anon - make an inode of alloc_anon_inode() one like others
 * @inode: seen by nobody yet
 */
static inline void bsdvm_inode_clear_anon(struct inode *inode)
{
#if BSDVM_HAVE_S_ANON_INODE
	inode->i_flags &= ~S_ANON_INODE;
#endif
	inode->i_flags &= ~S_PRIVATE;
}

/**
 * bsdvm_vma_copy_flags_set - set flags of a copy of a VMA
 * @copy:  which nobody else knows and no lock protects
 * @flags: VM_*, in addition to those it has
 */
static inline void bsdvm_vma_copy_flags_set(struct vm_area_struct *copy,
					    unsigned long flags)
{
#if BSDVM_HAVE_VM_FLAGS_INIT
	vm_flags_init(copy, copy->vm_flags | flags);
#else
	copy->vm_flags |= flags;
#endif
}

/* Splice by ->read_iter(), from bytes that the page cache does not have. */
#if BSDVM_HAVE_COPY_SPLICE_READ
#define bsdvm_splice_read	copy_splice_read
#else
#define bsdvm_splice_read	generic_file_splice_read
#endif

/**
 * bsdvm_copy_from_iter_atomic - copy to a folio what can be had without a fault
 * @folio:  locked
 * @offset: first byte in @folio
 * @bytes:  at most up to the end of @folio's first page
 * @from:   moved on by what was copied
 *
 * Does not sleep.
 *
 * Return: bytes copied, perhaps none.
 */
static inline size_t bsdvm_copy_from_iter_atomic(struct folio *folio,
						 size_t offset, size_t bytes,
						 struct iov_iter *from)
{
#if BSDVM_HAVE_COPY_FOLIO_FROM_ITER
	return copy_folio_from_iter_atomic(folio, offset, bytes, from);
#else
	return copy_page_from_iter_atomic(folio_page(folio, 0), offset, bytes,
					  from);
#endif
}

#endif /* BSDVM_COMPAT_H */
