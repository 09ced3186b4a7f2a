/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause */
/**
 * DOC: bsdvm: memory with snapshots that nest and branch
 *
 * A *map* is memory that a file descriptor names. It is a regular file: mmap,
 * read, write, ftruncate, fallocate, fstat, SCM_RIGHTS, /proc/self/fd/N work as
 * on a memfd. /dev/bsdvm makes maps, in one of two ways:
 *
 *   fd = ioctl(dev, BSDVM_IOC_CREATE, &create);     any number of maps
 *   p = mmap(NULL, len, prot, MAP_SHARED, dev, 0);  one map for this open file;
 *                                                   BSDVM_IOC_MAP_FD tells its
 *                                                   descriptor
 *
 * Every other request goes to a map's descriptor, or to the descriptor of
 * /dev/bsdvm after it was mapped, which then stands for its map.
 *
 * A *snapshot* is an id in the map's family: all maps that descend from one map
 * by snapshot or shadow. It is opened and dropped through any of these: a
 * descriptor of one map is a right to all snapshots of its family. It costs
 * memory for what is written after it was taken, and no descriptor. It
 * ends with BSDVM_IOC_DROP or with the last map of the family.
 *
 * Offsets and lengths are in bytes; where pages are meant they must be
 * multiples of the page size. Each argument structure begins with its size, as
 * the caller knows it; a longer one, up to a page, is accepted if what the
 * kernel does not know is zero. Flags and reserved fields must be zero where
 * nothing else is said.
 * Descriptors returned are close-on-exec.
 *
 * Errors of every request:
 *
 *   E2BIG      structure longer than a page, or non-zero bytes in a part of it
 *              unknown to the kernel
 *   EFAULT     a pointer does not point to memory
 *   EINVAL     structure too short, unknown flag, reserved field not zero
 *   ENOTTY     unknown request, or neither a map nor /dev/bsdvm
 *
 * and of every request that goes to a map:
 *
 *   EBADF      the descriptor does not allow what the request needs
 *   ENXIO      /dev/bsdvm was not mapped yet
 *
 * Others are said with each request, below; in short:
 *
 *   EACCES     the range does not allow the access; a guest's map does not
 *              allow the request
 *   EBUSY      another user has wired pages of this map
 *   EINTR      a fatal signal arrived
 *   EINVAL     unaligned, empty or overflowing range; map too large; what is
 *              to be unwired is not wired
 *   EIO        a page could not be read, or its memory is broken
 *   EMFILE, ENFILE  no descriptor left
 *   ENOENT     no such snapshot, or nothing (more) to report
 *   ENOMEM     no memory, or more wired than RLIMIT_MEMLOCK allows
 *   EPERM      wiring for the system without CAP_IPC_LOCK
 *   ERANGE     the range does not lie within the map
 *
 * After an error no byte has changed, nor has a size, nor what snapshots and
 * maps there are, nor what is wired. What a request did before the error may
 * show in the numbers that BSDVM_IOC_MAP_INFO and the like tell, and in memory:
 * after BSDVM_IOC_WIRE pages may stay resident; after BSDVM_IOC_SNAPSHOT and
 * BSDVM_IOC_SHADOW the next write may make a copy. After EFAULT the answer
 * alone is lost, unless something else is said.
 *
 * fallocate() is no request of this kind: when it fails to punch a hole, or to
 * allocate, for want of memory or by a fatal signal, it may have done so for a
 * part of the range.
 */
#ifndef _UAPI_LINUX_BSDVM_H
#define _UAPI_LINUX_BSDVM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BSDVM_ABI_VERSION	1

/* Features, for struct bsdvm_query. */
#define BSDVM_FEATURE_SNAPSHOT	0x1	/* snapshot, open, drop */
#define BSDVM_FEATURE_SHADOW	0x2
#define BSDVM_FEATURE_WIRE	0x4

/**
 * struct bsdvm_query - what the module can do
 * @size:     sizeof(struct bsdvm_query)
 * @flags:    zero
 * @version:  out: BSDVM_ABI_VERSION of the module
 * @page_size: out: in bytes
 * @features: out: BSDVM_FEATURE_*
 * @max_size: out: largest map, in bytes
 */
struct bsdvm_query {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 page_size;
	__aligned_u64 features;
	__aligned_u64 max_size;
};

/**
 * struct bsdvm_create - make a map of zeroes
 * @size:     sizeof(struct bsdvm_create)
 * @flags:    zero
 * @map_size: in bytes, any number up to max_size of struct bsdvm_query
 *
 * The request returns the map's descriptor.
 */
struct bsdvm_create {
	__u32 size;
	__u32 flags;
	__aligned_u64 map_size;
};

/* Use @addr instead of the descriptor the request goes to. */
#define BSDVM_MAP_FD_ADDRESS	0x1

/**
 * struct bsdvm_map_fd - the descriptor of a map
 * @size:  sizeof(struct bsdvm_map_fd)
 * @flags: BSDVM_MAP_FD_ADDRESS or zero
 * @addr:  with BSDVM_MAP_FD_ADDRESS: an address in the caller's memory where a
 *         map is mapped; otherwise zero
 *
 * The request returns a new descriptor of the map's open file.
 */
struct bsdvm_map_fd {
	__u32 size;
	__u32 flags;
	__aligned_u64 addr;
};

/**
 * struct bsdvm_snapshot_take - name the map's present state
 * @size:  sizeof(struct bsdvm_snapshot_take)
 * @flags: zero
 * @id:    zero; out: the snapshot, 1 or more
 * @reserved: zero
 *
 * Needs a descriptor open for writing. The snapshot is a cut: if one write
 * happened before another, no snapshot has the second without the first. The id
 * of a snapshot that was dropped is not given again before all others were.
 *
 * It copies the pages that are wired, and those in somebody's hands: pinned by
 * a driver, under direct I/O; or, of memory that mlock() locks, those mapped
 * last by each processor, no more than 31: Linux holds these until it has a
 * batch of them. All others are shared until they are written.
 */
struct bsdvm_snapshot_take {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved;
};

/**
 * struct bsdvm_snapshot_ref - open or drop a snapshot
 * @size:  sizeof(struct bsdvm_snapshot_ref)
 * @flags: zero
 * @id:    the snapshot
 * @reserved: zero
 *
 * BSDVM_IOC_OPEN, on a descriptor open for reading, returns the descriptor of a
 * new map, writable, which begins as the snapshot; the snapshot stays as it is.
 * BSDVM_IOC_DROP, on a descriptor open for writing, forgets the snapshot,
 * unless the map is a guest's; maps opened from it are not affected.
 */
struct bsdvm_snapshot_ref {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved;
};

/**
 * struct bsdvm_shadow - a new map in front of a range
 * @size:   sizeof(struct bsdvm_shadow)
 * @flags:  zero
 * @offset: start of the range, in bytes, page-aligned
 * @length: in bytes, page-aligned, not zero
 *
 * The request, on a descriptor open for reading and writing, returns the
 * descriptor of a map that begins as the range is now. Neither sees what is
 * written to the other afterwards.
 *
 * The new map is of the same family. Whoever is given its descriptor can open
 * and drop every snapshot of the family, and so read what the snapshots hold
 * outside of the range.
 */
struct bsdvm_shadow {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/* Wire for the system: counted, needs CAP_IPC_LOCK. */
#define BSDVM_WIRE_SYSTEM	0x1

/**
 * struct bsdvm_wire - wire or unwire a range
 * @size:   sizeof(struct bsdvm_wire)
 * @flags:  BSDVM_WIRE_SYSTEM, or zero for the user's wiring
 * @offset: start of the range, in bytes, page-aligned
 * @length: in bytes, page-aligned, not zero
 *
 * Wired pages are resident, belong to this map alone, and stay. However often
 * the user wires a page, one unwiring undoes it; it counts against
 * RLIMIT_MEMLOCK. Wirings for the system are counted. Unwiring what is not
 * wired is EINVAL. Needs a descriptor open for writing.
 */
struct bsdvm_wire {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * struct bsdvm_map_info - about a map
 * @size:      sizeof(struct bsdvm_map_info)
 * @flags:     zero
 * @id:        out: unique while the module is loaded
 * @map_size:  out: in bytes
 * @generation: out: counts changes of the map's structure
 * @resident:  out: pages in the map's own objects, not those that snapshots or
 *             other maps show as well
 * @reachable: out: pages in all objects the map can see, hidden ones included
 * @wired:     out: pages in wired entries
 * @entries:   out: number of entries
 * @depth:     out: objects in the longest chain
 * @snapshots: out: snapshots in the family
 * @maps:      out: maps in the family
 */
struct bsdvm_map_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 map_size;
	__aligned_u64 generation;
	__aligned_u64 resident;
	__aligned_u64 reachable;
	__aligned_u64 wired;
	__u32 entries;
	__u32 depth;
	__u32 snapshots;
	__u32 maps;
};

#define BSDVM_PROT_R	0x1
#define BSDVM_PROT_W	0x2
#define BSDVM_PROT_X	0x4

#define BSDVM_ENTRY_INFO_NEEDS_COPY	0x1	/* a write makes a shadow */
#define BSDVM_ENTRY_INFO_COW		0x2
#define BSDVM_ENTRY_INFO_USER_WIRED	0x4
#define BSDVM_ENTRY_INFO_IN_TRANSITION	0x8

/**
 * struct bsdvm_entry_info - about an entry of a map
 * @size:        sizeof(struct bsdvm_entry_info)
 * @flags:       zero
 * @offset:      in: report the first entry that ends behind this offset; out:
 *               start of the entry, in bytes
 * @length:      out: in bytes
 * @object_id:   out: zero if there is none yet
 * @object_offset: out: where in the object the entry begins, in bytes
 * @entry_flags: out: BSDVM_ENTRY_INFO_*
 * @wired_count: out: system wirings, plus one for the user's; at most 2^32 - 1
 * @protection:  out: BSDVM_PROT_R, W, X
 * @max_protection: out: what @protection may become
 * @inheritance: out: 0 share, 1 copy, 2 none; kept, but fork() shares whatever
 *               it says
 * @reserved:    zero
 */
struct bsdvm_entry_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 object_id;
	__aligned_u64 object_offset;
	__u32 entry_flags;
	__u32 wired_count;
	__u8 protection;
	__u8 max_protection;
	__u8 inheritance;
	__u8 reserved[5];
};

/**
 * struct bsdvm_snapshot_info - about a snapshot
 * @size:      sizeof(struct bsdvm_snapshot_info)
 * @flags:     zero
 * @id:        in: report the first snapshot with this id or a higher one; out:
 *             its id
 * @reserved:  zero
 * @map_id:    out: of the map it was taken of
 * @map_size:  out: of that map then, in bytes
 * @object_id: out: its first object, zero if there is none
 */
struct bsdvm_snapshot_info {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved;
	__aligned_u64 map_id;
	__aligned_u64 map_size;
	__aligned_u64 object_id;
};

#define BSDVM_OBJECT_INFO_COLLAPSING	0x1

/**
 * struct bsdvm_object_info - about an object of a chain
 * @size:       sizeof(struct bsdvm_object_info)
 * @flags:      zero
 * @offset:     in: the chain behind this offset of the map, in bytes
 * @depth:      in: 0 for the map's own object, 1 for its backing object, ...
 * @object_flags: out: BSDVM_OBJECT_INFO_*
 * @id:         out: unique while the module is loaded
 * @backing_id: out: zero at the end of the chain
 * @backing_offset: out: where in the backing object this one begins, in bytes
 * @object_size: out: in bytes
 * @resident:   out: pages
 * @ref_count:  out: entries, snapshots and shadows that refer to it; at most
 *              2^32 - 1
 * @shadow_count: out: objects directly in front of it; at most 2^32 - 1
 */
struct bsdvm_object_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__u32 depth;
	__u32 object_flags;
	__aligned_u64 id;
	__aligned_u64 backing_id;
	__aligned_u64 backing_offset;
	__aligned_u64 object_size;
	__aligned_u64 resident;
	__u32 ref_count;
	__u32 shadow_count;
};

/**
 * struct bsdvm_check - verify the family's invariants
 * @size:     sizeof(struct bsdvm_check)
 * @flags:    zero
 * @violated: out: number of the first invariant found violated, zero if none
 * @reserved: zero
 * @objects:  out: objects visited
 * @pages:    out: pages visited
 */
struct bsdvm_check {
	__u32 size;
	__u32 flags;
	__u32 violated;
	__u32 reserved;
	__aligned_u64 objects;
	__aligned_u64 pages;
};

/*
 * The numbers do not contain the size of the argument, which may grow; it is
 * the argument's first field.
 */
#define BSDVM_IOC_MAGIC		0xB5

/**
 * BSDVM_IOC_QUERY - what can the module do?
 *
 * struct bsdvm_query, to any descriptor of /dev/bsdvm or of a map.
 *
 * Return: 0, and the structure filled in.
 */
#define BSDVM_IOC_QUERY		_IO(BSDVM_IOC_MAGIC, 0x00)

/**
 * BSDVM_IOC_CREATE - make a map of zeroes
 *
 * struct bsdvm_create, to any descriptor of /dev/bsdvm or of a map, which has
 * nothing to do with the new one.
 *
 * Return: the map's descriptor, open for reading and writing. EINVAL if
 * map_size is above max_size of struct bsdvm_query; EMFILE, ENFILE, ENOMEM.
 */
#define BSDVM_IOC_CREATE	_IO(BSDVM_IOC_MAGIC, 0x01)

/**
 * BSDVM_IOC_MAP_FD - a descriptor of a map that is mapped or open
 *
 * struct bsdvm_map_fd, to any descriptor of /dev/bsdvm or of a map.
 *
 * Return: a new descriptor of the same open file, hence with the same rights.
 * Without BSDVM_MAP_FD_ADDRESS: ENXIO if /dev/bsdvm was not mapped yet, EINVAL
 * if addr is not zero. With it: ENOENT if no map is mapped at addr, EACCES if
 * it is mapped there privately by a file open for writing, EINTR. EMFILE,
 * ENOMEM.
 */
#define BSDVM_IOC_MAP_FD	_IO(BSDVM_IOC_MAGIC, 0x02)

/**
 * BSDVM_IOC_SNAPSHOT - name the map's present state
 *
 * struct bsdvm_snapshot_take, to a descriptor open for writing.
 *
 * Return: 0, and the id. EINVAL if id was not zero; EINTR, ENOMEM; EIO if the
 * memory of a wired page is broken. After EFAULT, too, there is no snapshot.
 */
#define BSDVM_IOC_SNAPSHOT	_IO(BSDVM_IOC_MAGIC, 0x03)

/**
 * BSDVM_IOC_OPEN - a new map that begins as a snapshot
 *
 * struct bsdvm_snapshot_ref, to a descriptor open for reading, of any map of
 * the family. If it is not open for writing as well, the new map is a guest's,
 * and so are all that are made from it by BSDVM_IOC_OPEN and BSDVM_IOC_SHADOW:
 * they can be written to, but no other map's snapshots are dropped by them, and
 * BSDVM_IOC_CHECK is not for them.
 *
 * Return: the new map's descriptor, open for reading and writing. ENOENT if the
 * family has no such snapshot; EMFILE, ENFILE, ENOMEM.
 */
#define BSDVM_IOC_OPEN		_IO(BSDVM_IOC_MAGIC, 0x04)

/**
 * BSDVM_IOC_DROP - forget a snapshot
 *
 * struct bsdvm_snapshot_ref, to a descriptor open for writing, of any map of
 * the family.
 *
 * Return: 0. ENOENT if the family has no such snapshot, or no longer. EACCES if
 * this map is a guest's (see BSDVM_IOC_OPEN) and the snapshot was not taken of
 * it.
 */
#define BSDVM_IOC_DROP		_IO(BSDVM_IOC_MAGIC, 0x05)

/**
 * BSDVM_IOC_SHADOW - a new map that begins as a range of this one
 *
 * struct bsdvm_shadow, to a descriptor open for reading and writing. The new
 * descriptor gives access to all snapshots of the family, not to the range
 * alone: see struct bsdvm_shadow.
 *
 * Return: the new map's descriptor, open for reading and writing. EINVAL for
 * the range, ERANGE, EINTR, EMFILE, ENFILE, ENOMEM; EIO as for a snapshot.
 */
#define BSDVM_IOC_SHADOW	_IO(BSDVM_IOC_MAGIC, 0x06)

/**
 * BSDVM_IOC_WIRE - wire a range
 *
 * struct bsdvm_wire, to a descriptor open for writing.
 *
 * Return: 0 when every page is wired. EINVAL for the range, ERANGE, EINTR; EIO
 * or EACCES if a page cannot be had. For the user: EBUSY if another user has
 * wired pages of this map, ENOMEM above RLIMIT_MEMLOCK unless CAP_IPC_LOCK is
 * held. For the system: EPERM without CAP_IPC_LOCK. ENOMEM.
 */
#define BSDVM_IOC_WIRE		_IO(BSDVM_IOC_MAGIC, 0x07)

/**
 * BSDVM_IOC_UNWIRE - take back what BSDVM_IOC_WIRE did
 *
 * struct bsdvm_wire, to a descriptor open for writing, with the same flags.
 *
 * Return: 0. EINVAL for the range, or if some of it is not wired in this way;
 * ERANGE, EINTR, ENOMEM. For the system: EPERM without CAP_IPC_LOCK.
 */
#define BSDVM_IOC_UNWIRE	_IO(BSDVM_IOC_MAGIC, 0x08)

/**
 * BSDVM_IOC_MAP_INFO - about the map
 *
 * struct bsdvm_map_info, to a descriptor open for reading or writing.
 *
 * Return: 0, and the structure filled in. EINTR.
 */
#define BSDVM_IOC_MAP_INFO	_IO(BSDVM_IOC_MAGIC, 0x09)

/**
 * BSDVM_IOC_ENTRY_INFO - about the entry at an offset, or the next one
 *
 * struct bsdvm_entry_info, to a descriptor open for reading or writing. To see
 * all, begin at offset 0 and go on at offset + length of each answer.
 *
 * Return: 0, and the structure filled in. ENOENT if no entry ends behind the
 * offset; EINTR.
 */
#define BSDVM_IOC_ENTRY_INFO	_IO(BSDVM_IOC_MAGIC, 0x0a)

/**
 * BSDVM_IOC_SNAPSHOT_INFO - about a snapshot of the family, or the next one
 *
 * struct bsdvm_snapshot_info, to a descriptor open for reading or writing. To
 * see all, begin with id 0 and go on with id + 1 of each answer.
 *
 * Return: 0, and the structure filled in. ENOENT if no snapshot has this id or
 * a higher one.
 */
#define BSDVM_IOC_SNAPSHOT_INFO	_IO(BSDVM_IOC_MAGIC, 0x0b)

/**
 * BSDVM_IOC_OBJECT_INFO - about an object of the chain behind an offset
 *
 * struct bsdvm_object_info, to a descriptor open for reading or writing. To see
 * the whole chain, begin with depth 0 and go on until ENOENT.
 *
 * Return: 0, and the structure filled in. ENOENT if the chain is shorter, or
 * the map; EINTR.
 */
#define BSDVM_IOC_OBJECT_INFO	_IO(BSDVM_IOC_MAGIC, 0x0c)

/**
 * BSDVM_IOC_CHECK - verify the invariants of the map and its family
 *
 * struct bsdvm_check, to a descriptor open for writing: nobody has a fault in
 * the map meanwhile, nor makes a snapshot in the family.
 *
 * Return: 0, whatever was found, and the structure filled in. EACCES for a
 * guest's map (see BSDVM_IOC_OPEN), EINTR.
 */
#define BSDVM_IOC_CHECK		_IO(BSDVM_IOC_MAGIC, 0x0d)

#ifdef __cplusplus
}
#endif

#endif /* _UAPI_LINUX_BSDVM_H */
