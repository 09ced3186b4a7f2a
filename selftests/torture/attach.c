// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The maps a thread works with, each with a mapping of the thread's own. */

#include "torture.h"

static void attach_set(struct thread *t, unsigned int i, int slot, int fd)
{
	struct attach *at = &t->at[i];

	at->p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at->p == MAP_FAILED) {
		complain("mmap: %s", strerror(errno));
		close(fd);
		client_hold(t, i, -1);
		return;
	}
	at->slot = slot;
	at->map = &shared->map[slot];
	at->fd = fd;
	at->split = false;
}

/* False if there is no such map. */
bool attach_map(struct thread *t, unsigned int i, int slot)
{
	int fd;

	client_hold(t, i, slot);
	fd = client_get(t, slot);
	if (fd < 0) {
		client_hold(t, i, -1);
		return false;
	}
	attach_set(t, i, slot, fd);
	return true;
}

/* A reserved slot, which the thread holds as its first, becomes a map. */
void attach_new(struct thread *t, int slot, int fd,
		const struct content *content, unsigned int npages)
{
	struct map_slot *map = &shared->map[slot];
	struct content gone;
	unsigned int i;

	content_fill(&gone, GONE);
	for (i = 0; i < NPAGES; i++)
		cell_reset(&map->cell[i], i < npages ? &content[i] : &gone);
	map->npages = npages;
	memset(map->wired, 0, sizeof(map->wired));
	client_publish(t, slot, fd);
	attach_set(t, 0, slot, fd);
}

void attach_drop(struct thread *t, unsigned int i)
{
	struct attach *at = &t->at[i];

	if (at->slot < 0)
		return;
	munmap(at->p, LENGTH);
	close(at->fd);
	at->slot = -1;
	client_hold(t, i, -1);
}

/* One of those the thread has, or NULL. */
struct attach *attach_any(struct thread *t)
{
	unsigned int i, first = random_below(t, HELD_MAPS);

	for (i = 0; i < HELD_MAPS; i++)
		if (t->at[(first + i) % HELD_MAPS].slot >= 0)
			return &t->at[(first + i) % HELD_MAPS];
	return NULL;
}
