/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The benchmark: what is measured, and what it is measured with. */
#ifndef BSDVM_BENCH_H
#define BSDVM_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PAGES	2048UL
#define BENCH_ROUNDS_MAX	64
#define BENCH_OUTPUTS	6

/**
 * struct scenario - a sequence of steps, some of them timed
 * @run:   one round; fills in the figures, each per page or per call
 * @value: of each figure, in each round
 */
struct scenario {
	void (*run)(double *figures);
	double value[BENCH_OUTPUTS][BENCH_ROUNDS_MAX];
};

/* Which figure of a scenario is which. */
enum { FILL_WRITE, FILL_AGAIN, FILL_UNMAP };
enum { READ_IN_ORDER, READ_RANDOM, READ_THEN_WRITE };
enum { SNAP_TAKE, SNAP_WRITE, SNAP_BOTH, SNAP_AGAIN, SNAP_FIXED };
enum { OPEN_OPEN, OPEN_CLOSE, OPEN_DROP };

extern struct scenario ours_fill, anon_fill, memfd_fill;
extern struct scenario ours_random, anon_random, memfd_random;
extern struct scenario ours_prefault, huge_fill;
extern struct scenario ours_read, memfd_read;
extern struct scenario ours_snapshot, fork_snapshot, private_snapshot;
extern struct scenario ours_small, ours_large, ours_open;

/* setup.c: memory, and the state of the machine */
extern const unsigned int *const bench_in_order, *const bench_random;

_Noreturn void bench_die(const char *what);
void bench_setup(void);
bool bench_enter_cgroup(void);
void bench_fast_fault(bool on);
int bench_memfd(void);
int bench_create(size_t npages);
char *bench_map(int fd, size_t npages, int flags);
void bench_unmap(char *p, size_t npages);

/* child.c */
struct bench_child {
	int pid;
	double fork;
};

struct bench_child bench_fork(void);
void bench_end(struct bench_child child);

/* clock.c */
uint64_t bench_now(void);
double bench_since(uint64_t start);
double bench_write(char *p, const unsigned int *order);
double bench_read(const char *p, const unsigned int *order);
bool bench_clock_counts_instructions(void);
void bench_wait_idle(void);

/* table.c */
int bench_table(unsigned int rounds);
void bench_conditions(bool instructions, bool cgroup, unsigned int rounds);
void bench_json(const char *file, bool instructions, bool cgroup,
		unsigned int rounds);

/* shootdown.c */
int bench_shootdowns(bool json);

#endif /* BSDVM_BENCH_H */
