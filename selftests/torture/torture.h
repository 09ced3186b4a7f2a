/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The torture: processes and threads work on families of maps, and know what
 * every page must hold.
 *
 * The model. A page holds some words, the rest is zero. For each page of each
 * map there is a cell, in memory that all processes share. Who changes a page
 * holds its cell's lock, and enters a new version: what the page is going to
 * hold, and two tickets of one clock, drawn before the change and after it.
 * Who looks at a page without the lock draws tickets as well. A version may be
 * seen from its own first ticket to the next version's last: what was seen
 * must have been possible at some moment between the looker's tickets.
 *
 * A snapshot is all pages at one moment, so there must be one moment that suits
 * all of them: history.c and cut.c.
 *
 * A process may be killed at any moment. Its locks are robust; a version that
 * it left unfinished is finished by the next owner of the lock: recover.c.
 */
#ifndef BSDVM_TORTURE_H
#define BSDVM_TORTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bsdvm_util.h"

#define NPAGES		24	/* of a map, at most */
#define LENGTH		(NPAGES * PAGE)
#define MAPS		16
#define SNAPS		40
#define PROCESSES_MAX	8
#define THREADS_MAX	4
#define HELD_MAPS	2	/* by a thread, at a time */
#define WORDS		9	/* the last one is a byte, at the page's end */
#define BYTE_WORD	(WORDS - 1)
#define RING		64	/* versions remembered of each page */
#define PINS		4	/* held by a thread, at most */

/* The value of every word of a page behind the end of the map. */
#define GONE		UINT64_MAX
/* The last ticket of a version that is being made. */
#define UNFINISHED	UINT64_MAX

struct options {
	unsigned int seconds;
	uint64_t seed;
	unsigned int processes;
	unsigned int threads;
	bool pressure;
	bool cgroup;
};

struct content {
	uint64_t word[WORDS];
};

/* How a version comes about. */
enum kind {
	KIND_STORE,	/* word by word, in ascending order */
	KIND_PINNED,	/* through a hold on the page: in any order */
	KIND_PUNCH,
	KIND_RESIZE,
};

struct version {
	_Atomic uint64_t start;
	_Atomic uint64_t end;
	enum kind kind;
	struct content content;
};

/**
 * struct cell - what a page holds, and held
 * @lock:  of who changes the page; robust
 * @count: versions so far; the newest is ring[(count - 1) % RING]
 * @epoch: how often the page itself was given up
 */
struct cell {
	pthread_mutex_t lock;
	_Atomic uint64_t count;
	uint32_t epoch;
	struct version ring[RING];
};

/* FREE -> RESERVED by a thread -> LIVE -> RETIRED -> FREE, by the broker. */
enum slot_state { SLOT_FREE, SLOT_RESERVED, SLOT_LIVE, SLOT_RETIRED };

/**
 * struct map_slot - a map in the model
 * @state:  enum slot_state; written by the broker alone
 * @family: which maps descend from the same map
 * @layout: of who resizes or wires; robust; before the locks of cells
 * @npages: under @layout
 * @wired:  under @layout: by the user
 */
struct map_slot {
	_Atomic int state;
	uint64_t family;
	pthread_mutex_t layout;
	unsigned int npages;
	bool wired[NPAGES];
	struct cell cell[NPAGES];
};

/**
 * struct snap_slot - a snapshot in the model, all under @lock
 * @lock:    robust; never waited for with another lock held
 * @live:    the rest is valid
 * @serial:  changes whenever the slot is used anew
 * @family:  whose snapshot
 * @id:      in the family
 * @npages:  of the map then
 * @content: of its pages
 */
struct snap_slot {
	pthread_mutex_t lock;
	bool live;
	uint64_t serial;
	uint64_t family;
	uint32_t id;
	unsigned int npages;
	struct content content[NPAGES];
};

/* Everything that all processes share. */
struct shared {
	struct options options;
	_Atomic uint64_t clock;
	_Atomic bool stop;
	_Atomic bool failed;
	char failure[8192];
	_Atomic uint64_t lost;		/* questions too old for a ring */
	_Atomic uint64_t recovered;	/* versions finished for the dead */
	_Atomic uint64_t pressed;	/* times that memory was used up */
	_Atomic uint64_t done[64];	/* by number of the operation */
	/* Slot plus one. Set by the thread, cleared by it or by the broker. */
	_Atomic int holds[PROCESSES_MAX][THREADS_MAX][HELD_MAPS];
	struct map_slot map[MAPS];
	struct snap_slot snap[SNAPS];
};

extern struct shared *shared;

/* A map that a thread works with, if @slot is not -1. */
struct attach {
	int slot;
	struct map_slot *map;
	int fd;
	unsigned char *p;
	bool split;	/* the mapping, in several */
};

struct held_pin {
	int handle;
	int slot;
	unsigned int page;
	uint32_t epoch;
};

struct thread {
	unsigned int process;
	unsigned int index;
	int socket;		/* to the broker */
	pthread_mutex_t *talk;	/* one request of a process at a time */
	uint64_t random;
	int pin_dev;
	unsigned int npins;
	struct held_pin pin[PINS];
	struct attach at[HELD_MAPS];
	pthread_t thread;
};

/* random.c */
uint64_t random_next(uint64_t *state);
unsigned int random_below(struct thread *t, unsigned int limit);
void random_range(struct thread *t, unsigned int npages, unsigned int *first,
		  unsigned int *last);

/* shared.c */
void shared_create(const struct options *options);
bool robust_lock(pthread_mutex_t *lock);
bool robust_trylock(pthread_mutex_t *lock, bool *orphaned);
uint64_t tick(void);
void complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* content.c */
size_t word_offset(unsigned int word);
size_t word_size(unsigned int word);
uint64_t word_stamp(uint64_t ticket, unsigned int word);
bool word_is_torn(uint64_t value, unsigned int word);
void content_fill(struct content *content, uint64_t value);
bool content_equal(const struct content *a, const struct content *b);
bool content_is_gone(const struct content *content);
bool content_from_page(struct content *content, const unsigned char *page);
void content_to_page(const struct content *content, unsigned char *page);
int content_print(char *text, size_t size, const struct content *content);

/* history.c */
struct span {
	uint64_t from;	/* possible behind this ticket */
	uint64_t to;	/* and before this one */
};

void cell_reset(struct cell *cell, const struct content *content);
struct version *cell_newest(struct cell *cell);
const struct content *cell_now(struct cell *cell);
void version_begin(struct cell *cell, enum kind kind, uint64_t start,
		   const struct content *content);
void version_commit(struct cell *cell);
void version_cancel(struct cell *cell);
const struct content *version_before(struct cell *cell);
bool history_allows_word(struct cell *cell, unsigned int word, uint64_t value,
			 uint64_t t0, uint64_t t1);
int history_spans(struct cell *cell, const struct content *seen, uint64_t t0,
		  uint64_t t1, struct span *spans, int max);

/* cut.c */
void cut_expect(struct attach *at, const char *what, unsigned int first,
		const struct content *seen, unsigned int npages, uint64_t t0,
		uint64_t t1);

/* recover.c */
unsigned int size_in_pages(int fd);
void cell_lock(struct attach *at, unsigned int page);
void cell_unlock(struct attach *at, unsigned int page);
void cell_lock_range(struct attach *at, unsigned int first, unsigned int last);
void cell_unlock_range(struct attach *at, unsigned int first,
		       unsigned int last);
void layout_lock(struct attach *at);
void layout_unlock(struct attach *at);

/* access.c */
void access_catch(void);
int access_load(const volatile unsigned char *p, unsigned int word,
		uint64_t *value);
int access_store(volatile unsigned char *p, unsigned int word, uint64_t value);
bool access_write(struct attach *at, unsigned int page,
		  const struct content *content, unsigned int first,
		  unsigned int last);
int access_copy(const unsigned char *p, unsigned char *bytes);
bool access_poke(struct attach *at, unsigned int page,
		 const struct content *content, unsigned int first,
		 unsigned int last);
bool access_peek(const unsigned char *p, struct content *content);
bool access_pread(int fd, unsigned int page, struct content *content);
bool access_retry(int error, unsigned int *tries);
bool access_read_map(int fd, struct content *content, unsigned int npages);

/* client.c */
int client_get(struct thread *t, int slot);
int client_reserve(struct thread *t, uint64_t family);
bool client_publish(struct thread *t, int slot, int fd);
void client_retire(struct thread *t, int slot);
void client_hold(struct thread *t, unsigned int i, int slot);

/* broker.c */
void broker_add(unsigned int process, int socket);
void broker_serve(int timeout);
void broker_forget(unsigned int process);
int broker_fd(int slot);
void broker_close(void);

/* attach.c */
bool attach_map(struct thread *t, unsigned int i, int slot);
void attach_new(struct thread *t, int slot, int fd,
		const struct content *content, unsigned int npages);
void attach_drop(struct thread *t, unsigned int i);
struct attach *attach_any(struct thread *t);

/* The operations: op_page.c, op_range.c, op_snap.c, op_vma.c, op_pin.c */
void op_read(struct thread *t, struct attach *at);
void op_look(struct thread *t, struct attach *at);
void op_write(struct thread *t, struct attach *at);
void op_sweep(struct thread *t, struct attach *at);
void op_punch(struct thread *t, struct attach *at);
void op_truncate(struct thread *t, struct attach *at);
void op_wire(struct thread *t, struct attach *at);
void op_unwire(struct thread *t, struct attach *at);
void op_create(struct thread *t, struct attach *at);
void op_switch(struct thread *t, struct attach *at);
void op_retire(struct thread *t, struct attach *at);
void op_snapshot(struct thread *t, struct attach *at);
void op_open(struct thread *t, struct attach *at);
void op_drop(struct thread *t, struct attach *at);
void op_shadow(struct thread *t, struct attach *at);
void op_move(struct thread *t, struct attach *at);
void op_protect(struct thread *t, struct attach *at);
void op_unmap(struct thread *t, struct attach *at);
void op_advise(struct thread *t, struct attach *at);
void op_lock(struct thread *t, struct attach *at);
void op_fork(struct thread *t, struct attach *at);
void op_pin(struct thread *t, struct attach *at);
void op_pin_write(struct thread *t, struct attach *at);
void op_pin_release(struct thread *t, struct attach *at);
void op_show(struct thread *t, struct attach *at);
void op_check(struct thread *t, struct attach *at);
void op_private(struct thread *t, struct attach *at);

/* page.c */
void page_complain(const struct attach *at, unsigned int page,
		   const struct content *seen, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void page_expect(struct thread *t, struct attach *at, unsigned int page);
void page_write(struct thread *t, struct attach *at, unsigned int page);

/* worker.c */
_Noreturn void worker_main(unsigned int process, uint64_t seed, int socket);
void worker_judge(void);

/* verify.c */
void verify_all(void);

/* pressure.c */
pid_t pressure_start(void);

/* cgroup.c */
bool cgroup_create(void);
void cgroup_enter_workers(void);
pid_t cgroup_offender(void);
long cgroup_oom_kills(void);
long cgroup_charge(void);
void cgroup_remove(void);

/* crowd.c: the processes */
void crowd_run(void);

#endif /* BSDVM_TORTURE_H */
