// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The versions of a page. They are written under the cell's lock and read
 * without it: a version is complete before it is counted, and one that may be
 * overwritten meanwhile is not relied upon.
 */

#include "torture.h"

static struct version *version_at(struct cell *cell, uint64_t number)
{
	return &cell->ring[number % RING];
}

void cell_reset(struct cell *cell, const struct content *content)
{
	struct version *version = version_at(cell, 0);

	version->start = 0;
	version->end = 0;
	version->kind = KIND_PUNCH;
	version->content = *content;
	cell->epoch++;
	cell->count = 1;
}

/* Entry: the cell locked, as everything up to history_allows_word(). */
struct version *cell_newest(struct cell *cell)
{
	return version_at(cell, cell->count - 1);
}

const struct content *cell_now(struct cell *cell)
{
	return &cell_newest(cell)->content;
}

const struct content *version_before(struct cell *cell)
{
	return &version_at(cell, cell->count - 2)->content;
}

/* From now on the page may, but need not, hold @content. */
void version_begin(struct cell *cell, enum kind kind, uint64_t start,
		   const struct content *content)
{
	struct version *version = version_at(cell, cell->count);

	version->start = start;
	version->end = UNFINISHED;
	version->kind = kind;
	version->content = *content;
	cell->count++;
}

/* From now on it must. */
void version_commit(struct cell *cell)
{
	cell_newest(cell)->end = tick();
}

/* It never came about. */
void version_cancel(struct cell *cell)
{
	cell->count--;
}

/* A walk back through the versions, from the newest. */
struct walk {
	struct cell *cell;
	uint64_t count;
	uint64_t number;	/* of the version looked at */
	uint64_t replaced;	/* when the version was surely replaced */
};

static void walk_begin(struct walk *walk, struct cell *cell)
{
	walk->cell = cell;
	walk->count = cell->count;
	walk->number = walk->count - 1;
	walk->replaced = UNFINISHED;
}

/* Has the version been overwritten, or may it have been? */
static bool walk_is_lost(const struct walk *walk)
{
	return walk->cell->count - walk->number >= RING - 1;
}

/* Returns false behind the first version. */
static bool walk_back(struct walk *walk)
{
	walk->replaced = version_at(walk->cell, walk->number)->end;
	return walk->number--;
}

static bool lost(void)
{
	atomic_fetch_add(&shared->lost, 1);
	return true;
}

/*
 * May a look that lasted from @t0 to @t1 have seen @value, as far as it is in
 * @mask?
 */
static bool history_allows_bits(struct cell *cell, unsigned int word,
				uint64_t value, uint64_t mask, uint64_t t0,
				uint64_t t1)
{
	struct version *version;
	struct walk walk;
	bool same;

	walk_begin(&walk, cell);
	do {
		version = version_at(cell, walk.number);
		same = !((version->content.word[word] ^ value) & mask) &&
		       version->start < t1;
		if (walk_is_lost(&walk))
			return lost();
		if (walk.replaced < t0)
			return false;
		if (same)
			return true;
	} while (walk_back(&walk));
	return false;
}

/*
 * May a look that lasted from @t0 to @t1 have seen this? Bytes that were copied
 * one by one are judged one by one.
 */
bool history_allows_word(struct cell *cell, unsigned int word, uint64_t value,
			 uint64_t t0, uint64_t t1)
{
	uint64_t mask;

	if (!word_is_torn(value, word))
		return history_allows_bits(cell, word, value, ~0ULL, t0, t1);
	for (mask = 0xff; mask; mask <<= 8)
		if (!history_allows_bits(cell, word, value, mask, t0, t1))
			return false;
	return true;
}

/* Is @seen the one or the other, or, if need be, some bytes of each? */
static bool word_is_of(uint64_t seen, uint64_t older, uint64_t newer,
		       bool by_byte)
{
	uint64_t mask;

	if (seen == older || seen == newer)
		return true;
	for (mask = 0xff; by_byte && mask; mask <<= 8)
		by_byte = !((seen ^ older) & mask) || !((seen ^ newer) & mask);
	return by_byte;
}

/*
 * Is @seen what is half-way from @older to @newer? What is written through a
 * hold may be copied at the same time, and both byte by byte.
 */
static bool content_is_between(const struct content *seen,
			       const struct content *older,
			       const struct version *newer)
{
	bool pinned = newer->kind == KIND_PINNED, old = false;
	unsigned int j;

	for (j = 0; j < WORDS; j++) {
		if (!word_is_of(seen->word[j], older->word[j],
				newer->content.word[j], pinned))
			return false;
		if (pinned)
			continue;
		if (old && seen->word[j] != older->word[j])
			return false;
		old |= seen->word[j] != newer->content.word[j];
	}
	return true;
}

/* Returns whether there was room. */
static bool spans_add(struct span *spans, int *n, int max, uint64_t from,
		      uint64_t to)
{
	if (*n == max)
		return false;
	spans[(*n)++] = (struct span){ from, to };
	return true;
}

/*
 * The times between @t0 and @t1 at which the page, at one moment, may have been
 * what was seen. Returns their number, or -1 if it is too late to tell.
 */
int history_spans(struct cell *cell, const struct content *seen, uint64_t t0,
		  uint64_t t1, struct span *spans, int max)
{
	struct version *version, *newer = NULL;
	uint64_t from;
	struct walk walk;
	int n = 0;

	walk_begin(&walk, cell);
	do {
		version = version_at(cell, walk.number);
		if (content_equal(seen, &version->content))
			from = version->start;
		else if (newer && newer->kind != KIND_RESIZE &&
			 content_is_between(seen, &version->content, newer))
			from = newer->start;
		else
			from = t1;
		if (walk_is_lost(&walk))
			return -1;
		if (walk.replaced < t0)
			break;
		if (from < t1 &&
		    !spans_add(spans, &n, max, from, walk.replaced))
			return -1;
		newer = version;
	} while (walk_back(&walk));
	return n;
}
