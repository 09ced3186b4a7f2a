/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the Linux side know of one another.
 *
 * Requests come in by device.c, file.c, ioctl.c and vmops.c, go to the core
 * (vmcore.h), and come back as a status, which status.c translates.
 */
#ifndef BSDVM_MODULE_H
#define BSDVM_MODULE_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "../vmcore/vmcore.h"
#include "wirelimit.h"

struct miscdevice;
struct vm_area_struct;
struct vm_fault;

/* status.c: the only two translations of a status. */
int bsdvm_status_errno(bsdvm_status_t status);
vm_fault_t bsdvm_status_vm_fault(bsdvm_status_t status,
				 const struct vm_fault *vmf);

/* fs.c: inodes and files of maps. */
int bsdvm_fs_init(void);
void bsdvm_fs_fini(void);
struct address_space *bsdvm_fs_anchor_create(void);
void bsdvm_fs_anchor_put(struct address_space *anchor);
struct file *bsdvm_fs_create(u64 bytes, int flags);
int bsdvm_fs_open(struct inode *inode, struct file *file);
int bsdvm_fs_release(struct inode *inode, struct file *file);
struct file *bsdvm_fs_open_snapshot(struct bsdvm_map *map, u32 id, bool guest);
struct file *bsdvm_fs_shadow(struct bsdvm_map *map, bsdvm_pindex_t first,
			     bsdvm_pindex_t npages);

/**
 * struct bsdvm_inode - the inode of a map
 * @vfs_inode: i_size is the map's size in bytes
 * @map:       set once, before the inode has a file; holds a reference
 * @size_lock: i_size and the map's size in pages change together under it, for
 *             a snapshot, which records both
 * @wirelimit: who pays for the pages wired for the user
 */
struct bsdvm_inode {
	struct inode vfs_inode;
	struct bsdvm_map *map;
	struct mutex size_lock;
	struct bsdvm_wirelimit wirelimit;
};

/**
 * bsdvm_inode - the map's part of an inode
 * @inode: of a map
 *
 * Return: what @inode is embedded in.
 */
static inline struct bsdvm_inode *bsdvm_inode(const struct inode *inode)
{
	return container_of(inode, struct bsdvm_inode, vfs_inode);
}

/**
 * bsdvm_inode_map - the map of an inode
 * @inode: of a map
 *
 * Return: the map, kept by the inode; NULL before it was given one.
 */
static inline struct bsdvm_map *bsdvm_inode_map(const struct inode *inode)
{
	return bsdvm_inode(inode)->map;
}

/**
 * bsdvm_inode_size - the size of a map's file, which may change at any time
 * @inode: of a map; not locked, nor is its size_lock held
 *
 * Return: bytes.
 */
static inline loff_t bsdvm_inode_size(const struct inode *inode)
{
	/* A plain load of Linux 6.1 on 64-bit processors: it is one load. */
	return data_race(i_size_read(inode));
}

/* file.c: what can be done to a map's file. */
extern const struct file_operations bsdvm_map_fops;
extern const struct inode_operations bsdvm_map_iops;
int bsdvm_file_mmap(struct file *file, struct vm_area_struct *vma);

/**
 * bsdvm_file_is_map - is this the file of a map?
 * @file: any open file
 *
 * Return: true for a map's, false for others, that of /dev/bsdvm included.
 */
static inline bool bsdvm_file_is_map(const struct file *file)
{
	return file->f_op == &bsdvm_map_fops;
}

/**
 * bsdvm_file_map - the map of a file
 * @file: of a map
 *
 * Return: the map, kept by the file.
 */
static inline struct bsdvm_map *bsdvm_file_map(const struct file *file)
{
	return bsdvm_inode_map(file_inode(file));
}

/* io.c: read and write. */
ssize_t bsdvm_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t bsdvm_write_iter(struct kiocb *iocb, struct iov_iter *from);
int bsdvm_file_resize(struct inode *inode, loff_t size);
void bsdvm_file_cut(struct inode *inode, loff_t size);

/* device.c: /dev/bsdvm. */
extern struct miscdevice bsdvm_device;
struct file *bsdvm_device_map_file(struct file *file);

/* ioctl.c, ioctl_info.c */
struct bsdvm_ucmd;
long bsdvm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int bsdvm_ioctl_map_info(struct bsdvm_ucmd *ucmd);
int bsdvm_ioctl_entry_info(struct bsdvm_ucmd *ucmd);
int bsdvm_ioctl_snapshot_info(struct bsdvm_ucmd *ucmd);
int bsdvm_ioctl_object_info(struct bsdvm_ucmd *ucmd);
int bsdvm_ioctl_check(struct bsdvm_ucmd *ucmd);

/* vmops.c, pmap.c */
extern const struct vm_operations_struct bsdvm_vm_ops;
extern const struct bsdvm_pmap_ops bsdvm_pmap_linux;
bool bsdvm_pmap_may_enter(struct vm_area_struct *vma);

/* debugfs.c */
void bsdvm_debugfs_init(void);
void bsdvm_debugfs_fini(void);

#endif /* BSDVM_MODULE_H */
