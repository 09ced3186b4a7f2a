/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Maps: locking, lookup for a fault, entries. */
#ifndef BSDVM_VMCORE_MAP_H
#define BSDVM_VMCORE_MAP_H

/**
 * struct bsdvm_lookup - what a fault asks of a map, and what it learns
 * @map:        where
 * @pindex:     page of the map
 * @fault_type: BSDVM_PROT_* wanted, perhaps with BSDVM_PROT_OVERRIDE; widened
 *              to the entry's protection if the entry is wired (M-14)
 * @want_top:   the result must be an object of the map's own, as for a write
 * @entry:      out: valid while map->lock is held
 * @object:     out: the entry's object
 * @index:      out: the page's index in @object
 * @prot:       out: what the page may be mapped with (M-15, M-16)
 * @wired:      out: the entry is wired
 * @generation: out: map->generation of this lookup (F-10)
 */
struct bsdvm_lookup {
	struct bsdvm_map *map;
	bsdvm_pindex_t pindex;
	unsigned int fault_type;
	bool want_top;

	struct bsdvm_entry *entry;
	struct bsdvm_object *object;
	bsdvm_pindex_t index;
	unsigned int prot;
	bool wired;
	u64 generation;
};

/**
 * bsdvm_entry_needs_copy - is what the entry shows frozen?
 * @entry: its map locked
 *
 * Return: true if a write must push a shadow first (M-16, M-18).
 */
static inline bool bsdvm_entry_needs_copy(const struct bsdvm_entry *entry)
{
	return entry->flags & BSDVM_ENTRY_NEEDS_COPY;
}

/**
 * bsdvm_entry_npages - length of an entry
 * @entry: its map locked, or unreachable
 *
 * Return: pages, at least 1.
 */
static inline bsdvm_pindex_t bsdvm_entry_npages(const struct bsdvm_entry *entry)
{
	return entry->last - entry->start + 1;
}

/**
 * bsdvm_entry_index - where in its object an entry has a page
 * @entry:  its map locked, or unreachable
 * @pindex: page of the map, usually within the entry
 *
 * Return: index in the entry's object, in pages (M-20).
 */
static inline bsdvm_pindex_t bsdvm_entry_index(const struct bsdvm_entry *entry,
					       bsdvm_pindex_t pindex)
{
	return pindex - entry->start + entry->offset;
}

/**
 * bsdvm_entry_next - the entry behind another
 * @map:   locked
 * @entry: of @map
 *
 * Return: the entry, or NULL behind the last one.
 */
static inline struct bsdvm_entry *bsdvm_entry_next(const struct bsdvm_map *map,
						   struct bsdvm_entry *entry)
{
	return list_is_last(&entry->map_link, &map->entry_list) ?
	       NULL : list_next_entry(entry, map_link);
}

int bsdvm_map_init(void);
void bsdvm_map_fini(void);

bsdvm_status_t bsdvm_map_lookup(struct bsdvm_lookup *lookup);
bsdvm_status_t bsdvm_map_lock(struct bsdvm_map *map);
void bsdvm_map_lock_always(struct bsdvm_map *map);
bsdvm_status_t bsdvm_map_lock_shared(struct bsdvm_map *map);
bool bsdvm_map_relock_shared(struct bsdvm_map *map, u64 generation);
void bsdvm_map_unlock(struct bsdvm_map *map);
void bsdvm_map_unlock_shared(struct bsdvm_map *map);

struct bsdvm_map *bsdvm_map_alloc(struct bsdvm_family *family,
				  bsdvm_pindex_t size, void *pmap);
struct bsdvm_entry *bsdvm_map_entry_at(struct bsdvm_map *map,
				       bsdvm_pindex_t pindex);
struct bsdvm_entry *bsdvm_map_entry_from(struct bsdvm_map *map,
					 bsdvm_pindex_t pindex);

/* entry.c */
struct bsdvm_entry *bsdvm_entry_insert(struct bsdvm_map *map,
				       bsdvm_pindex_t start,
				       bsdvm_pindex_t last,
				       struct bsdvm_object *object,
				       bsdvm_pindex_t offset,
				       unsigned int flags);
void bsdvm_entry_copy(struct bsdvm_entry *to, const struct bsdvm_entry *from);
void bsdvm_entry_remove(struct bsdvm_entry *entry);
bsdvm_status_t bsdvm_entry_clip(struct bsdvm_map *map, bsdvm_pindex_t pindex);
bsdvm_status_t bsdvm_entry_clip_range(struct bsdvm_map *map,
				      bsdvm_pindex_t first,
				      bsdvm_pindex_t last);
void bsdvm_entry_simplify(struct bsdvm_map *map, bsdvm_pindex_t first,
			  bsdvm_pindex_t last);
void bsdvm_entry_set_object(struct bsdvm_entry *entry,
			    struct bsdvm_object *object, bsdvm_pindex_t offset);
bsdvm_status_t bsdvm_entry_make_top(struct bsdvm_entry *entry);
bsdvm_status_t bsdvm_entry_make_top_killable(struct bsdvm_entry *entry);

/* punch.c */
void bsdvm_entry_await(struct bsdvm_entry *entry);

/* wire.c */
void bsdvm_entry_unwire(struct bsdvm_entry *entry);
void bsdvm_entry_unwire_range(struct bsdvm_entry *entry, bsdvm_pindex_t first,
			      bsdvm_pindex_t last);
void bsdvm_entry_rewire_range(struct bsdvm_entry *entry, bsdvm_pindex_t first,
			      bsdvm_pindex_t last);
bool bsdvm_entry_wired_own(const struct bsdvm_entry *entry,
			   bsdvm_pindex_t first, bsdvm_pindex_t last);

/* Entries from the one at or after page @_from up to page @_to, ascending. */
#define bsdvm_for_each_entry(_map, _entry, _from, _to)			\
	for ((_entry) = bsdvm_map_entry_from(_map, _from);		\
	     (_entry) && (_entry)->start <= (_to);			\
	     (_entry) = bsdvm_entry_next(_map, _entry))

#endif /* BSDVM_VMCORE_MAP_H */
