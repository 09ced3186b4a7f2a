/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What tests of the core share: a fake pmap, a scripted pager, helpers.
 *
 * The pmap stands for page tables and the processors using them: a table of
 * mappings under one lock, which every access through a mapping takes as well.
 * So an access is before or after a removal, never during it.
 *
 * The pager stands for any store: what it holds is listed page by page, with
 * the answers it is to give.
 *
 * Prefix fx_. A thread other than the test's own must not use cmocka's
 * assertions: fx_assert() aborts instead.
 */
#ifndef BSDVM_TESTS_FIXTURE_H
#define BSDVM_TESTS_FIXTURE_H

#include <setjmp.h>
#include <cmocka.h>

#include "twin.h"
#include "vmcore.h"
#include "busy.h"
#include "fault.h"
#include "info.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "resolve.h"
#include "stats.h"

#define fx_assert(cond) BUG_ON(!(cond))

/* ---- around each test --------------------------------------------------- */

/*
 * Setup starts the core with default knobs and counters at zero; teardown stops
 * it and fails if anything is left: objects, pages, mappings, locks, stored
 * pages, memory, warnings.
 */
int fx_setup(void **state);
int fx_teardown(void **state);

#define FX_TEST(name) \
	cmocka_unit_test_setup_teardown(name, fx_setup, fx_teardown)

/*
 * Runs @body in a child process, set up and torn down like a test. False: it
 * died or failed. For what would take the whole program down.
 */
bool fx_survives(void (*body)(void));

/* Invariants hold, mappings agree with the map, this thread holds nothing. */
void check_all(struct bsdvm_map *map);

/* An event or live count so far. */
#define fx_count(name) ({						\
	struct bsdvm_stats fx_sum_;					\
									\
	bsdvm_stats_sum(&fx_sum_);					\
	fx_sum_.name; })

#define fx_assert_status(got, want) \
	assert_int_equal((__force unsigned int)(got), \
			 (__force unsigned int)(want))

/* ---- maps and objects --------------------------------------------------- */

struct bsdvm_map *fx_map(bsdvm_pindex_t npages);
/* Drops the map's mappings, then the reference. Checks everything before. */
void fx_put(struct bsdvm_map *map);

/* Levels of a chain are counted from the front: 0 is the map's own object. */
#define FX_DEPTH_MAX 16

/* What fx_chain() made. Valid as long as nobody collapses anything. */
struct fx_chain {
	struct bsdvm_map *map;
	unsigned int depth;
	struct bsdvm_object *object[FX_DEPTH_MAX];
};

/*
 * A map of @npages pages on a chain of @depth objects, each with one reference
 * only, that of the object before it; hence fit for a rename, and left alone
 * only as long as no reference is dropped. @pages lists level by level what is
 * there, one letter for each page and '/' between levels: '.' nothing, '0' a
 * tombstone, any other letter a page full of that letter. NULL: no pages.
 * Example: fx_chain(2, 4, ".b0./ABCD").
 */
struct fx_chain fx_chain(unsigned int depth, bsdvm_pindex_t npages,
			 const char *pages);
/* One more reference on an object, and its end. */
void fx_ref(struct bsdvm_object *object);
void fx_unref(struct bsdvm_object *object);

/* Put a page full of @value there; @state is BSDVM_PAGE_*. */
struct folio *fx_add_page(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			  unsigned char value, unsigned long state);
/* What a slot holds; a page only if it is one. */
void *fx_slot(struct bsdvm_object *object, bsdvm_pindex_t pindex);
struct folio *fx_page(struct bsdvm_object *object, bsdvm_pindex_t pindex);
/* The object behind a page of a map, and the entry. Nobody else is active. */
struct bsdvm_object *fx_object(struct bsdvm_map *map, bsdvm_pindex_t pindex);
struct bsdvm_entry *fx_entry(struct bsdvm_map *map, bsdvm_pindex_t pindex);

/* ---- bytes -------------------------------------------------------------- */

/* The byte that fills a page; fails if its bytes differ. */
int fx_folio_byte(struct folio *page);
void fx_folio_fill(struct folio *page, unsigned char value);

/* By bsdvm_fault_page(): no mapping. fx_held_byte() returns -1 on an error. */
int fx_held_byte(struct bsdvm_map *map, bsdvm_pindex_t pindex);
bsdvm_status_t fx_held_fill(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			    unsigned char value);

/*
 * Through a mapping, faulting as a processor would: a write to what is mapped
 * for reading says which page that is. @space tells address spaces apart.
 * fx_mapped_byte() does not fault: -1 if nothing is mapped.
 */
bsdvm_status_t fx_touch(struct bsdvm_map *map, unsigned int space,
			bsdvm_pindex_t pindex, unsigned int access,
			unsigned int flags);
int fx_load(struct bsdvm_map *map, unsigned int space, bsdvm_pindex_t pindex);
bsdvm_status_t fx_store_byte(struct bsdvm_map *map, unsigned int space,
			     bsdvm_pindex_t pindex, unsigned char value);
int fx_mapped_byte(struct bsdvm_map *map, unsigned int space,
		   bsdvm_pindex_t pindex);

/* ---- the pmap ----------------------------------------------------------- */

/* The context of bsdvm_fault.pmap. */
struct fx_space {
	struct bsdvm_map *map;
	unsigned int space;
};

/* What is mapped there, or NULL, and how. */
struct folio *fx_mapped(struct bsdvm_map *map, unsigned int space,
			bsdvm_pindex_t pindex);
unsigned int fx_mapped_prot(struct bsdvm_map *map, unsigned int space,
			    bsdvm_pindex_t pindex);
/* Mappings of a map in all spaces. */
unsigned int fx_mappings(struct bsdvm_map *map);
/* Map a page, as somebody's earlier fault might have. */
void fx_map_page(struct bsdvm_map *map, unsigned int space,
		 bsdvm_pindex_t pindex, struct folio *page, unsigned int prot);

/* Calls so far, and the last removal. Set to zero at setup. */
extern struct fx_pmap_log {
	unsigned int enters;
	unsigned int removes;
	struct bsdvm_map *map;
	bsdvm_pindex_t first;
	bsdvm_pindex_t npages;
	unsigned int out_of_range;	/* removals beyond BSDVM_PAGES_MAX */
} fx_pmap_log;

/* So many more pages can be entered; then memory has run out. */
extern unsigned int fx_pmap_room;
/* Called first in enter and remove, in the caller's context. */
extern void (*fx_enter_hook)(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			     unsigned int n);
extern void (*fx_remove_hook)(struct bsdvm_map *map, bsdvm_pindex_t first,
			      bsdvm_pindex_t npages);

/* ---- the pager ---------------------------------------------------------- */

extern const struct bsdvm_pager_ops fx_pager;

/* A gate: who comes to it waits until it is opened. */
struct fx_gate {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned int arrived;
	bool open;
};

#define FX_GATE_INIT { .lock = PTHREAD_MUTEX_INITIALIZER, \
		       .cond = PTHREAD_COND_INITIALIZER }
void fx_gate_pass(struct fx_gate *gate);
void fx_gate_await(struct fx_gate *gate, unsigned int arrived);
void fx_gate_open(struct fx_gate *gate);

#define FX_SCRIPT_MAX 4

/*
 * One stored page. Only the test changes the script; the pager counts. Freed by
 * forget and dealloc.
 */
struct fx_stored {
	struct list_head link;
	struct bsdvm_object *object;
	bsdvm_pindex_t pindex;
	unsigned char value;
	/* the first answers, then @result */
	unsigned int nscript;
	enum bsdvm_pager_result script[FX_SCRIPT_MAX];
	enum bsdvm_pager_result result;
	unsigned int valid;		/* bytes provided */
	bool waits;			/* say that there was a wait */
	bool replace;			/* provide another page */
	struct fx_gate *gate;		/* where to wait meanwhile */
	void (*visit)(struct bsdvm_pager_request *req);
	/* what happened */
	unsigned int gets;
	int sequential;			/* last hint */
};

/* Store a page, answered OK with all bytes @value; gives @object the pager. */
struct fx_stored *fx_store(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			   unsigned char value);
struct fx_stored *fx_stored(struct bsdvm_object *object, bsdvm_pindex_t pindex);
/* Make an object one with a handle, as a file's or a device's. */
void fx_set_handle(struct bsdvm_object *object);

#define FX_LOG_MAX 64

extern struct fx_pager_log {
	unsigned int has_pages;
	unsigned int gets;
	unsigned int forgets;
	unsigned int collapses;
	unsigned int deallocs;
	unsigned int readaheads;
	struct bsdvm_object *readahead_object[FX_LOG_MAX];
	bsdvm_pindex_t readahead_pindex[FX_LOG_MAX];
} fx_pager_log;

/* Called in has_page, under RCU. */
extern void (*fx_has_page_hook)(struct bsdvm_object *object,
				bsdvm_pindex_t pindex);
/* Called in readahead, with nothing held. */
extern void (*fx_readahead_hook)(struct bsdvm_object *object,
				 bsdvm_pindex_t pindex);

/* ---- threads ------------------------------------------------------------ */

struct fx_thread {
	pthread_t thread;
	struct task_struct *task;	/* set when it runs */
	void (*body)(struct fx_thread *me);
	/* for the body, and for the test after fx_join() */
	struct bsdvm_map *map;
	struct bsdvm_object *object;
	bsdvm_pindex_t pindex;
	unsigned int access;
	unsigned int flags;
	unsigned char value;
	bsdvm_status_t status;
	void *arg;
	bool done;
};

void fx_spawn(struct fx_thread *thread, void (*body)(struct fx_thread *me));
void fx_join(struct fx_thread *thread);
/* Wait until it sleeps in the twin's schedule(); it must not end instead. */
void fx_await_sleep(struct fx_thread *thread);
/* Bodies: a held-page fault, a store and a load through a mapping. */
void fx_do_held(struct fx_thread *me);
void fx_do_touch(struct fx_thread *me);

#endif /* BSDVM_TESTS_FIXTURE_H */
