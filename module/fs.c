// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The pseudo filesystem: an inode for each map.
 *
 * A map's file is a regular file without a name. The filesystem is pinned by
 * each open file, so that maps share one superblock, and owned by the module,
 * so that the module stays until the superblock is gone, and with it the last
 * inode. Who has a map by O_PATH alone keeps the superblock, but maps made then
 * have another one. The file's operations count the module before the file
 * exists.
 *
 * The pin is no inode's: who gives up an inode, fsnotify for example, may be
 * one whom the end of the superblock has to wait for.
 *
 * A second filesystem, owned by nobody, has an inode for each family: the
 * anchor, whose address space the family's pages name as theirs. It has no file
 * and no page of its own.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "module.h"

#define BSDVM_FS_MAGIC	0x62736476	/* "bsdv" */

static struct kmem_cache *fs_inode_cache;
static struct vfsmount *fs_mount;
static int fs_pins;
static struct vfsmount *anchor_mount;

static void fs_inode_init_once(void *memory)
{
	struct bsdvm_inode *bi = memory;

	inode_init_once(&bi->vfs_inode);
}

static struct inode *fs_alloc_inode(struct super_block *sb)
{
	struct bsdvm_inode *bi = alloc_inode_sb(sb, fs_inode_cache,
						      GFP_KERNEL);

	if (!bi)
		return NULL;
	bi->map = NULL;
	mutex_init(&bi->size_lock);
	bsdvm_wirelimit_init(&bi->wirelimit);
	return &bi->vfs_inode;
}

static void fs_free_inode(struct inode *inode)
{
	kmem_cache_free(fs_inode_cache, bsdvm_inode(inode));
}

/* The last user of the inode is gone, hence every mapping. */
static void fs_evict_inode(struct inode *inode)
{
	struct bsdvm_inode *bi = bsdvm_inode(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!bi->map)
		return;
	bsdvm_map_put(bi->map);
	bsdvm_wirelimit_fini(&bi->wirelimit);
	mutex_destroy(&bi->size_lock);
}

static const struct super_operations fs_super_ops = {
	.statfs = simple_statfs,
	.alloc_inode = fs_alloc_inode,
	.free_inode = fs_free_inode,
	.evict_inode = fs_evict_inode,
};

static int fs_init_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, BSDVM_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &fs_super_ops;
	/* Pseudo filesystems forbid it since some time. A memfd does not. */
	fc->s_iflags &= ~SB_I_NOEXEC;
	return 0;
}

static struct file_system_type fs_type = {
	.name = "bsdvm",
	.owner = THIS_MODULE,
	.init_fs_context = fs_init_context,
	.kill_sb = kill_anon_super,
};

static int anchor_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, BSDVM_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type anchor_type = {
	.name = "bsdvm_anchor",
	.init_fs_context = anchor_init_context,
	.kill_sb = kill_anon_super,
};

/**
 * bsdvm_fs_init - make the inode cache, and where anchors are
 *
 * May sleep.
 *
 * Return: 0 or a negative errno; nothing is left behind then.
 */
int bsdvm_fs_init(void)
{
	fs_inode_cache = kmem_cache_create("bsdvm_inode",
					   sizeof(struct bsdvm_inode), 0,
					   SLAB_ACCOUNT, fs_inode_init_once);
	if (!fs_inode_cache)
		return -ENOMEM;
	anchor_mount = kern_mount(&anchor_type);
	if (IS_ERR(anchor_mount)) {
		kmem_cache_destroy(fs_inode_cache);
		return PTR_ERR(anchor_mount);
	}
	return 0;
}

/**
 * bsdvm_fs_fini - undo bsdvm_fs_init()
 *
 * No map's inode, hence no page, exists any more. Sleeps until their memory is
 * free.
 */
void bsdvm_fs_fini(void)
{
	kern_unmount(anchor_mount);
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(fs_inode_cache);
}

/**
 * bsdvm_fs_anchor_create - an address space for the pages of a family
 *
 * May sleep. Give it back by bsdvm_fs_anchor_put().
 *
 * Return: that of a new inode, or NULL without memory.
 */
struct address_space *bsdvm_fs_anchor_create(void)
{
	struct inode *inode = alloc_anon_inode(anchor_mount->mnt_sb);

	return IS_ERR(inode) ? NULL : inode->i_mapping;
}

/**
 * bsdvm_fs_anchor_put - give an anchor back
 * @anchor: named by no page any more
 *
 * Its memory stays for a grace period. May sleep.
 */
void bsdvm_fs_anchor_put(struct address_space *anchor)
{
	iput(anchor->host);
}

/* An inode for a map still to be made, in a filesystem pinned for its file. */
static struct inode *fs_new_inode(void)
{
	struct inode *inode;
	int error = simple_pin_fs(&fs_type, &fs_mount, &fs_pins);

	if (error)
		return ERR_PTR(error);
	inode = alloc_anon_inode(fs_mount->mnt_sb);
	if (IS_ERR(inode)) {
		simple_release_fs(&fs_mount, &fs_pins);
		return inode;
	}
	/* The mount may be a new one. Whoever comes here writes the same. */
	WRITE_ONCE(inode->i_sb->s_maxbytes,
		   (loff_t)BSDVM_PAGES_MAX << PAGE_SHIFT);
	/* As a memfd: who can name the open file may open it again. */
	bsdvm_inode_clear_anon(inode);
	inode->i_mode = S_IFREG | 0777;
	clear_nlink(inode);
	inode->i_op = &bsdvm_map_iops;
	inode->i_fop = &bsdvm_map_fops;
	return inode;
}

/* The reference on @map passes to the inode. */
static void fs_give_map(struct inode *inode, struct bsdvm_map *map, u64 bytes)
{
	bsdvm_inode(inode)->map = map;
	i_size_write(inode, bytes);
}

/* There is to be no file: the pin was for it. */
static void fs_drop_inode(struct inode *inode)
{
	iput(inode);
	simple_release_fs(&fs_mount, &fs_pins);
}

static struct file *fs_new_file(struct inode *inode, int flags)
{
	struct file *file;

	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, fs_mount, "bsdvm",
				 flags | O_LARGEFILE, &bsdvm_map_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		return file;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

/**
 * bsdvm_fs_open - open a map's file once more
 * @inode: of the map
 * @file:  the new one, which pins the filesystem
 *
 * May sleep.
 *
 * Return: 0 or a negative errno.
 */
int bsdvm_fs_open(struct inode *inode, struct file *file)
{
	return simple_pin_fs(&fs_type, &fs_mount, &fs_pins);
}

/**
 * bsdvm_fs_release - end what bsdvm_fs_open(), or the first file, began
 * @inode: of the map
 * @file:  has the mount, hence the superblock, until it has let go of the inode
 *
 * May sleep.
 *
 * Return: 0.
 */
int bsdvm_fs_release(struct inode *inode, struct file *file)
{
	simple_release_fs(&fs_mount, &fs_pins);
	return 0;
}

/* An open file for @inode, whose reference passes to it whatever happens. */
static struct file *fs_finish(struct inode *inode, int flags)
{
	struct file *file = fs_new_file(inode, flags);

	if (IS_ERR(file))
		fs_drop_inode(inode);
	return file;
}

/**
 * bsdvm_fs_create - a new map of zeroes, open
 * @bytes: its size, at most that of BSDVM_PAGES_MAX pages
 * @flags: O_RDONLY, O_WRONLY or O_RDWR
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: the file or an error pointer.
 */
struct file *bsdvm_fs_create(u64 bytes, int flags)
{
	struct inode *inode = fs_new_inode();
	struct bsdvm_map *map;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	map = bsdvm_map_create(DIV_ROUND_UP(bytes, PAGE_SIZE),
			       inode->i_mapping);
	if (!map) {
		fs_drop_inode(inode);
		return ERR_PTR(-ENOMEM);
	}
	fs_give_map(inode, map, bytes);
	return fs_finish(inode, flags);
}

/**
 * bsdvm_fs_open_snapshot - a snapshot as a new map, open
 * @map:   a map of the family
 * @id:    the snapshot
 * @guest: by somebody who must not change what the family has
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: the file or an error pointer.
 */
struct file *bsdvm_fs_open_snapshot(struct bsdvm_map *map, u32 id, bool guest)
{
	struct inode *inode = fs_new_inode();
	struct bsdvm_map *new_map;
	bsdvm_status_t status;
	u64 bytes;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	status = bsdvm_snapshot_open(map, id, inode->i_mapping, &new_map,
				     &bytes);
	if (status != BSDVM_SUCCESS) {
		fs_drop_inode(inode);
		return ERR_PTR(bsdvm_status_errno(status));
	}
	new_map->guest |= guest;
	fs_give_map(inode, new_map, bytes);
	return fs_finish(inode, O_RDWR);
}

/**
 * bsdvm_fs_shadow - a new map in front of a range, open
 * @map:    whose range
 * @first:  first page
 * @npages: at least 1
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: the file or an error pointer.
 */
struct file *bsdvm_fs_shadow(struct bsdvm_map *map, bsdvm_pindex_t first,
			     bsdvm_pindex_t npages)
{
	struct inode *inode = fs_new_inode();
	struct bsdvm_map *new_map;
	bsdvm_status_t status;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	status = bsdvm_map_shadow(map, first, npages, inode->i_mapping,
				  &new_map);
	if (status != BSDVM_SUCCESS) {
		fs_drop_inode(inode);
		return ERR_PTR(bsdvm_status_errno(status));
	}
	fs_give_map(inode, new_map, (u64)npages << PAGE_SHIFT);
	return fs_finish(inode, O_RDWR);
}
