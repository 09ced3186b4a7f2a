/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A fuzzer of the device, of maps and of system calls on them, for a kernel
 * with KCOV. It runs in the guest; tools/fuzz starts it.
 *
 * A program is a list of calls of eight bytes: which one, and its arguments.
 * Any bytes are a program.
 */
#ifndef BSDVM_FUZZ_H
#define BSDVM_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define CALL_ARGS	7
#define PROGRAM_CALLS	24

struct call {
	uint8_t number;
	uint8_t arg[CALL_ARGS];
};

struct program {
	unsigned int ncalls;
	struct call calls[PROGRAM_CALLS];
};

/* ---- calls.c ---- */

extern const unsigned int call_kinds;

/* Once, before the first program: memory, and the faults to be injected. */
void calls_begin(void);
/*
 * Run a program and close everything it opened. Aborts on an undocumented
 * error, on a map that a failed request changed, on a violated invariant.
 */
void calls_run(const struct program *program);
void program_print(const struct program *program);

/* ---- values.c: what bytes stand for ---- */

/* Offsets and lengths: mostly pages of a small map, at times anything. */
uint64_t value_offset(uint8_t byte);
/* 32-bit numbers: small ones, single bits, all ones. */
uint32_t value_number(uint8_t byte);

/* ---- cover.c ---- */

/* False: this kernel has no KCOV. */
bool cover_begin(void);
void cover_start(void);
/* Edges of the call sequence since cover_start() that no program had before. */
unsigned int cover_stop(void);
unsigned int cover_edges(void);

/* ---- mutate.c ---- */

void random_seed(uint64_t seed);
unsigned int random_below(unsigned int n);
/* A new program, from one of the corpus or, at first, from nothing. */
struct program mutate(void);
void corpus_add(const struct program *program);
unsigned int corpus_size(void);
const struct program *corpus_at(unsigned int i);

/* ---- text.c: programs as one line of hexadecimal digits ---- */

void program_write(const char *what, const struct program *program);
bool program_parse(const char *line, struct program *program);

#endif /* BSDVM_FUZZ_H */
