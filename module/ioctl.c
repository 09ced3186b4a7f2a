// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Requests: one table, one dispatcher, one function for each.
 *
 * The argument is copied in once, with everything behind the known part
 * checked to be zero, and copied out as far as the caller knows it.
 */

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "ioctl.h"
#include "module.h"

/* Before a file is made, so that without a descriptor nothing is changed. */
static int ioctl_reserve(void)
{
	return get_unused_fd_flags(O_CLOEXEC);
}

/*
 * Let @fd, from ioctl_reserve(), be that of @file, whose reference is used up;
 * or give it back if there is none.
 */
static int ioctl_install(int fd, struct file *file)
{
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static int ioctl_query(struct bsdvm_ucmd *ucmd)
{
	struct bsdvm_query *query = &ucmd->arg.query;

	query->version = BSDVM_ABI_VERSION;
	query->page_size = PAGE_SIZE;
	query->features = BSDVM_FEATURE_SNAPSHOT | BSDVM_FEATURE_SHADOW |
			  BSDVM_FEATURE_WIRE;
	query->max_size = (u64)BSDVM_PAGES_MAX << PAGE_SHIFT;
	return 0;
}

static int ioctl_create(struct bsdvm_ucmd *ucmd)
{
	u64 bytes = ucmd->arg.create.map_size;
	int fd;

	if (bytes > (u64)BSDVM_PAGES_MAX << PAGE_SHIFT)
		return -EINVAL;
	fd = ioctl_reserve();
	return fd < 0 ? fd : ioctl_install(fd, bsdvm_fs_create(bytes, O_RDWR));
}

/* A private copy of what can be written to is no right to write to it. */
static bool ioctl_may_have(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_SHARED) ||
	       !(vma->vm_file->f_mode & FMODE_WRITE);
}

/* The map's file mapped at an address of the caller, referenced. */
static struct file *ioctl_file_at(u64 addr)
{
	struct file *file = ERR_PTR(-ENOENT);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (mmap_read_lock_killable(mm))
		return ERR_PTR(-EINTR);
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_ops == &bsdvm_vm_ops)
		file = ioctl_may_have(vma) ? get_file(vma->vm_file) :
					     ERR_PTR(-EACCES);
	mmap_read_unlock(mm);
	return file;
}

/* The map's open file that the request means, referenced. */
static struct file *ioctl_file(const struct bsdvm_ucmd *ucmd)
{
	const struct bsdvm_map_fd *arg = &ucmd->arg.map_fd;
	struct file *file;

	if (arg->flags & BSDVM_MAP_FD_ADDRESS)
		return ioctl_file_at(arg->addr);
	if (arg->addr)
		return ERR_PTR(-EINVAL);
	file = bsdvm_file_is_map(ucmd->file) ?
	       ucmd->file : bsdvm_device_map_file(ucmd->file);
	return file ? get_file(file) : ERR_PTR(-ENXIO);
}

static int ioctl_map_fd(struct bsdvm_ucmd *ucmd)
{
	int fd = ioctl_reserve();

	return fd < 0 ? fd : ioctl_install(fd, ioctl_file(ucmd));
}

/*
 * The size belongs to the state that is named: nobody changes it meanwhile. Not
 * by the inode's lock, which a write holds while it waits for user memory.
 */
static int ioctl_snapshot(struct bsdvm_ucmd *ucmd)
{
	struct inode *inode = file_inode(ucmd->map_file);
	struct bsdvm_inode *bi = bsdvm_inode(inode);
	bsdvm_status_t status;

	if (ucmd->arg.snapshot_take.id || ucmd->arg.snapshot_take.reserved)
		return -EINVAL;
	if (mutex_lock_killable(&bi->size_lock))
		return -EINTR;
	status = bsdvm_map_snapshot(ucmd->map, i_size_read(inode),
				    &ucmd->arg.snapshot_take.id);
	mutex_unlock(&bi->size_lock);
	return bsdvm_status_errno(status);
}

static int ioctl_open(struct bsdvm_ucmd *ucmd)
{
	const struct bsdvm_snapshot_ref *arg = &ucmd->arg.snapshot_ref;
	bool guest = !(ucmd->file->f_mode & FMODE_WRITE);
	int fd;

	if (arg->reserved)
		return -EINVAL;
	fd = ioctl_reserve();
	return fd < 0 ? fd :
	       ioctl_install(fd, bsdvm_fs_open_snapshot(ucmd->map, arg->id,
							guest));
}

static int ioctl_drop(struct bsdvm_ucmd *ucmd)
{
	const struct bsdvm_snapshot_ref *arg = &ucmd->arg.snapshot_ref;

	if (arg->reserved)
		return -EINVAL;
	return bsdvm_status_errno(bsdvm_snapshot_drop(ucmd->map, arg->id));
}

/* A range in bytes as first page and number of pages: aligned, not empty. */
static int ioctl_range(u64 offset, u64 length, bsdvm_pindex_t *first,
		       bsdvm_pindex_t *npages)
{
	u64 end;

	if (!length || ((offset | length) & ~PAGE_MASK) ||
	    check_add_overflow(offset, length, &end))
		return -EINVAL;
	*first = offset >> PAGE_SHIFT;
	*npages = length >> PAGE_SHIFT;
	return 0;
}

static int ioctl_shadow(struct bsdvm_ucmd *ucmd)
{
	const struct bsdvm_shadow *arg = &ucmd->arg.shadow;
	bsdvm_pindex_t first, npages;
	int error, fd;

	error = ioctl_range(arg->offset, arg->length, &first, &npages);
	if (error)
		return error;
	fd = ioctl_reserve();
	return fd < 0 ? fd : ioctl_install(fd, bsdvm_fs_shadow(ucmd->map, first,
							       npages));
}

/* How a range is wired, or unwired, for the user and for the system. */
typedef int (*ioctl_user_wiring_t)(struct bsdvm_inode *bi,
				   bsdvm_pindex_t first,
				   bsdvm_pindex_t npages);
typedef bsdvm_status_t (*ioctl_system_wiring_t)(struct bsdvm_map *map,
						bsdvm_pindex_t first,
						bsdvm_pindex_t last);

static int ioctl_wiring(struct bsdvm_ucmd *ucmd, ioctl_user_wiring_t user,
			ioctl_system_wiring_t system)
{
	struct bsdvm_inode *bi = bsdvm_inode(file_inode(ucmd->map_file));
	const struct bsdvm_wire *arg = &ucmd->arg.wire;
	bsdvm_pindex_t first, npages;
	int error;

	error = ioctl_range(arg->offset, arg->length, &first, &npages);
	if (error)
		return error;
	if (!(arg->flags & BSDVM_WIRE_SYSTEM))
		return user(bi, first, npages);
	if (!capable(CAP_IPC_LOCK))
		return -EPERM;
	return bsdvm_status_errno(system(ucmd->map, first,
					 first + npages - 1));
}

static int ioctl_wire(struct bsdvm_ucmd *ucmd)
{
	return ioctl_wiring(ucmd, bsdvm_wirelimit_wire, bsdvm_map_wire);
}

static int ioctl_unwire(struct bsdvm_ucmd *ucmd)
{
	return ioctl_wiring(ucmd, bsdvm_wirelimit_unwire, bsdvm_map_unwire);
}

#define IOCTL_NO_MAP	0x1	/* does not need a map */
#define IOCTL_WRITE	0x2	/* needs a descriptor open for writing */
#define IOCTL_OUT	0x4	/* the argument is copied out */
#define IOCTL_READ	0x8	/* needs a descriptor open for reading */

/**
 * struct ioctl_op - one request
 * @cmd:      its number; the low bits index the table
 * @min_size: of the argument in the first version of the interface
 * @max_size: of the argument known now
 * @flags:    IOCTL_*
 * @known:    flags of the argument that may be set
 * @execute:  returns a non-negative value or a negative errno
 */
struct ioctl_op {
	unsigned int cmd;
	u32 min_size;
	u32 max_size;
	u32 flags;
	u32 known;
	int (*execute)(struct bsdvm_ucmd *ucmd);
};

#define IOCTL_OP(_cmd, _execute, _struct, _flags, _known)		\
	[_IOC_NR(_cmd)] = {						\
		.cmd = (_cmd),						\
		.min_size = sizeof(_struct),				\
		.max_size = sizeof(_struct),				\
		.flags = (_flags),					\
		.known = (_known),					\
		.execute = (_execute),					\
	}

static const struct ioctl_op ioctl_ops[] = {
	IOCTL_OP(BSDVM_IOC_QUERY, ioctl_query, struct bsdvm_query,
		 IOCTL_NO_MAP | IOCTL_OUT, 0),
	IOCTL_OP(BSDVM_IOC_CREATE, ioctl_create, struct bsdvm_create,
		 IOCTL_NO_MAP, 0),
	IOCTL_OP(BSDVM_IOC_MAP_FD, ioctl_map_fd, struct bsdvm_map_fd,
		 IOCTL_NO_MAP, BSDVM_MAP_FD_ADDRESS),
	IOCTL_OP(BSDVM_IOC_SNAPSHOT, ioctl_snapshot, struct bsdvm_snapshot_take,
		 IOCTL_WRITE | IOCTL_OUT, 0),
	IOCTL_OP(BSDVM_IOC_OPEN, ioctl_open, struct bsdvm_snapshot_ref,
		 IOCTL_READ, 0),
	IOCTL_OP(BSDVM_IOC_DROP, ioctl_drop, struct bsdvm_snapshot_ref,
		 IOCTL_WRITE, 0),
	IOCTL_OP(BSDVM_IOC_SHADOW, ioctl_shadow, struct bsdvm_shadow,
		 IOCTL_READ | IOCTL_WRITE, 0),
	IOCTL_OP(BSDVM_IOC_WIRE, ioctl_wire, struct bsdvm_wire, IOCTL_WRITE,
		 BSDVM_WIRE_SYSTEM),
	IOCTL_OP(BSDVM_IOC_UNWIRE, ioctl_unwire, struct bsdvm_wire,
		 IOCTL_WRITE, BSDVM_WIRE_SYSTEM),
	IOCTL_OP(BSDVM_IOC_MAP_INFO, bsdvm_ioctl_map_info,
		 struct bsdvm_map_info, IOCTL_OUT, 0),
	IOCTL_OP(BSDVM_IOC_ENTRY_INFO, bsdvm_ioctl_entry_info,
		 struct bsdvm_entry_info, IOCTL_OUT, 0),
	IOCTL_OP(BSDVM_IOC_SNAPSHOT_INFO, bsdvm_ioctl_snapshot_info,
		 struct bsdvm_snapshot_info, IOCTL_OUT, 0),
	IOCTL_OP(BSDVM_IOC_OBJECT_INFO, bsdvm_ioctl_object_info,
		 struct bsdvm_object_info, IOCTL_OUT, 0),
	/* Faults wait for it: not for who can only read, nor for a guest. */
	IOCTL_OP(BSDVM_IOC_CHECK, bsdvm_ioctl_check, struct bsdvm_check,
		 IOCTL_WRITE | IOCTL_OUT, 0),
};

static const struct ioctl_op *ioctl_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(ioctl_ops) || ioctl_ops[nr].cmd != cmd)
		return NULL;
	return &ioctl_ops[nr];
}

/* Every argument begins with size and flags, which struct bsdvm_query shows. */
static int ioctl_copy_in(const struct ioctl_op *op, struct bsdvm_ucmd *ucmd)
{
	u32 size;
	int error;

	if (get_user(size, (u32 __user *)ucmd->user))
		return -EFAULT;
	if (size < op->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	error = copy_struct_from_user(&ucmd->arg, op->max_size, ucmd->user,
				      size);
	if (error)
		return error;
	/* The caller may have changed it: the first reading counts. */
	ucmd->arg.size = size;
	return ucmd->arg.query.flags & ~op->known ? -EINVAL : 0;
}

static int ioctl_copy_out(const struct ioctl_op *op, struct bsdvm_ucmd *ucmd)
{
	u32 size = min(ucmd->arg.size, op->max_size);

	return copy_to_user(ucmd->user, &ucmd->arg, size) ? -EFAULT : 0;
}

static int ioctl_find_map(const struct ioctl_op *op, struct bsdvm_ucmd *ucmd)
{
	if (op->flags & IOCTL_NO_MAP)
		return 0;
	ucmd->map_file = bsdvm_file_is_map(ucmd->file) ?
			 ucmd->file : bsdvm_device_map_file(ucmd->file);
	if (!ucmd->map_file)
		return -ENXIO;
	if ((op->flags & IOCTL_READ) && !(ucmd->file->f_mode & FMODE_READ))
		return -EBADF;
	if ((op->flags & IOCTL_WRITE) && !(ucmd->file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!(ucmd->file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return -EBADF;
	ucmd->map = bsdvm_file_map(ucmd->map_file);
	return 0;
}

/**
 * bsdvm_ioctl - requests to /dev/bsdvm and to maps
 * @file: which descriptor
 * @cmd:  BSDVM_IOC_*
 * @arg:  pointer to the argument
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: as uapi/linux/bsdvm.h says for the request.
 */
long bsdvm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bsdvm_ucmd ucmd = {
		.file = file,
		.user = (void __user *)arg,
	};
	const struct ioctl_op *op = ioctl_find(cmd);
	int error, ret;

	if (!op)
		return -ENOTTY;
	error = ioctl_copy_in(op, &ucmd);
	if (!error)
		error = ioctl_find_map(op, &ucmd);
	if (error)
		return error;
	ret = op->execute(&ucmd);
	if (ret < 0 || !(op->flags & IOCTL_OUT))
		return ret;
	error = ioctl_copy_out(op, &ucmd);
	if (error && op->execute == ioctl_snapshot)
		bsdvm_snapshot_drop(ucmd.map, ucmd.arg.snapshot_take.id);
	return error ?: ret;
}
