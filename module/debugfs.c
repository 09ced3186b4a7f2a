// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * debugfs: bsdvm/stats, one "name value" a line; bsdvm/tree, every family as a
 * tree of objects from the back to the front, with what refers to each.
 */

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "module.h"
#include "../vmcore/internal.h"
#include "../vmcore/info.h"
#include "../vmcore/map.h"
#include "../vmcore/object.h"
#include "../vmcore/stats.h"

static struct dentry *debugfs_dir;

static int stats_show(struct seq_file *m, void *unused)
{
	struct bsdvm_stats sum;

	bsdvm_stats_sum(&sum);
#define STATS_SHOW(name) seq_printf(m, #name " %lld\n", (long long)sum.name);
	BSDVM_EVENTS(STATS_SHOW)
	BSDVM_LIVE(STATS_SHOW)
#undef STATS_SHOW
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* Chains may have any length, lines may not. */
#define TREE_INDENT_MAX	64u

static void tree_show_object(struct seq_file *m, struct bsdvm_object *object,
			     unsigned int depth)
{
	unsigned int indent = 2 + 2 * min(depth, TREE_INDENT_MAX);
	struct bsdvm_entry *entry;

	seq_printf(m, "%*sobject %llu: pages %lu resident %ld refs %lu shadows %lu",
		   indent, "", object->id, object->size,
		   atomic_long_read(&object->resident), object->ref_count,
		   object->shadow_count);
	if (object->backing_object)
		seq_printf(m, " offset %lu", object->backing_offset);
	list_for_each_entry(entry, &object->entries, object_link)
		seq_printf(m, " map %llu", entry->map->id);
	seq_putc(m, '\n');
}

/* The next object after @object in the tree it is part of; NULL at the end. */
static struct bsdvm_object *tree_next(struct bsdvm_object *object,
				      unsigned int *depth)
{
	if (!list_empty(&object->shadows)) {
		(*depth)++;
		return list_first_entry(&object->shadows, struct bsdvm_object,
					shadow_link);
	}
	while (object->backing_object) {
		struct bsdvm_object *backing = object->backing_object;

		if (!list_is_last(&object->shadow_link, &backing->shadows))
			return list_next_entry(object, shadow_link);
		object = backing;
		(*depth)--;
	}
	return NULL;
}

static void tree_show_from(struct seq_file *m, struct bsdvm_object *object)
{
	unsigned int depth = 0;

	for (; object; object = tree_next(object, &depth)) {
		tree_show_object(m, object, depth);
		cond_resched();
	}
}

/*
 * From the back of a chain. What was passed on the way there is noted in
 * @shown: each tree is shown once, and each link followed once.
 */
static void tree_show_root_of(struct seq_file *m, struct bsdvm_object *object,
			      struct xarray *shown)
{
	struct bsdvm_object *root = NULL;

	for (; object; object = object->backing_object) {
		if (xa_insert(shown, object->id, xa_mk_value(1), GFP_KERNEL))
			return;
		root = object;
		cond_resched();
	}
	if (root)
		tree_show_from(m, root);
}

/* The map's lock comes before the family's, so it can only be tried. */
static void tree_show_map(struct seq_file *m, struct bsdvm_map *map,
			  struct xarray *shown)
{
	struct bsdvm_entry *entry;
	unsigned long last;

	if (!down_read_trylock(&map->lock)) {
		seq_printf(m, "  map %llu: changing\n", map->id);
		return;
	}
	seq_printf(m, "  map %llu: pages %lu\n", map->id, map->size);
	xa_for_each(&map->entries, last, entry)
		tree_show_root_of(m, entry->object, shown);
	up_read(&map->lock);
}

static void tree_show_snapshot(struct seq_file *m,
			       const struct bsdvm_snapshot *snapshot,
			       struct xarray *shown)
{
	unsigned int i;

	seq_printf(m, "  snapshot %u: of map %llu", snapshot->id,
		   snapshot->map_id);
	for (i = 0; i < snapshot->nsegments; i++)
		seq_printf(m, " object %llu", snapshot->segments[i].object->id);
	seq_putc(m, '\n');
	for (i = 0; i < snapshot->nsegments; i++)
		tree_show_root_of(m, snapshot->segments[i].object, shown);
}

static void tree_show_family(struct bsdvm_family *family, void *data)
{
	struct bsdvm_snapshot *snapshot;
	struct seq_file *m = data;
	struct bsdvm_map *map;
	struct xarray shown;
	unsigned long id;

	xa_init(&shown);
	bsdvm_family_lock(family);
	seq_printf(m, "family: snapshots %u\n", family->nsnapshots);
	list_for_each_entry(map, &family->maps, family_link)
		tree_show_map(m, map, &shown);
	xa_for_each(&family->snapshots, id, snapshot)
		tree_show_snapshot(m, snapshot, &shown);
	bsdvm_family_unlock(family);
	xa_destroy(&shown);
}

static int tree_show(struct seq_file *m, void *unused)
{
	bsdvm_family_for_each(tree_show_family, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tree);

/**
 * bsdvm_debugfs_init - make bsdvm/stats and bsdvm/tree
 *
 * Without debugfs there is nothing to see, which is no error. May sleep.
 */
void bsdvm_debugfs_init(void)
{
	debugfs_dir = debugfs_create_dir("bsdvm", NULL);
	debugfs_create_file("stats", 0444, debugfs_dir, NULL, &stats_fops);
	debugfs_create_file("tree", 0400, debugfs_dir, NULL, &tree_fops);
}

/**
 * bsdvm_debugfs_fini - remove what bsdvm_debugfs_init() made
 *
 * Sleeps until nobody reads there any more.
 */
void bsdvm_debugfs_fini(void)
{
	debugfs_remove(debugfs_dir);
}
