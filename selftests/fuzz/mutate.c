// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The corpus, and new programs made of it. */
#include <string.h>

#include "fuzz.h"

#define CORPUS_MAX	2048

static struct program corpus[CORPUS_MAX];
static unsigned int ncorpus;
static uint64_t dice = 1;

void random_seed(uint64_t seed)
{
	dice = seed ? seed : 1;
}

unsigned int random_below(unsigned int n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % n;
}

void corpus_add(const struct program *program)
{
	if (ncorpus < CORPUS_MAX)
		corpus[ncorpus++] = *program;
}

unsigned int corpus_size(void)
{
	return ncorpus;
}

const struct program *corpus_at(unsigned int i)
{
	return &corpus[i];
}

/* The latest are the ones that reach farthest. */
static const struct program *any(void)
{
	unsigned int n = random_below(ncorpus);

	return &corpus[random_below(2) ? n : ncorpus - 1 - n / 4];
}

static struct call random_call(void)
{
	struct call call = { .number = random_below(call_kinds) };
	unsigned int i;

	for (i = 0; i < CALL_ARGS; i++)
		call.arg[i] = random_below(256);
	return call;
}

static void insert(struct program *program)
{
	unsigned int at = random_below(program->ncalls + 1);

	if (program->ncalls == PROGRAM_CALLS)
		return;
	memmove(&program->calls[at + 1], &program->calls[at],
		(program->ncalls - at) * sizeof(struct call));
	program->calls[at] = random_call();
	program->ncalls++;
}

static void take_out(struct program *program)
{
	unsigned int at = random_below(program->ncalls);

	program->ncalls--;
	memmove(&program->calls[at], &program->calls[at + 1],
		(program->ncalls - at) * sizeof(struct call));
}

static void change(struct program *program)
{
	struct call *call = &program->calls[random_below(program->ncalls)];

	call->arg[random_below(CALL_ARGS)] = random_below(256);
}

/* The rest from another program. */
static void splice(struct program *program)
{
	const struct program *other = any();
	unsigned int at = random_below(program->ncalls);
	unsigned int from = random_below(other->ncalls);
	unsigned int n = other->ncalls - from;

	if (n > PROGRAM_CALLS - at)
		n = PROGRAM_CALLS - at;
	memcpy(&program->calls[at], &other->calls[from],
	       n * sizeof(struct call));
	program->ncalls = at + n;
}

static void mutate_once(struct program *program)
{
	switch (random_below(8)) {
	case 0:
		if (program->ncalls > 1)
			take_out(program);
		break;
	case 1:
		if (ncorpus)
			splice(program);
		break;
	case 2: case 3: case 4:
		change(program);
		break;
	default:
		insert(program);
	}
}

struct program mutate(void)
{
	struct program program = { .ncalls = 1 };
	unsigned int n = 1 + random_below(4);

	if (ncorpus && random_below(20)) {
		program = *any();
	} else {
		program.calls[0] = random_call();
		n += 10;
	}
	while (n--)
		mutate_once(&program);
	return program;
}
