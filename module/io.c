// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * read and write, through held pages.
 *
 * No lock of the core is held while user memory is touched: it may be a
 * mapping of the very same map. A page being read is only referenced. A page
 * being written is locked, which is what a snapshot waits for; bytes are copied
 * to it without faulting, from user memory made present beforehand.
 */

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "compat.h"
#include "module.h"

/*
 * One page's worth, from a page or, for a hole, of zeroes. Bytes are always
 * copied: a pipe that got the page itself could give it away as a page of the
 * page cache.
 */
static size_t io_read_page(struct folio *page, unsigned int offset,
			   size_t bytes, struct iov_iter *to)
{
	char *kaddr;

	if (!page)
		return iov_iter_zero(bytes, to);
	kaddr = kmap_local_folio(page, 0);
	bytes = copy_to_iter(kaddr + offset, bytes, to);
	kunmap_local(kaddr);
	return bytes;
}

/* Bytes from @pos to the end of its page, and at most @count. */
static size_t io_chunk(loff_t pos, size_t count)
{
	return min_t(size_t, PAGE_SIZE - offset_in_page(pos), count);
}

/* Return: bytes read, less than asked for after a fault; or a status. */
static bsdvm_status_t io_read_chunk(struct bsdvm_map *map, loff_t pos,
				    size_t *bytes, struct iov_iter *to)
{
	struct folio *page;
	bsdvm_status_t status;

	status = bsdvm_fault_page(map, pos >> PAGE_SHIFT, BSDVM_PROT_READ,
				  BSDVM_FAULT_NOZERO, &page);
	if (status != BSDVM_SUCCESS)
		return status;
	*bytes = io_read_page(page, offset_in_page(pos), *bytes, to);
	if (page)
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_read_iter - read from a map
 * @iocb: where, in bytes; moved on by what was read
 * @to:   user memory, or the kernel's
 *
 * Holes read zero and stay holes. Takes no lock of the inode: of a write at the
 * same time any part may be seen. May sleep, with no lock of the core held.
 *
 * Return: bytes read, 0 from the end on; if none were, -EFAULT, -EINTR or, from
 * bsdvm_status_errno(), what a fault came to.
 */
ssize_t bsdvm_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct bsdvm_map *map = bsdvm_inode_map(inode);
	size_t want, bytes, done = 0;
	bsdvm_status_t status;
	loff_t size;

	while (iov_iter_count(to)) {
		if (fatal_signal_pending(current))
			return done ?: -EINTR;
		size = bsdvm_inode_size(inode);
		if (iocb->ki_pos >= size)
			break;
		want = io_chunk(iocb->ki_pos, min_t(u64, iov_iter_count(to),
						    size - iocb->ki_pos));
		bytes = want;
		status = io_read_chunk(map, iocb->ki_pos, &bytes, to);
		/* Somebody shrank the file meanwhile. */
		if (status == BSDVM_INVALID_ADDRESS)
			break;
		if (status != BSDVM_SUCCESS)
			return done ?: bsdvm_status_errno(status);
		iocb->ki_pos += bytes;
		done += bytes;
		if (bytes < want)
			return done ?: -EFAULT;
		cond_resched();
	}
	return done;
}

/* Copy what can be copied without a fault into the page at @pos. */
static bsdvm_status_t io_write_chunk(struct bsdvm_map *map, loff_t pos,
				     size_t *bytes, struct iov_iter *from)
{
	struct folio *page;
	bsdvm_status_t status;

	status = bsdvm_fault_page(map, pos >> PAGE_SHIFT, BSDVM_PROT_WRITE, 0,
				  &page);
	if (status != BSDVM_SUCCESS)
		return status;
	*bytes = bsdvm_copy_from_iter_atomic(page, offset_in_page(pos), *bytes,
					     from);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	return BSDVM_SUCCESS;
}

/* The file is large enough. Return: bytes written or a negative errno. */
static ssize_t io_write(struct bsdvm_map *map, loff_t pos,
			struct iov_iter *from)
{
	size_t bytes, done = 0;
	bsdvm_status_t status;

	while (iov_iter_count(from)) {
		if (fatal_signal_pending(current))
			return done ?: -EINTR;
		bytes = io_chunk(pos, iov_iter_count(from));
		if (fault_in_iov_iter_readable(from, bytes) == bytes)
			return done ?: -EFAULT;
		status = io_write_chunk(map, pos, &bytes, from);
		if (status != BSDVM_SUCCESS)
			return done ?: bsdvm_status_errno(status);
		pos += bytes;
		done += bytes;
		cond_resched();
	}
	return done;
}

/* Grow the file to hold the write; cut it off behind what was written. */
static ssize_t io_write_locked(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t size = i_size_read(inode);
	size_t count = iov_iter_count(from);
	bool grow = iocb->ki_pos + count > size;
	ssize_t done;
	int error;

	if (grow) {
		error = bsdvm_file_resize(inode, iocb->ki_pos + count);
		if (error)
			return error;
	}
	done = io_write(bsdvm_inode_map(inode), iocb->ki_pos, from);
	if (done > 0)
		iocb->ki_pos += done;
	if (grow && done != count)
		bsdvm_file_cut(inode, done > 0 ? max(size, iocb->ki_pos) :
						 size);
	return done;
}

/**
 * bsdvm_write_iter - write to a map
 * @iocb: where, in bytes; moved on by what was written
 * @from: user memory, or the kernel's
 *
 * The file grows as far as bytes were written. Takes the inode's lock. May
 * sleep, with nothing of the core locked while user memory is made present.
 *
 * Return: bytes written; if none were, -EFAULT, -EINTR, what
 * generic_write_checks() says or, from bsdvm_status_errno(), what a fault or
 * the change of size came to.
 */
ssize_t bsdvm_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto out;
	ret = file_remove_privs(file);
	if (!ret)
		ret = file_update_time(file);
	if (!ret)
		ret = io_write_locked(iocb, from);
out:
	inode_unlock(inode);
	return ret;
}
