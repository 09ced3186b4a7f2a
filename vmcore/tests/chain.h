/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What tests of chains share, beside the fixture: maps as strings of letters.
 *
 * In such a string each character stands for a page: '.' reads zero, a letter
 * is a page full of that letter. Prefix ch_.
 */
#ifndef BSDVM_TESTS_CHAIN_H
#define BSDVM_TESTS_CHAIN_H

#include "fixture.h"

/* A map that reads as @pages says. */
struct bsdvm_map *ch_map(const char *pages);

/*
 * The byte that fills a page, zero for a hole, -1 for an error. Makes no page,
 * though perhaps an object.
 */
int ch_peek(struct bsdvm_map *map, bsdvm_pindex_t pindex);
/* FNV-1a over the size and all bytes of the map; a hole counts as zeroes. */
u64 ch_hash(struct bsdvm_map *map);

/* Writes that must succeed; the invariants are checked after each. */
void ch_write(struct bsdvm_map *map, bsdvm_pindex_t pindex,
	      unsigned char value);

/* Compare the whole map with a string, of its size. */
#define ch_expect(map, pages) ch_expect_at(map, pages, __FILE__, __LINE__)
void ch_expect_at(struct bsdvm_map *map, const char *pages, const char *file,
		  int line);
/* The same for a snapshot, opened for the purpose and closed again. */
#define ch_expect_snapshot(map, id, pages) \
	ch_expect_snapshot_at(map, id, pages, __FILE__, __LINE__)
void ch_expect_snapshot_at(struct bsdvm_map *map, u32 id, const char *pages,
			   const char *file, int line);

u32 ch_snapshot(struct bsdvm_map *map);
struct bsdvm_map *ch_open(struct bsdvm_map *map, u32 id);
void ch_drop(struct bsdvm_map *map, u32 id);
struct bsdvm_map *ch_shadow(struct bsdvm_map *map, bsdvm_pindex_t first,
			    bsdvm_pindex_t npages);
void ch_punch(struct bsdvm_map *map, bsdvm_pindex_t first, bsdvm_pindex_t last);
void ch_resize(struct bsdvm_map *map, bsdvm_pindex_t size);
void ch_wire(struct bsdvm_map *map, bsdvm_pindex_t first, bsdvm_pindex_t last);
void ch_unwire(struct bsdvm_map *map, bsdvm_pindex_t first,
	       bsdvm_pindex_t last);

/* Objects in the chain behind a page. */
unsigned int ch_depth(struct bsdvm_map *map, bsdvm_pindex_t pindex);
/* Entries of a map. */
unsigned int ch_entries(struct bsdvm_map *map);

/* As a driver with a pin: one more reference on the page of the top object. */
struct folio *ch_pin(struct bsdvm_map *map, bsdvm_pindex_t pindex);

/* As Linux marks broken memory: with a reference of its own. */
void ch_break(struct folio *page);

/* "ABCDE", shown from behind; pages 0 to 2, which cannot be written, wired. */
struct fx_chain ch_wired_behind(void);

/* What the checker finds violated, or zero. */
unsigned int ch_violated(struct bsdvm_map *map);

/*
 * Fault page 1 of @map; @body, in another thread, sleeps for the page that is
 * locked, until it was mapped as Linux maps what it got locked.
 */
void ch_wait_for_fault(struct bsdvm_map *map, unsigned int fault_type,
		       void (*body)(struct fx_thread *me));

/* Run @hook once, before @lock is taken next by anybody. */
void ch_before_lock(const void *lock, void (*hook)(void));

#endif /* BSDVM_TESTS_CHAIN_H */
