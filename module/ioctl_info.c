// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Requests that only ask. */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../vmcore/internal.h"
#include "ioctl.h"
#include "module.h"
#include "../vmcore/info.h"

/**
 * bsdvm_ioctl_map_info - BSDVM_IOC_MAP_INFO
 * @ucmd: the argument is where the answer goes
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: 0 or -EINTR.
 */
int bsdvm_ioctl_map_info(struct bsdvm_ucmd *ucmd)
{
	struct bsdvm_map_info *info = &ucmd->arg.map_info;
	struct bsdvm_map_summary sum;
	bsdvm_status_t status = bsdvm_map_summary(ucmd->map, &sum);

	if (status != BSDVM_SUCCESS)
		return bsdvm_status_errno(status);
	info->id = ucmd->map->id;
	info->map_size = bsdvm_inode_size(file_inode(ucmd->map_file));
	info->generation = sum.generation;
	info->resident = sum.resident;
	info->reachable = sum.reachable;
	info->wired = sum.wired;
	info->entries = sum.entries;
	info->depth = sum.depth;
	info->snapshots = sum.snapshots;
	info->maps = sum.maps;
	return 0;
}

static u32 entry_info_flags(const struct bsdvm_entry *entry)
{
	u32 flags = 0;

	if (entry->flags & BSDVM_ENTRY_NEEDS_COPY)
		flags |= BSDVM_ENTRY_INFO_NEEDS_COPY;
	if (entry->flags & BSDVM_ENTRY_COW)
		flags |= BSDVM_ENTRY_INFO_COW;
	if (entry->flags & BSDVM_ENTRY_USER_WIRED)
		flags |= BSDVM_ENTRY_INFO_USER_WIRED;
	if (entry->flags & BSDVM_ENTRY_IN_TRANSITION)
		flags |= BSDVM_ENTRY_INFO_IN_TRANSITION;
	return flags;
}

/**
 * bsdvm_ioctl_entry_info - BSDVM_IOC_ENTRY_INFO
 * @ucmd: the argument says from where on, in bytes, and is where the answer
 *        goes
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: 0; -EINVAL, -ENOENT behind the last entry, or -EINTR.
 */
int bsdvm_ioctl_entry_info(struct bsdvm_ucmd *ucmd)
{
	struct bsdvm_entry_info *info = &ucmd->arg.entry_info;
	struct bsdvm_entry entry;
	bsdvm_status_t status;
	u64 object_id;

	if (memchr_inv(info->reserved, 0, sizeof(info->reserved)))
		return -EINVAL;
	status = bsdvm_entry_query(ucmd->map, info->offset >> PAGE_SHIFT,
				   &entry, &object_id);
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_errno(status);
	info->offset = (u64)entry.start << PAGE_SHIFT;
	info->length = (u64)(entry.last - entry.start + 1) << PAGE_SHIFT;
	info->object_id = object_id;
	info->object_offset = (u64)entry.offset << PAGE_SHIFT;
	info->entry_flags = entry_info_flags(&entry);
	info->wired_count = min_t(unsigned long, entry.wired_count, U32_MAX);
	info->protection = entry.protection;
	info->max_protection = entry.max_protection;
	info->inheritance = entry.inheritance;
	return 0;
}

/**
 * bsdvm_ioctl_snapshot_info - BSDVM_IOC_SNAPSHOT_INFO
 * @ucmd: the argument says from which id on, and is where the answer goes
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: 0; -EINVAL, or -ENOENT behind the last snapshot.
 */
int bsdvm_ioctl_snapshot_info(struct bsdvm_ucmd *ucmd)
{
	struct bsdvm_snapshot_info *info = &ucmd->arg.snapshot_info;
	struct bsdvm_snapshot_summary sum;
	bsdvm_status_t status;

	if (info->reserved)
		return -EINVAL;
	status = bsdvm_snapshot_query(ucmd->map, info->id, &sum);
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_errno(status);
	info->id = sum.id;
	info->map_id = sum.map_id;
	info->map_size = sum.bytes;
	info->object_id = sum.object_id;
	return 0;
}

/**
 * bsdvm_ioctl_object_info - BSDVM_IOC_OBJECT_INFO
 * @ucmd: the argument says where, in bytes, and how deep, and is where the
 *        answer goes
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: 0; -ENOENT where there is no object, or -EINTR.
 */
int bsdvm_ioctl_object_info(struct bsdvm_ucmd *ucmd)
{
	struct bsdvm_object_info *info = &ucmd->arg.object_info;
	struct bsdvm_object_summary sum;
	bsdvm_status_t status;

	status = bsdvm_object_query(ucmd->map, info->offset >> PAGE_SHIFT,
				    info->depth, &sum);
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_errno(status);
	info->object_flags = sum.collapsing ? BSDVM_OBJECT_INFO_COLLAPSING : 0;
	info->id = sum.id;
	info->backing_id = sum.backing_id;
	info->backing_offset = (u64)sum.backing_offset << PAGE_SHIFT;
	info->object_size = (u64)sum.size << PAGE_SHIFT;
	info->resident = sum.resident;
	info->ref_count = min_t(unsigned long, sum.ref_count, U32_MAX);
	info->shadow_count = min_t(unsigned long, sum.shadow_count, U32_MAX);
	return 0;
}

/**
 * bsdvm_ioctl_check - BSDVM_IOC_CHECK
 * @ucmd: the argument is where the answer goes
 *
 * Section 1 of the behaviours.
 * Context: no lock of the core held; may sleep.
 *
 * Return: 0, whatever was found; -EINVAL, -EACCES for a guest's map, or -EINTR.
 */
int bsdvm_ioctl_check(struct bsdvm_ucmd *ucmd)
{
	struct bsdvm_check *check = &ucmd->arg.check;
	struct bsdvm_report report;
	bsdvm_status_t status;

	if (check->reserved)
		return -EINVAL;
	if (ucmd->map->guest)
		return -EACCES;
	status = bsdvm_family_check(ucmd->map, &report);
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_errno(status);
	check->violated = report.violated;
	check->objects = report.objects;
	check->pages = report.pages;
	return 0;
}
