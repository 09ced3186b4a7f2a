/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A naive model of families of maps: every map and every snapshot is an array
 * of bytes of its own. Operations are done to the core and to the model, and
 * both are compared.
 *
 * What is done is decided by whoever answers model_roll: a random number
 * generator (model_test.c) or the input of a fuzzer (fuzz/model_fuzz.c). A
 * difference aborts. Prefix model_; BSDVM_TRACE=1 prints the operations.
 */
#ifndef BSDVM_TESTS_MODEL_H
#define BSDVM_TESTS_MODEL_H

#include "chain.h"

#define MODEL_MAPS	5
#define MODEL_SNAPSHOTS	6
#define MODEL_PINS	3
#define MODEL_PAGES	20

/* ---- for drivers ----------------------------------- */

/* A number below @n, which is at most 2^16. */
extern unsigned long (*model_roll)(unsigned long n);
/* Which run this is, for the message that ends it. */
extern char model_origin[64];

/* Operations, for model_run(). */
extern const unsigned int model_operations;

void model_begin(unsigned long (*roll)(unsigned long n));
/* Do one operation, check the invariants. */
void model_run(unsigned int operation);
/* The same with an operation rolled, likely ones more often. */
void model_run_any(void);
/* Compare a page of each map; every byte of each map; snapshots as well. */
void model_compare_sample(void);
void model_compare_maps(void);
void model_compare_everything(void);
/* Close all maps. */
void model_end(void);

/* ---- for operations ----------------------------------- */

struct model_map {
	struct bsdvm_map *map;
	bsdvm_pindex_t size;
	unsigned int sys[MODEL_PAGES];
	bool user[MODEL_PAGES];
	bool read_only[MODEL_PAGES];
	bool max_read_only[MODEL_PAGES];
	unsigned char bytes[MODEL_PAGES * PAGE_SIZE];
};

struct model_snapshot {
	struct bsdvm_family *family;
	u32 id;
	bsdvm_pindex_t size;
	unsigned char bytes[MODEL_PAGES * PAGE_SIZE];
};

struct model_pin {
	struct folio *page;
	struct model_map *map;
	bsdvm_pindex_t pindex;
};

extern struct model_map model_maps[MODEL_MAPS];
extern struct model_snapshot model_snapshots[MODEL_SNAPSHOTS];
extern struct model_pin model_pins[MODEL_PINS];

struct model_operation {
	unsigned int weight;
	void (*run)(void);
};

extern const struct model_operation model_table[];

_Noreturn void model_fail(const char *what, const char *file, int line);
#define model_assert(cond) \
	((cond) ? (void)0 : model_fail(#cond, __FILE__, __LINE__))

void model_trace(const char *fmt, ...) __printf(1, 2);

/*
 * Did it succeed? It must have come to @expected, unless memory was made short
 * and it says so: nothing has changed then.
 */
#define model_came_to(status, expected) \
	model_came_to_at(status, expected, #status, __FILE__, __LINE__)
bool model_came_to_at(bsdvm_status_t status, bsdvm_status_t expected,
		      const char *what, const char *file, int line);
/* Run another operation while some allocation of pages or memory fails. */
void model_run_short(void);

struct model_map *model_any_map(void);
struct model_map *model_free_map(void);
struct model_map *model_map_of(struct bsdvm_family *family);
/* A range within the map: false if there is none. */
bool model_any_range(const struct model_map *m, bsdvm_pindex_t *first,
		     bsdvm_pindex_t *last);
unsigned char *model_page(struct model_map *m, bsdvm_pindex_t pindex);
/* What a write to a page comes to. */
bsdvm_status_t model_may_write(const struct model_map *m, bsdvm_pindex_t at);
/* The page of the map has these bytes; a hole has zeroes. */
void model_compare_page(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			const unsigned char *expected);
void model_close(struct model_map *m);

/* Operations on pagers and knobs: model_pager.c. */
void model_op_page_out(void);
void model_op_readahead(void);
void model_op_knobs(void);

#endif /* BSDVM_TESTS_MODEL_H */
