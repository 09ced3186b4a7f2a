// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Operations on maps as a whole: making, snapshots, branches. */

#include "torture.h"

void op_switch(struct thread *t, struct attach *at)
{
	unsigned int i = at - t->at;

	attach_drop(t, i);
	attach_map(t, i, random_below(t, MAPS));
}

void op_retire(struct thread *t, struct attach *at)
{
	client_retire(t, at->slot);
	attach_drop(t, at - t->at);
}

/* Did a request fail as it may? Only for want of memory. */
static void expect_shortage(const char *what)
{
	if (errno != ENOMEM && errno != EINTR)
		complain("%s: %s", what, strerror(errno));
}

/* A slot for a new map, held as the thread's first; -1 if all are used. */
static int new_slot(struct thread *t, uint64_t family)
{
	int slot = client_reserve(t, family);

	if (slot < 0)
		return -1;
	attach_drop(t, 0);
	client_hold(t, 0, slot);
	return slot;
}

/* Nothing came of it. */
static void new_slot_give_up(struct thread *t, int slot)
{
	client_hold(t, 0, -1);
	client_retire(t, slot);
}

void op_create(struct thread *t, struct attach *at)
{
	unsigned int npages = 1 + random_below(t, NPAGES);
	struct content content[NPAGES] = { };
	int slot = new_slot(t, 0), fd;

	if (slot < 0)
		return;
	if (random_below(t, 2))
		npages = NPAGES;
	fd = bsdvm_create(npages * PAGE);
	if (fd >= 0) {
		attach_new(t, slot, fd, content, npages);
		return;
	}
	expect_shortage("create");
	new_slot_give_up(t, slot);
}

/*
 * A map that nobody knows becomes one that all know, or is closed. Nothing of
 * what the thread held before is used afterwards.
 */
static void adopt(struct thread *t, uint64_t family, int fd,
		  const struct content *content, unsigned int npages)
{
	int slot = random_below(t, 4) ? -1 : new_slot(t, family);

	if (slot < 0)
		close(fd);
	else
		attach_new(t, slot, fd, content, npages);
}

/* Its size, and that there is something on just so many pages. */
static unsigned int new_map_size(int fd, const struct content *seen)
{
	unsigned int npages = size_in_pages(fd), i;

	for (i = 0; i < NPAGES; i++)
		if (content_is_gone(&seen[i]) != (i >= npages))
			complain("a new map of %u pages: page %u is %s", npages,
				 i, i < npages ? "missing" : "there");
	return npages;
}

/* A snapshot slot nobody uses, locked; or NULL. */
static struct snap_slot *snap_find_free(struct thread *t)
{
	unsigned int i, first = random_below(t, SNAPS);
	struct snap_slot *snap;
	bool orphaned;

	for (i = 0; i < SNAPS; i++) {
		snap = &shared->snap[(first + i) % SNAPS];
		if (!robust_trylock(&snap->lock, &orphaned))
			continue;
		if (!snap->live)
			return snap;
		pthread_mutex_unlock(&snap->lock);
	}
	return NULL;
}

/* A snapshot of a family, locked; or NULL. */
static struct snap_slot *snap_find(struct thread *t, uint64_t family)
{
	unsigned int i, first = random_below(t, SNAPS);
	struct snap_slot *snap;
	bool orphaned;

	for (i = 0; i < SNAPS; i++) {
		snap = &shared->snap[(first + i) % SNAPS];
		if (!robust_trylock(&snap->lock, &orphaned))
			continue;
		if (snap->live && snap->family == family)
			return snap;
		pthread_mutex_unlock(&snap->lock);
	}
	return NULL;
}

/* What a new snapshot holds, which nobody else knows yet. */
static bool snap_read(struct attach *at, struct snap_slot *snap)
{
	int fd = bsdvm_open(at->fd, snap->id);

	if (fd < 0) {
		expect_shortage("open of a new snapshot");
		return false;
	}
	if (!access_read_map(fd, snap->content, NPAGES))
		complain("map %d: a snapshot has more than words", at->slot);
	snap->npages = new_map_size(fd, snap->content);
	close(fd);
	return true;
}

/* Entry: @snap locked. */
static void snap_take(struct attach *at, struct snap_slot *snap)
{
	uint64_t t0 = tick(), t1;

	snap->id = bsdvm_snapshot(at->fd);
	t1 = tick();
	if (!snap->id) {
		expect_shortage("snapshot");
		return;
	}
	if (!snap_read(at, snap)) {
		bsdvm_drop(at->fd, snap->id);
		return;
	}
	cut_expect(at, "snapshot", 0, snap->content, NPAGES, t0, t1);
	snap->family = at->map->family;
	snap->serial++;
	snap->live = true;
}

void op_snapshot(struct thread *t, struct attach *at)
{
	struct snap_slot *snap = snap_find_free(t);

	if (!snap)
		return;
	snap_take(at, snap);
	pthread_mutex_unlock(&snap->lock);
}

/* Is the snapshot still the one it was? */
static bool snap_is_same(struct snap_slot *snap, uint64_t serial)
{
	bool same;

	robust_lock(&snap->lock);
	same = snap->live && snap->serial == serial;
	pthread_mutex_unlock(&snap->lock);
	return same;
}

static void snap_compare(struct attach *at, const struct snap_slot *copy,
			 int fd)
{
	struct content seen[NPAGES];
	unsigned int i;

	if (!access_read_map(fd, seen, NPAGES))
		complain("map %d: a snapshot has more than words", at->slot);
	if (new_map_size(fd, seen) != copy->npages)
		complain("map %d: snapshot %u changed its size", at->slot,
			 copy->id);
	for (i = 0; i < NPAGES; i++)
		if (!content_equal(&seen[i], &copy->content[i]))
			complain("map %d: page %u of snapshot %u changed",
				 at->slot, i, copy->id);
}

/*
 * The slot is not locked meanwhile, so that the snapshot may be dropped under
 * our hands; its id may then name another one.
 */
void op_open(struct thread *t, struct attach *at)
{
	struct snap_slot *snap = snap_find(t, at->map->family), copy;
	int fd;

	if (!snap)
		return;
	copy = *snap;
	pthread_mutex_unlock(&snap->lock);
	fd = bsdvm_open(at->fd, copy.id);
	if (fd < 0 && errno == ENOENT) {
		if (snap_is_same(snap, copy.serial))
			complain("map %d: snapshot %u is lost", at->slot,
				 copy.id);
	} else if (fd < 0) {
		expect_shortage("open");
	} else if (snap_is_same(snap, copy.serial)) {
		snap_compare(at, &copy, fd);
		adopt(t, copy.family, fd, copy.content, copy.npages);
	} else {
		close(fd);
	}
}

void op_drop(struct thread *t, struct attach *at)
{
	struct snap_slot *snap = snap_find(t, at->map->family);
	uint32_t id;

	if (!snap)
		return;
	snap->live = false;
	id = snap->id;
	pthread_mutex_unlock(&snap->lock);
	if (bsdvm_drop(at->fd, id) && errno != EINTR)
		complain("map %d: drop %u: %s", at->slot, id, strerror(errno));
}

/* The range may come to lie behind the end meanwhile. */
void op_shadow(struct thread *t, struct attach *at)
{
	struct content seen[NPAGES];
	unsigned int first, last, npages;
	uint64_t t0, t1;
	int fd;

	random_range(t, NPAGES, &first, &last);
	if (random_below(t, 2)) {
		first = 0;
		last = NPAGES - 1;
	}
	npages = last - first + 1;
	t0 = tick();
	fd = bsdvm_shadow(at->fd, first * PAGE, npages * PAGE);
	t1 = tick();
	if (fd < 0) {
		if (errno != ERANGE)
			expect_shortage("shadow");
		return;
	}
	if (!access_read_map(fd, seen, NPAGES) ||
	    new_map_size(fd, seen) != npages)
		complain("map %d: a shadow is not what it should be", at->slot);
	cut_expect(at, "shadow", first, seen, npages, t0, t1);
	adopt(t, at->map->family, fd, seen, npages);
}
