/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The BSD virtual memory core: types, lock order and interface.
 *
 * Lock order, outermost first (indent = may be taken while the outer is held):
 *
 *   i_rwsem of a map's inode, then mmap_lock or the VMA lock, held by Linux for
 *   fault handlers; or size_lock or wirelimit.lock of the inode
 *   families_lock                       (mutex: the list of all families)
 *     map->lock                         (rwsem, one map at a time)
 *       family->lock                    (mutex: topology of the family)
 *         busy slot                     (claimed by compare-exchange; a holder
 *                                        never waits for family->lock or
 *                                        map->lock)
 *           folio lock                  (a second one only by trylock; but who
 *                                        holds that of a fresh copy takes that
 *                                        of its source)
 *             i_mmap_rwsem, page-table lock   (inside pmap operations)
 *               xa_lock, wait-queue locks     (leaf)
 *
 * Fault handlers hold map->lock shared from the lookup until the page is
 * mapped or its folio lock is taken. Snapshot, punch, resize and the push of a
 * shadow hold it exclusively. Chains are walked without any lock, under RCU:
 * see resolve.c.
 *
 * Field legend, as in "who must hold what to write it":
 *   C  constant after creation
 *   M  map->lock exclusive (readers: shared)
 *   T  family->lock ("topology"); readers without it use RCU and family->seq
 *   S  the slot's xa_lock or its busy mark
 *   A  atomic
 */
#ifndef BSDVM_VMCORE_H
#define BSDVM_VMCORE_H

struct folio;
struct address_space;

/** typedef bsdvm_pindex_t - page index, in pages */
typedef unsigned long bsdvm_pindex_t;

/* The largest map: 2^36 pages, 256 TiB, more than a process can map. */
#define BSDVM_PAGES_BITS	36
#define BSDVM_PAGES_MAX		BIT(BSDVM_PAGES_BITS)

/**
 * typedef bsdvm_status_t - what an operation of the core came to
 *
 * A type of its own, so that sparse reports a status used as an errno or the
 * other way round. module/status.c holds the only two translations.
 */
typedef unsigned int __bitwise bsdvm_status_t;

#define BSDVM_SUCCESS		 ((__force bsdvm_status_t)0)
/* The address lies in no entry, or beyond the end of the map. */
#define BSDVM_INVALID_ADDRESS	 ((__force bsdvm_status_t)1)
/* The entry forbids the access, or the object ends before the page. */
#define BSDVM_PROTECTION_FAILURE ((__force bsdvm_status_t)2)
/* The range is taken already, or no room is left. */
#define BSDVM_NO_SPACE		 ((__force bsdvm_status_t)3)
#define BSDVM_INVALID_ARGUMENT	 ((__force bsdvm_status_t)4)
/* The pager could not read the page. */
#define BSDVM_FAILURE		 ((__force bsdvm_status_t)5)
/* No memory, and waiting for it did not help. */
#define BSDVM_RESOURCE_SHORTAGE	 ((__force bsdvm_status_t)6)
/* A fatal signal ended a wait. */
#define BSDVM_INTERRUPTED	 ((__force bsdvm_status_t)7)
/* No such snapshot. */
#define BSDVM_NO_ENTRY		 ((__force bsdvm_status_t)8)
/* The page's memory is broken: what it held is lost. */
#define BSDVM_MEMORY_BROKEN	 ((__force bsdvm_status_t)9)
/* Internal to the fault: everything is released, start again (F-3). */
#define BSDVM_TRY_AGAIN		 ((__force bsdvm_status_t)10)

#define BSDVM_PROT_READ		0x1u
#define BSDVM_PROT_WRITE	0x2u
#define BSDVM_PROT_EXEC		0x4u
#define BSDVM_PROT_OVERRIDE	0x8u	/* check max_protection instead (F-8) */
#define BSDVM_PROT_RW		(BSDVM_PROT_READ | BSDVM_PROT_WRITE)
#define BSDVM_PROT_ALL		(BSDVM_PROT_RW | BSDVM_PROT_EXEC)

/* ---- family ----------------------------------------------------------- */

/**
 * struct bsdvm_family - everything that descends from one map
 * @refs:      A: one for each map
 * @lock:      topology: object links, reference and shadow counts, extents,
 *             snapshots
 * @seq:       T: changes whenever an object's backing link is re-made, so that
 *             a walk without the lock sees object, offset and end of one link
 * @link:      on the list of all families, under that list's lock
 * @maps:      T: maps of the family
 * @nmaps:     T: number of them
 * @snapshots: T: id -> struct bsdvm_snapshot
 * @nsnapshots: T: number of snapshots
 * @next_id:   T: for the next snapshot
 * @next_base: T: for the next map's index_base
 * @anchor:    C: the address space that the family's pages name as theirs
 * @checks:    T: number of checks, and of other passes that mark what they meet
 * @pending:   T: objects that may take their backing object over
 * @dead:      T: objects without references; both lists are worked off by
 *             bsdvm_family_unlock()
 */
struct bsdvm_family {
	refcount_t refs;
	struct mutex lock;
	seqcount_t seq;
	struct list_head link;
	struct list_head maps;
	unsigned int nmaps;
	struct xarray snapshots;
	unsigned int nsnapshots;
	u32 next_id;
	u32 next_base;
	struct address_space *anchor;
	u64 checks;
	struct list_head pending;
	struct list_head dead;
};

/* ---- object ----------------------------------------------------------- */

#define BSDVM_OBJECT_DEAD	0	/* no references; being destroyed */
#define BSDVM_OBJECT_COLLAPSING	1	/* its pages move to its shadow */

/**
 * struct bsdvm_object - a container of pages, and a window on a backing object
 * @slots:          S: pindex -> folio, or a value (see busy.h)
 * @resident:       A: number of pages in @slots (I-2)
 * @size:           T: in pages; absent pages at or beyond it do not exist
 * @backing_object: T: where to look for pages absent here, or NULL
 * @backing_offset: T: our page 0 in @backing_object, in pages
 * @backing_end:    T: pages at or beyond it are never looked for there
 * @flags:          BSDVM_OBJECT_* bits; set under T
 * @ref_count:      T: entries, snapshot segments and shadows that refer to us
 * @shadow_count:   T: length of @shadows (I-3)
 * @shadows:        T: objects whose backing object we are
 * @shadow_link:    T: on the backing object's @shadows, or on family->dead
 * @pending_link:   T: on family->pending
 * @entries:        T: map entries whose object we are (the extents)
 * @pip:            A: paging in progress: holds off collapse and destruction
 * @family:         C: valid while a map of the family lives
 * @pager:          T: where absent pages come from, or NULL
 * @handle:         C: the pager's own
 * @checked:        T: number of the check or pass that visited it last
 * @listed:         T: number of the check that last found it on @shadows of
 *                  another
 * @depth:          T: objects from it to the end of its chain, at the pass that
 *                  is in @checked, if that was one that counts them
 * @id:             C: unique while the module is loaded
 * @rcu:            the memory outlives every walk that could have met it
 */
struct bsdvm_object {
	struct xarray slots;
	atomic_long_t resident;
	bsdvm_pindex_t size;
	struct bsdvm_object *backing_object;
	bsdvm_pindex_t backing_offset;
	bsdvm_pindex_t backing_end;
	unsigned long flags;
	unsigned long ref_count;
	unsigned long shadow_count;
	struct list_head shadows;
	struct list_head shadow_link;
	struct list_head pending_link;
	struct list_head entries;
	atomic_t pip;
	struct bsdvm_family *family;
	const struct bsdvm_pager_ops *pager;
	void *handle;
	u64 checked;
	u64 listed;
	unsigned int depth;
	u64 id;
	struct rcu_head rcu;
};

/* ---- map -------------------------------------------------------------- */

#define BSDVM_ENTRY_NEEDS_COPY	  0x01u	/* frozen: shadow at a write */
#define BSDVM_ENTRY_COW		  0x02u	/* stays set once a copy was due */
#define BSDVM_ENTRY_USER_WIRED	  0x04u
#define BSDVM_ENTRY_IN_TRANSITION 0x08u	/* being wired or unwired */
#define BSDVM_ENTRY_NEEDS_WAKEUP  0x10u	/* somebody waits for the transition */
#define BSDVM_ENTRY_NOSYNC	  0x20u
#define BSDVM_ENTRY_NOFAULT	  0x40u
#define BSDVM_ENTRY_SEQUENTIAL	  0x80u
#define BSDVM_ENTRY_RANDOM	  0x100u

#define BSDVM_INHERIT_SHARE	0u
#define BSDVM_INHERIT_COPY	1u
#define BSDVM_INHERIT_NONE	2u

/**
 * struct bsdvm_entry - a range of a map and what lies behind it
 * @map:            C: the map it belongs to
 * @start:          M: first page, inclusive
 * @last:           M: last page, inclusive; the key in map->entries
 * @object:         M and T: what is mapped; NULL until the first fault
 * @offset:         M: page of @object that @start maps
 * @flags:          M: BSDVM_ENTRY_*
 * @protection:     M: what a fault may ask for
 * @max_protection: M: what @protection may become
 * @inheritance:    M: BSDVM_INHERIT_*
 * @wired_count:    M: system wirings, plus one if user-wired (I-12)
 * @object_link:    T: on object->entries
 * @map_link:       M: on map->entry_list
 */
struct bsdvm_entry {
	struct bsdvm_map *map;
	bsdvm_pindex_t start;
	bsdvm_pindex_t last;
	struct bsdvm_object *object;
	bsdvm_pindex_t offset;
	unsigned int flags;
	unsigned char protection;
	unsigned char max_protection;
	unsigned char inheritance;
	unsigned long wired_count;
	struct list_head object_link;
	struct list_head map_link;
};

/**
 * struct bsdvm_map - an address space of pages that a file descriptor names
 * @refs:        A
 * @lock:        see the lock order above
 * @generation:  M: counts exclusive acquisitions (I-16)
 * @entries:     M: last page of an entry -> entry; sorted and disjoint (I-17)
 * @entry_list:  M: the same entries, in order
 * @hint:        the entry found last; any reader may overwrite it (A)
 * @size:        M: in pages; nothing is mapped at or beyond it
 * @index_base:  C: added to a page's index to make folio->index unique in the
 *               family
 * @family:      C
 * @family_link: T: on family->maps
 * @pmap:        C: opaque to the core: whose mappings pmap operations change
 * @id:          C: unique while the module is loaded
 * @guest:       C once others know the map: of the family's snapshots it drops
 *               only those taken of itself
 */
struct bsdvm_map {
	refcount_t refs;
	struct rw_semaphore lock;
	u64 generation;
	struct xarray entries;
	struct list_head entry_list;
	struct bsdvm_entry *hint;
	bsdvm_pindex_t size;
	unsigned long index_base;
	struct bsdvm_family *family;
	struct list_head family_link;
	void *pmap;
	u64 id;
	bool guest;
};

/**
 * struct bsdvm_segment - a piece of a snapshot
 * @start:  first page in the map the snapshot was taken of
 * @npages: length in pages
 * @object: holds one reference
 * @offset: page of @object that @start showed
 */
struct bsdvm_segment {
	bsdvm_pindex_t start;
	bsdvm_pindex_t npages;
	struct bsdvm_object *object;
	bsdvm_pindex_t offset;
};

/**
 * struct bsdvm_snapshot - the state of a map at one moment, named by an id
 * @id:        in family->snapshots
 * @map_id:    of the map it was taken of
 * @bytes:     size of the map then, in bytes, as its owner keeps it
 * @size:      size of the map then, in pages
 * @nsegments: length of @segments
 * @segments:  ascending, disjoint; a gap reads zero
 */
struct bsdvm_snapshot {
	u32 id;
	u64 map_id;
	u64 bytes;
	bsdvm_pindex_t size;
	unsigned int nsegments;
	struct bsdvm_segment segments[];
};

/* ---- the two tables through which the core calls out ------------------- */

/**
 * struct bsdvm_pmap_ops - what Linux knows of pages
 * @enter:  map @n adjacent pages from @pindex on in the faulting address space
 *          with @prot. Entry: map->lock shared; every page locked. Returns the
 *          number of pages mapped from the front; fewer than @n when one was
 *          mapped already, lies outside of what faults, must not be mapped in
 *          this way, or memory ran out.
 * @remove: remove every mapping of the range in every address space. May
 *          sleep. The pages' reference counts no longer include them on return.
 * @anchor_create: an address space for the pages of a new family to name as
 *          theirs, unlike any other there ever was, or NULL without memory. May
 *          sleep.
 * @anchor_put: no page names it any more. May sleep; who found it by a page may
 *          use it for an RCU grace period
 */
struct bsdvm_pmap_ops {
	unsigned int (*enter)(void *context, bsdvm_pindex_t pindex,
			      struct folio **pages, unsigned int n,
			      unsigned int prot);
	void (*remove)(struct bsdvm_map *map, bsdvm_pindex_t first,
		       bsdvm_pindex_t npages);
	struct address_space *(*anchor_create)(void);
	void (*anchor_put)(struct address_space *anchor);
};

/**
 * enum bsdvm_pager_result - what a pager made of a request
 * @BSDVM_PAGER_OK:    the page is there
 * @BSDVM_PAGER_BAD:   outside the pager's range
 * @BSDVM_PAGER_FAIL:  within range, but absent
 * @BSDVM_PAGER_PEND:  started, not finished
 * @BSDVM_PAGER_ERROR: present, but unreadable
 * @BSDVM_PAGER_AGAIN: short of resources for the moment
 */
enum bsdvm_pager_result {
	BSDVM_PAGER_OK,
	BSDVM_PAGER_BAD,
	BSDVM_PAGER_FAIL,
	BSDVM_PAGER_PEND,
	BSDVM_PAGER_ERROR,
	BSDVM_PAGER_AGAIN,
};

/**
 * struct bsdvm_pager_request - one page asked of a pager
 * @object:     whose page
 * @pindex:     which page
 * @page:       where to put it; the pager may put another page here, and then
 *              owns the reference on the first
 * @valid:      out: bytes provided from the start of the page; the core clears
 *              the rest (F-61)
 * @waited:     out: the pager waited for I/O on this page (F-60)
 * @sequential: -1 unknown, 0 random, 1 sequential (F-53)
 */
struct bsdvm_pager_request {
	struct bsdvm_object *object;
	bsdvm_pindex_t pindex;
	struct folio *page;
	unsigned int valid;
	bool waited;
	int sequential;
};

/**
 * struct bsdvm_pager_ops - source of an object's absent pages
 * @has_page:  might @get_page provide this page? Of an object without a handle,
 *             surely: a collapse frees what lies behind it. Called under RCU:
 *             no sleeping
 * @get_page:  provide it. Called without locks; the slot is busy. May sleep
 * @readahead: a page with a read-ahead mark was met: read what follows. Called
 *             without locks; its outcome changes nothing (F-41, F-67)
 * @forget:    the page in memory is now the only copy: free the stored one.
 *             No sleeping
 * @collapse:  @backing is about to go: move what is stored for it to @front,
 *             @offset pages further forward, except for pages that @front has
 *             in memory, in store or as a tombstone; free the rest. @get_page
 *             for @front may run at the same time. May sleep
 * @dealloc:   the object goes away
 */
struct bsdvm_pager_ops {
	bool (*has_page)(struct bsdvm_object *object, bsdvm_pindex_t pindex);
	enum bsdvm_pager_result (*get_page)(struct bsdvm_pager_request *req);
	void (*readahead)(struct bsdvm_object *object, bsdvm_pindex_t pindex);
	void (*forget)(struct bsdvm_object *object, bsdvm_pindex_t pindex);
	void (*collapse)(struct bsdvm_object *front,
			 struct bsdvm_object *backing, bsdvm_pindex_t offset);
	void (*dealloc)(struct bsdvm_object *object);
};

/**
 * struct bsdvm_tunables - knobs, changeable at any time
 * @fast_fault:     zero-fill neighbours ahead of a sequential writer (PF-6)
 * @prefault_pages: pages mapped by one fault at most; a power of two, 1 to 64
 * @debug_cluster:  trace visits to read-ahead marks
 * @vm_load_enable: slow faults down by @vm_load (section 7)
 * @vm_load:        0 to 1000
 */
struct bsdvm_tunables {
	unsigned int fast_fault;
	unsigned int prefault_pages;
	unsigned int debug_cluster;
	unsigned int vm_load_enable;
	unsigned int vm_load;
};

extern struct bsdvm_tunables bsdvm_tunables;

/* ---- start and end ----------------------------------------------------- */

int bsdvm_core_init(const struct bsdvm_pmap_ops *pmap);
void bsdvm_core_fini(void);

/* ---- maps -------------------------------------------------------------- */

struct bsdvm_map *bsdvm_map_create(bsdvm_pindex_t size, void *pmap);
struct bsdvm_map *bsdvm_map_create_object(struct bsdvm_object *object,
					  void *pmap);
void bsdvm_map_get(struct bsdvm_map *map);
void bsdvm_map_put(struct bsdvm_map *map);

bsdvm_status_t bsdvm_map_resize(struct bsdvm_map *map, bsdvm_pindex_t size);
void bsdvm_map_cut(struct bsdvm_map *map, bsdvm_pindex_t size);
bsdvm_status_t bsdvm_map_punch(struct bsdvm_map *map, bsdvm_pindex_t first,
			       bsdvm_pindex_t last);
bsdvm_status_t bsdvm_map_clear_bytes(struct bsdvm_map *map,
				     bsdvm_pindex_t pindex, unsigned int from,
				     unsigned int to);
bsdvm_status_t bsdvm_map_protect(struct bsdvm_map *map, bsdvm_pindex_t first,
				 bsdvm_pindex_t last, unsigned int prot,
				 bool set_max);

/* ---- wiring ------------------------------------------------------------ */

bsdvm_status_t bsdvm_map_wire(struct bsdvm_map *map, bsdvm_pindex_t first,
			      bsdvm_pindex_t last);
bsdvm_status_t bsdvm_map_unwire(struct bsdvm_map *map, bsdvm_pindex_t first,
				bsdvm_pindex_t last);
bsdvm_status_t bsdvm_map_user_wire(struct bsdvm_map *map, bsdvm_pindex_t first,
				   bsdvm_pindex_t last,
				   bsdvm_pindex_t *npages);
bsdvm_status_t bsdvm_map_user_unwire(struct bsdvm_map *map,
				     bsdvm_pindex_t first, bsdvm_pindex_t last,
				     bsdvm_pindex_t *npages);

/* ---- snapshots --------------------------------------------------------- */

bsdvm_status_t bsdvm_map_snapshot(struct bsdvm_map *map, u64 bytes, u32 *id);
bsdvm_status_t bsdvm_snapshot_open(struct bsdvm_map *map, u32 id, void *pmap,
				   struct bsdvm_map **new_map, u64 *bytes);
bsdvm_status_t bsdvm_snapshot_drop(struct bsdvm_map *map, u32 id);
bsdvm_status_t bsdvm_map_shadow(struct bsdvm_map *map, bsdvm_pindex_t first,
				bsdvm_pindex_t npages, void *pmap,
				struct bsdvm_map **new_map);

/* ---- faults ------------------------------------------------------------ */

#define BSDVM_FAULT_CHANGE_WIRING 0x01u	/* wire for the system */
#define BSDVM_FAULT_USER_WIRE	  0x02u	/* wire for the user */
#define BSDVM_FAULT_BURST	  0x04u	/* map neighbours as well (PF) */
#define BSDVM_FAULT_DIRTY	  0x08u	/* the access is a write */
#define BSDVM_FAULT_UNSWAP	  0x10u	/* free the stored copy (FP-17) */
#define BSDVM_FAULT_NOZERO	  0x20u	/* a hole is reported, not filled */
#define BSDVM_FAULT_WIRE_MASK \
	(BSDVM_FAULT_CHANGE_WIRING | BSDVM_FAULT_USER_WIRE)

/**
 * struct bsdvm_fault - one fault
 * @map:        where
 * @pindex:     which page of the map
 * @fault_type: BSDVM_PROT_* asked for
 * @flags:      BSDVM_FAULT_*
 * @pmap:       context for pmap enter, or NULL: the page is handed over
 * @present:    the page mapped read-only at this address, or NULL. If it is
 *              the page to write it is handed over, not entered
 * @page:       out: the page handed over, referenced and locked; NULL when it
 *              was entered
 * @prot:       out: protection the page may be mapped with
 * @hard:       out: a pager waited for I/O
 */
struct bsdvm_fault {
	struct bsdvm_map *map;
	bsdvm_pindex_t pindex;
	unsigned int fault_type;
	unsigned int flags;
	void *pmap;
	struct folio *present;

	struct folio *page;
	unsigned int prot;
	bool hard;
};

bsdvm_status_t bsdvm_fault(struct bsdvm_fault *fault);
bsdvm_status_t bsdvm_fault_page(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				unsigned int fault_type, unsigned int flags,
				struct folio **page);
bsdvm_status_t bsdvm_fault_object_page(struct bsdvm_object *object,
				       u64 byte_offset,
				       unsigned int fault_type,
				       unsigned int flags,
				       struct folio **page);
void bsdvm_fault_page_done(struct folio *page, unsigned int fault_type);

/* ---- what a map holds --------------------------------------------------- */

bsdvm_status_t bsdvm_map_seek_data(struct bsdvm_map *map,
				   bsdvm_pindex_t *pindex);
bsdvm_status_t bsdvm_map_seek_hole(struct bsdvm_map *map,
				   bsdvm_pindex_t *pindex);

#endif /* BSDVM_VMCORE_H */
