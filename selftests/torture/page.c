// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What must be true of one page, and changing it. Its cell is locked. */

#include <signal.h>
#include <stdarg.h>

#include "torture.h"

/* How many of a page's versions a complaint shows. */
#define SHOWN	6

static int version_print(char *text, size_t size, struct cell *cell,
			 uint64_t number)
{
	const struct version *version = &cell->ring[number % RING];
	int n;

	n = snprintf(text, size, "\n# %lld to %lld, %d:",
		     (long long)version->start, (long long)version->end,
		     version->kind);
	return n + content_print(text + n, size - n, &version->content);
}

/* Why the run failed: what was seen of a page, and what it was lately. */
void page_complain(const struct attach *at, unsigned int page,
		   const struct content *seen, const char *format, ...)
{
	struct cell *cell = &at->map->cell[page];
	char how[100], text[4000];
	uint64_t i, count = cell->count;
	va_list ap;
	int n;

	va_start(ap, format);
	vsnprintf(how, sizeof(how), format, ap);
	va_end(ap);
	n = content_print(text, sizeof(text), seen);
	for (i = 1; i <= count && i <= SHOWN; i++)
		n += version_print(text + n, sizeof(text) - n, cell, count - i);
	complain("map %d page %u by %s, at %llu, seen:%s", at->slot, page, how,
		 (unsigned long long)shared->clock, text);
}

/* Behind the end there is nothing to read, and no page to touch. */
static void page_expect_gone(struct attach *at, unsigned int page)
{
	struct content seen;
	uint64_t value;
	int signal;

	if (!access_pread(at->fd, page, &seen) || !content_is_gone(&seen))
		page_complain(at, page, &seen, "pread");
	signal = access_load(at->p + page * PAGE, 0, &value);
	if (signal != SIGBUS)
		complain("map %d page %u: signal %d behind the end", at->slot,
			 page, signal);
}

static bool page_copy(const unsigned char *p, struct content *seen)
{
	unsigned char bytes[PAGE];

	return !access_copy(p, bytes) && content_from_page(seen, bytes);
}

/* The page holds exactly what the model says. */
void page_expect(struct thread *t, struct attach *at, unsigned int page)
{
	static const char *const how[] = { "mapping", "pread", "peek" };
	struct cell *cell = &at->map->cell[page];
	unsigned char *p = at->p + page * PAGE;
	unsigned int way = random_below(t, 3);
	struct content seen = { };
	bool whole = false;

	if (content_is_gone(cell_now(cell))) {
		page_expect_gone(at, page);
		return;
	}
	if (way == 0)
		whole = page_copy(p, &seen);
	else if (way == 1)
		whole = access_pread(at->fd, page, &seen);
	else
		whole = access_peek(p, &seen);
	if (!whole || !content_equal(&seen, cell_now(cell)))
		page_complain(at, page, &seen, "%s", how[way]);
}

static bool page_store(struct attach *at, unsigned int page,
		       const struct content *new, unsigned int first,
		       unsigned int last)
{
	for (; first <= last; first++)
		if (access_store(at->p + page * PAGE, first, new->word[first]))
			return false;
	return true;
}

/* A new stamp in some of its words, in one of the ways to write. */
void page_write(struct thread *t, struct attach *at, unsigned int page)
{
	struct cell *cell = &at->map->cell[page];
	struct content new = *cell_now(cell);
	unsigned int first, last, j, way = random_below(t, 4);
	uint64_t start;
	bool done;

	if (content_is_gone(&new)) {
		page_expect_gone(at, page);
		return;
	}
	random_range(t, WORDS, &first, &last);
	start = tick();
	for (j = first; j <= last; j++)
		new.word[j] = word_stamp(start, j);
	version_begin(cell, way ? KIND_STORE : KIND_PINNED, start, &new);
	if (way == 0)
		done = access_poke(at, page, &new, first, last);
	else if (way == 1)
		done = access_write(at, page, &new, first, last);
	else
		done = page_store(at, page, &new, first, last);
	version_commit(cell);
	if (!done)
		complain("map %d page %u: way %u to write failed: %s",
			 at->slot, page, way, strerror(errno));
}
