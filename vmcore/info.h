/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Questions about maps, entries, snapshots, objects; and the checker. */
#ifndef BSDVM_VMCORE_INFO_H
#define BSDVM_VMCORE_INFO_H

/**
 * struct bsdvm_map_summary - a map in numbers
 * @generation: map->generation
 * @resident:   pages in the map's own objects: those it writes to in place, and
 *              those that one entry of it alone refers to
 * @reachable:  pages in all objects of its chains
 * @wired:      pages in wired entries
 * @entries:    number of entries
 * @depth:      objects in the longest chain
 * @snapshots:  snapshots in the family
 * @maps:       maps in the family
 */
struct bsdvm_map_summary {
	u64 generation;
	u64 resident;
	u64 reachable;
	u64 wired;
	unsigned int entries;
	unsigned int depth;
	unsigned int snapshots;
	unsigned int maps;
};

/**
 * struct bsdvm_object_summary - an object in numbers
 * @id:             the object
 * @backing_id:     the object behind it, or zero
 * @backing_offset: in pages
 * @size:           in pages
 * @resident:       pages
 * @ref_count:      references
 * @shadow_count:   objects directly in front of it
 * @collapsing:     its pages are moving into its shadow
 */
struct bsdvm_object_summary {
	u64 id;
	u64 backing_id;
	bsdvm_pindex_t backing_offset;
	bsdvm_pindex_t size;
	u64 resident;
	unsigned long ref_count;
	unsigned long shadow_count;
	bool collapsing;
};

/**
 * struct bsdvm_snapshot_summary - a snapshot in numbers
 * @id:        the snapshot
 * @map_id:    of which map
 * @bytes:     size of that map then
 * @object_id: its first object, or zero
 */
struct bsdvm_snapshot_summary {
	u32 id;
	u64 map_id;
	u64 bytes;
	u64 object_id;
};

bsdvm_status_t bsdvm_map_resident(struct bsdvm_map *map, u64 *pages);
bsdvm_status_t bsdvm_map_summary(struct bsdvm_map *map,
				 struct bsdvm_map_summary *sum);
bsdvm_pindex_t bsdvm_map_user_wired(struct bsdvm_map *map, bsdvm_pindex_t first,
				    bsdvm_pindex_t last);
bsdvm_status_t bsdvm_map_user_wire_need(struct bsdvm_map *map,
					bsdvm_pindex_t first,
					bsdvm_pindex_t last,
					bsdvm_pindex_t *npages);
bsdvm_status_t bsdvm_entry_query(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				 struct bsdvm_entry *copy, u64 *object_id);
bsdvm_status_t bsdvm_object_query(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				  unsigned int depth,
				  struct bsdvm_object_summary *sum);
bsdvm_status_t bsdvm_snapshot_query(struct bsdvm_map *map, u32 id,
				    struct bsdvm_snapshot_summary *sum);

/**
 * struct bsdvm_report - what the checker saw
 * @violated: number of the first invariant of section 1 that does not hold,
 *            or zero
 * @objects:  objects visited
 * @pages:    pages visited
 */
struct bsdvm_report {
	unsigned int violated;
	u64 objects;
	u64 pages;
};

bsdvm_status_t bsdvm_family_check(struct bsdvm_map *map,
				  struct bsdvm_report *report);

/* For each family, under the lock of the list; see debugfs. */
void bsdvm_family_for_each(void (*visit)(struct bsdvm_family *family,
					 void *data), void *data);

#endif /* BSDVM_VMCORE_INFO_H */
