// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Was there one moment, between two tickets, at which every page was what was
 * seen of it? If there was none, the snapshot is no cut: it has a write without
 * one that was finished before that write began.
 *
 * The moment, if there is one, may be taken just behind the start of some span,
 * or just behind the first ticket.
 */

#include "torture.h"

#define SPANS	8

struct cut {
	unsigned int npages;
	int n[NPAGES];		/* spans of the page; -1: it is not known */
	struct span span[NPAGES][SPANS];
};

static bool cut_page_suits(const struct cut *cut, unsigned int page,
			   uint64_t moment)
{
	int i;

	for (i = 0; i < cut->n[page]; i++)
		if (cut->span[page][i].from <= moment &&
		    moment < cut->span[page][i].to)
			return true;
	return cut->n[page] < 0;
}

static bool cut_suits(const struct cut *cut, uint64_t moment)
{
	unsigned int page;

	for (page = 0; page < cut->npages; page++)
		if (!cut_page_suits(cut, page, moment))
			return false;
	return true;
}

static bool cut_find(const struct cut *cut, uint64_t t0, uint64_t t1)
{
	unsigned int page;
	uint64_t moment;
	int i;

	if (cut_suits(cut, t0))
		return true;
	for (page = 0; page < cut->npages; page++)
		for (i = 0; i < cut->n[page]; i++) {
			moment = cut->span[page][i].from;
			if (t0 <= moment && moment < t1 &&
			    cut_suits(cut, moment))
				return true;
		}
	return false;
}

/* The first page that never was as it was seen; or any, if all were. */
static unsigned int cut_culprit(const struct cut *cut)
{
	unsigned int page;

	for (page = 0; page < cut->npages - 1; page++)
		if (!cut->n[page])
			break;
	return page;
}

/*
 * The pages of @seen, a copy of a map made between two tickets, are those from
 * @first on.
 */
void cut_expect(struct attach *at, const char *what, unsigned int first,
		const struct content *seen, unsigned int npages, uint64_t t0,
		uint64_t t1)
{
	struct cut cut = { .npages = npages };
	unsigned int i;

	for (i = 0; i < npages; i++) {
		cut.n[i] = history_spans(&at->map->cell[first + i], &seen[i],
					 t0, t1, cut.span[i], SPANS);
		if (cut.n[i] < 0)
			atomic_fetch_add(&shared->lost, 1);
	}
	if (cut_find(&cut, t0, t1))
		return;
	i = cut_culprit(&cut);
	page_complain(at, first + i, &seen[i],
		      "%s between %llu and %llu, %d times possible", what,
		      (unsigned long long)t0, (unsigned long long)t1, cut.n[i]);
}
