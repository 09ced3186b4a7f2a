// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Operations on one page. */

#include "torture.h"

void op_read(struct thread *t, struct attach *at)
{
	unsigned int page = random_below(t, NPAGES);

	cell_lock(at, page);
	page_expect(t, at, page);
	cell_unlock(at, page);
}

void op_write(struct thread *t, struct attach *at)
{
	unsigned int page = random_below(t, NPAGES);

	cell_lock(at, page);
	page_write(t, at, page);
	if (random_below(t, 4) == 0)
		page_expect(t, at, page);
	cell_unlock(at, page);
}

static void look_complain(const struct attach *at, unsigned int page,
			  unsigned int word, uint64_t value, uint64_t t0,
			  uint64_t t1)
{
	complain("map %d page %u word %u: between %llu and %llu it was never %llu (%llx, %s)",
		 at->slot, page, word, (unsigned long long)t0,
		 (unsigned long long)t1, (unsigned long long)value >> 16,
		 (unsigned long long)value,
		 word_is_torn(value, word) ? "torn" : "whole");
}

static void look_at_word(struct attach *at, unsigned int page,
			 unsigned int word)
{
	struct cell *cell = &at->map->cell[page];
	uint64_t t0 = tick(), value, t1;

	if (access_load(at->p + page * PAGE, word, &value))
		value = GONE;
	t1 = tick();
	if (!history_allows_word(cell, word, value, t0, t1))
		look_complain(at, page, word, value, t0, t1);
}

static void look_at_page(struct attach *at, unsigned int page)
{
	struct cell *cell = &at->map->cell[page];
	struct content seen;
	uint64_t t0 = tick(), t1;
	unsigned int j;

	if (!access_pread(at->fd, page, &seen))
		complain("map %d page %u: pread: more than words", at->slot,
			 page);
	t1 = tick();
	for (j = 0; j < WORDS; j++)
		if (!history_allows_word(cell, j, seen.word[j], t0, t1))
			look_complain(at, page, j, seen.word[j], t0, t1);
}

/* Without the lock, while others change the page. */
void op_look(struct thread *t, struct attach *at)
{
	unsigned int page = random_below(t, NPAGES);

	if (random_below(t, 2))
		look_at_page(at, page);
	else
		look_at_word(at, page, random_below(t, WORDS));
}

/* What the module tells of itself while everything changes. */
void op_show(struct thread *t, struct attach *at)
{
	char path[64], text[4096];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", at->fd);
	fd = open(random_below(t, 2) ? path : "/sys/kernel/debug/bsdvm/tree",
		  O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

/* The module's own view: no invariant is violated. */
void op_check(struct thread *t, struct attach *at)
{
	struct bsdvm_check check = { .size = sizeof(check) };

	if (ioctl(at->fd, BSDVM_IOC_CHECK, &check)) {
		if (errno != ENOMEM && errno != EINTR)
			complain("check: %s", strerror(errno));
	} else if (check.violated) {
		complain("map %d: invariant %u violated", at->slot,
			 check.violated);
	}
}
