// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A map's file: mmap, size, holes, and what fstat and fdinfo tell.
 *
 * inode->i_rwsem orders changes of size with writes, as on any file. The
 * inode's size is in bytes; the core knows pages.
 */

#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "compat.h"
#include "module.h"
#include "../vmcore/internal.h"
#include "../vmcore/info.h"

/**
 * bsdvm_file_mmap - map a map's file
 * @file: of a map
 * @vma:  shared or private, anywhere; gets a reference on the map
 *
 * Pages beyond the map's end may be mapped: touching them is SIGBUS. L-2.
 * Context: mmap_lock held for writing.
 *
 * Return: 0.
 */
int bsdvm_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bsdvm_map *map = bsdvm_file_map(file);

	bsdvm_map_get(map);
	vma->vm_private_data = map;
	vma->vm_ops = &bsdvm_vm_ops;
	return 0;
}

static bsdvm_pindex_t file_pages(loff_t bytes)
{
	return DIV_ROUND_UP((u64)bytes, PAGE_SIZE);
}

/* Clear the bytes [from, to) that lie in one page. */
static int file_clear_partial(struct inode *inode, loff_t from, loff_t to)
{
	unsigned int start = offset_in_page(from);

	if (from >= to)
		return 0;
	return bsdvm_status_errno(
		bsdvm_map_clear_bytes(bsdvm_inode_map(inode),
				      from >> PAGE_SHIFT, start,
				      start + (to - from)));
}

/*
 * Before clearing part of the page at @offset: unless it is a hole it becomes
 * the map's own, so that what may fail does so before anything is changed.
 */
static int file_prepare_partial(struct inode *inode, loff_t offset)
{
	if (!offset_in_page(offset))
		return 0;
	return bsdvm_status_errno(
		bsdvm_map_clear_bytes(bsdvm_inode_map(inode),
				      offset >> PAGE_SHIFT, 0, 0));
}

/* What lies behind @size in its last page must read zero if the file grows. */
static int file_clear_tail(struct inode *inode, loff_t size)
{
	return file_clear_partial(inode, size, round_up(size, PAGE_SIZE));
}

/* The size in bytes and in pages. A new end is there before pages go. */
static int file_set_size(struct inode *inode, loff_t size)
{
	struct bsdvm_inode *bi = bsdvm_inode(inode);
	loff_t old = i_size_read(inode);
	bsdvm_status_t status;

	if (mutex_lock_killable(&bi->size_lock))
		return -EINTR;
	i_size_write(inode, min(old, size));
	status = bsdvm_map_resize(bi->map, file_pages(size));
	i_size_write(inode, status == BSDVM_SUCCESS ? size : old);
	mutex_unlock(&bi->size_lock);
	return bsdvm_status_errno(status);
}

/* Beyond the end of a file there are no private copies either. */
static void file_end_at(struct inode *inode, loff_t size)
{
	unmap_mapping_range(inode->i_mapping, round_up(size, PAGE_SIZE), 0, 1);
	bsdvm_wirelimit_settle(bsdvm_inode(inode));
}

static int file_shrink(struct inode *inode, loff_t size)
{
	int error;

	error = file_prepare_partial(inode, size);
	if (!error)
		error = file_set_size(inode, size);
	if (error)
		return error;
	file_end_at(inode, size);
	/* Growing does it as well, so nothing is lost should it fail. */
	file_clear_tail(inode, size);
	return 0;
}

static int file_grow(struct inode *inode, loff_t size)
{
	int error;

	/* Somebody may have written behind the end through a mapping. */
	error = file_clear_tail(inode, i_size_read(inode));
	return error ?: file_set_size(inode, size);
}

/**
 * bsdvm_file_resize - change the size of a map's file
 * @inode: of the map, locked
 * @size:  in bytes
 *
 * Return: 0 or a negative errno; the size is unchanged then.
 */
int bsdvm_file_resize(struct inode *inode, loff_t size)
{
	loff_t old = i_size_read(inode);

	if (size < old)
		return file_shrink(inode, size);
	return size > old ? file_grow(inode, size) : 0;
}

/**
 * bsdvm_file_cut - take back a growth that was not used, or not all of it
 * @inode: of the map, locked
 * @size:  in bytes; nothing was written behind it
 *
 * Whatever the signals, and without memory, as a write that is cut short by
 * either must not leave zeroes behind what it wrote.
 */
void bsdvm_file_cut(struct inode *inode, loff_t size)
{
	struct bsdvm_inode *bi = bsdvm_inode(inode);

	mutex_lock(&bi->size_lock);
	i_size_write(inode, size);
	bsdvm_map_cut(bi->map, file_pages(size));
	mutex_unlock(&bi->size_lock);
	file_end_at(inode, size);
}

static int file_setattr(bsdvm_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int error;

	error = setattr_prepare(idmap, dentry, attr);
	if (error)
		return error;
	if (attr->ia_valid & ATTR_SIZE) {
		error = bsdvm_file_resize(inode, attr->ia_size);
		if (error)
			return error;
	}
	setattr_copy(idmap, inode, attr);
	return 0;
}

/* Blocks are the map's own pages, not those it shares with snapshots. */
static int file_getattr(bsdvm_idmap *idmap, const struct path *path,
			struct kstat *stat, u32 request_mask,
			unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	bsdvm_status_t status;
	u64 pages = 0;

	bsdvm_fillattr(idmap, request_mask, inode, stat);
	status = bsdvm_map_resident(bsdvm_inode_map(inode), &pages);
	stat->blocks = pages << (PAGE_SHIFT - 9);
	stat->blksize = PAGE_SIZE;
	return bsdvm_status_errno(status);
}

/* Make the whole pages between two offsets read zero, and give them back. */
static int file_punch_pages(struct inode *inode, loff_t from, loff_t to)
{
	bsdvm_pindex_t first = file_pages(from);
	bsdvm_pindex_t end = to >> PAGE_SHIFT;

	if (first >= end)
		return 0;
	return bsdvm_status_errno(bsdvm_map_punch(bsdvm_inode_map(inode),
						  first, end - 1));
}

static int file_zero(struct inode *inode, loff_t from, loff_t to)
{
	loff_t head = min_t(loff_t, round_up(from, PAGE_SIZE), to);
	loff_t tail = max_t(loff_t, round_down(to, PAGE_SIZE), head);
	int error;

	error = file_prepare_partial(inode, from);
	if (!error)
		error = file_prepare_partial(inode, to);
	if (!error)
		error = file_punch_pages(inode, from, to);
	if (!error)
		error = file_clear_partial(inode, from, head);
	if (!error)
		error = file_clear_partial(inode, tail, to);
	return error;
}

/* Memory for every page of the range, as far as it has none. */
static int file_allocate(struct inode *inode, loff_t from, loff_t to)
{
	struct bsdvm_map *map = bsdvm_inode_map(inode);
	bsdvm_pindex_t pindex = from >> PAGE_SHIFT;
	bsdvm_pindex_t end = file_pages(to);
	bsdvm_status_t status;
	struct folio *page;

	for (; pindex < end; pindex++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		status = bsdvm_fault_page(map, pindex, BSDVM_PROT_READ, 0,
					  &page);
		if (status != BSDVM_SUCCESS)
			return bsdvm_status_errno(status);
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
		cond_resched();
	}
	return 0;
}

static int file_fallocate_locked(struct file *file, int mode, loff_t from,
				 loff_t to)
{
	struct inode *inode = file_inode(file);
	loff_t size = i_size_read(inode);
	bool grow = !(mode & FALLOC_FL_KEEP_SIZE) && to > size;
	int error = 0;

	if (grow) {
		error = inode_newsize_ok(inode, to);
		if (!error)
			error = bsdvm_file_resize(inode, to);
		if (error)
			return error;
	}
	/* The last page as a whole: what lies behind the end is nobody's. */
	to = min_t(loff_t, to, round_up(i_size_read(inode), PAGE_SIZE));
	if (from < to) {
		if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
			error = file_zero(inode, from, to);
		else
			error = file_allocate(inode, from, to);
	}
	if (error && grow)
		bsdvm_file_cut(inode, size);
	return error;
}

static long file_fallocate(struct file *file, int mode, loff_t offset,
			   loff_t len)
{
	struct inode *inode = file_inode(file);
	long error;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	error = file_modified(file);
	if (!error)
		error = file_fallocate_locked(file, mode, offset, offset + len);
	inode_unlock(inode);
	return error;
}

/* SEEK_DATA and SEEK_HOLE, by pages. The end of the file is a hole. */
static loff_t file_seek_pages(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct bsdvm_map *map = bsdvm_inode_map(inode);
	loff_t size = i_size_read(inode);
	bsdvm_pindex_t pindex = offset >> PAGE_SHIFT;
	bsdvm_status_t status;
	loff_t found;

	if (offset < 0 || offset >= size)
		return -ENXIO;
	status = whence == SEEK_DATA ? bsdvm_map_seek_data(map, &pindex) :
				       bsdvm_map_seek_hole(map, &pindex);
	if (status == BSDVM_INVALID_ADDRESS)
		return -ENXIO;
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_errno(status);
	found = max_t(loff_t, offset, (loff_t)pindex << PAGE_SHIFT);
	if (whence == SEEK_DATA && found >= size)
		return -ENXIO;
	return vfs_setpos(file, min(found, size), inode->i_sb->s_maxbytes);
}

static loff_t file_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	loff_t ret;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	inode_lock_shared(inode);
	ret = file_seek_pages(file, offset, whence);
	inode_unlock_shared(inode);
	return ret;
}

static void file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct bsdvm_map *map = bsdvm_file_map(file);
	struct bsdvm_map_summary summary;

	/* Who is being killed reads no further. */
	if (bsdvm_map_summary(map, &summary) != BSDVM_SUCCESS)
		return;
	seq_printf(m, "bsdvm-map:\t%llu\n", map->id);
	seq_printf(m, "bsdvm-size:\t%lld\n",
		   bsdvm_inode_size(file_inode(file)));
	seq_printf(m, "bsdvm-resident-pages:\t%llu\n", summary.resident);
	seq_printf(m, "bsdvm-reachable-pages:\t%llu\n", summary.reachable);
	seq_printf(m, "bsdvm-wired-pages:\t%llu\n", summary.wired);
	seq_printf(m, "bsdvm-entries:\t%u\n", summary.entries);
	seq_printf(m, "bsdvm-depth:\t%u\n", summary.depth);
	seq_printf(m, "bsdvm-snapshots:\t%u\n", summary.snapshots);
	seq_printf(m, "bsdvm-maps:\t%u\n", summary.maps);
}

const struct file_operations bsdvm_map_fops = {
	.owner = THIS_MODULE,
	.open = bsdvm_fs_open,
	.release = bsdvm_fs_release,
	.llseek = file_llseek,
	.read_iter = bsdvm_read_iter,
	.write_iter = bsdvm_write_iter,
	.unlocked_ioctl = bsdvm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = bsdvm_file_mmap,
	.fsync = noop_fsync,
	.splice_read = bsdvm_splice_read,
	.splice_write = iter_file_splice_write,
	.fallocate = file_fallocate,
	.show_fdinfo = file_show_fdinfo,
};

const struct inode_operations bsdvm_map_iops = {
	.setattr = file_setattr,
	.getattr = file_getattr,
};
