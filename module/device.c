// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * /dev/bsdvm: where maps come from.
 *
 * The device has no memory itself. The first mapping of an open file makes a
 * map as long as that mapping reaches and hands the VMA to the map's own file,
 * which is kept until the device's file is closed.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>

#include "module.h"

/**
 * bsdvm_device_map_file - the map's file behind an open device file
 * @file: of /dev/bsdvm; keeps the map's file until it is closed
 *
 * Does not sleep.
 *
 * Return: the file, without a reference for the caller; NULL before the first
 * mmap.
 */
struct file *bsdvm_device_map_file(struct file *file)
{
	/* Pairs with the cmpxchg() in device_make_map(). */
	return smp_load_acquire(&file->private_data);
}

static int device_open(struct inode *inode, struct file *file)
{
	/* The misc core leaves a pointer to the device here. */
	file->private_data = NULL;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		fput(file->private_data);
	return 0;
}

/*
 * Of several first mappings at the same time, one makes the map. Its file
 * allows what the device's file does: who was given that one gains nothing.
 */
static struct file *device_make_map(struct file *file,
				    struct vm_area_struct *vma)
{
	struct file *map_file, *old;
	unsigned long pages;

	if (check_add_overflow(vma->vm_pgoff, vma_pages(vma), &pages) ||
	    pages > BSDVM_PAGES_MAX)
		return ERR_PTR(-EOVERFLOW);
	map_file = bsdvm_fs_create((u64)pages << PAGE_SHIFT,
				   file->f_flags & O_ACCMODE);
	if (IS_ERR(map_file))
		return map_file;
	old = cmpxchg(&file->private_data, NULL, map_file);
	if (!old)
		return map_file;
	fput(map_file);
	return old;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct file *map_file = bsdvm_device_map_file(file);

	if (!map_file)
		map_file = device_make_map(file, vma);
	if (IS_ERR(map_file))
		return PTR_ERR(map_file);
	vma_set_file(vma, map_file);
	return bsdvm_file_mmap(map_file, vma);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.llseek = noop_llseek,
	.mmap = device_mmap,
	.unlocked_ioctl = bsdvm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Safe for everybody: memory is charged, wiring is limited. */
struct miscdevice bsdvm_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bsdvm",
	.fops = &device_fops,
	.mode = 0666,
};
