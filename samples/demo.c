// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The demo: a real file in memory with snapshots and a branch, written by
 * processes at the same time, compared at each step with plain files that had
 * the same done to them. The exit status is 1 if anything differs.
 *
 * usage: demo FILE
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "demo.h"

/* Maps first: the writers write to each of them. */
enum {
	ORIGINAL, BRANCH, MAP_1, MAP_3, MAP_4, MAPS,
	SNAP_1 = MAPS, SNAP_2, SNAP_3, SNAP_4, STATES,
};

static struct demo_state states[STATES] = {
	[ORIGINAL] = { "original" },
	[BRANCH] = { "branch" },
	[MAP_1] = { "map of snapshot 1" },
	[MAP_3] = { "map of snapshot 3" },
	[MAP_4] = { "map of snapshot 4" },
	[SNAP_1] = { "snapshot 1" },
	[SNAP_2] = { "snapshot 2" },
	[SNAP_3] = { "snapshot 3" },
	[SNAP_4] = { "snapshot 4" },
};

static size_t size;
static int mismatches;

/* Does it exist at the moment? */
static bool state_exists(const struct demo_state *state)
{
	return state->fd >= 0 || state->id;
}

/* Those that exist, in order. */
static int existing(struct demo_state *list)
{
	int i, n = 0;

	for (i = 0; i < STATES; i++)
		if (state_exists(&states[i]))
			list[n++] = states[i];
	return n;
}

static void show_tree(void)
{
	struct demo_state list[STATES];
	int n = existing(list);

	demo_tree(list, n);
}

static void verify(const struct demo_state *state)
{
	uint64_t checksum;
	bool equal = demo_plain_equal(state, states[ORIGINAL].fd, size,
				      &checksum);

	printf("  %-20s %016llx   %s\n", state->name,
	       (unsigned long long)checksum,
	       equal ? "as the plain file" : "DIFFERS from the plain file");
	mismatches += !equal;
}

static void verify_all(void)
{
	int i;

	for (i = 0; i < STATES; i++)
		if (state_exists(&states[i]))
			verify(&states[i]);
	demo_check(states[ORIGINAL].fd);
}

/* The map, and the plain file that goes with it, by the same seed. */
static void write_one(int which, uint64_t seed)
{
	char *p = demo_map(states[which].fd, size);

	demo_write(p, size, seed);
	munmap(p, size);
	demo_plain_write(states[which].plain, size, seed);
}

static void take(int which, int of)
{
	states[which].id = demo_snapshot(states[of].fd);
	states[which].plain = demo_plain_copy(states[of].plain, size);
}

static void open_as(int which, int snapshot)
{
	states[which].fd = demo_open(states[ORIGINAL].fd, states[snapshot].id);
	states[which].plain = demo_plain_copy(states[snapshot].plain, size);
}

static void close_map(int which)
{
	close(states[which].fd);
	states[which].fd = -1;
}

static void drop(int which)
{
	demo_drop(states[ORIGINAL].fd, states[which].id);
	states[which].id = 0;
}

/* Through mmap of the device: read(2) writes into the mapping. */
static void load(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), dev = demo_device();
	char *p = demo_map(dev, size);
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, p + done, size - done);
		if (n <= 0)
			err(1, "%s", file);
		done += n;
	}
	close(fd);
	states[ORIGINAL].fd = demo_map_fd(dev);
	states[ORIGINAL].plain = demo_plain_load(file, size);
	munmap(p, size);
	close(dev);
}

static void act_load(const char *file)
{
	printf("1. mmap of /dev/bsdvm, then read(2) of the file into it.\n\n");
	load(file);
	verify_all();
}

static void act_snapshots(void)
{
	long copies = demo_counter("snapshot_copies");

	printf("\n2. Three snapshots, %d writes after each. Then a branch: ",
	       DEMO_WRITES);
	printf("snapshot 2\n   opened as a map, written, snapshotted.\n\n");
	take(SNAP_1, ORIGINAL);
	write_one(ORIGINAL, 1);
	take(SNAP_2, ORIGINAL);
	write_one(ORIGINAL, 2);
	take(SNAP_3, ORIGINAL);
	write_one(ORIGINAL, 3);
	open_as(BRANCH, SNAP_2);
	write_one(BRANCH, 4);
	take(SNAP_4, BRANCH);
	show_tree();
	printf("  Pages copied by taking the four snapshots: %ld\n",
	       demo_counter("snapshot_copies") - copies);
}

static void act_write(void)
{
	const uint64_t seed = 100;
	int i;

	printf("\n3. All snapshots opened as maps; %d processes write at the ",
	       MAPS);
	printf("same time,\n   each to its own map, one to the original.\n\n");
	open_as(MAP_1, SNAP_1);
	open_as(MAP_3, SNAP_3);
	open_as(MAP_4, SNAP_4);
	demo_write_together(states, MAPS, size, seed);
	for (i = 0; i < MAPS; i++)
		demo_plain_write(states[i].plain, size, seed + i);
	verify_all();
}

static void act_tree(void)
{
	unsigned long pages = (size + DEMO_PAGE - 1) / DEMO_PAGE;

	printf("\n4. The objects, each in front of the one above it, and the ");
	printf("pages they hold.\n\n");
	show_tree();
	printf("  %ld pages in all; %d plain copies have %lu\n",
	       demo_counter("live_pages"), STATES, STATES * pages);
}

static void act_drop(void)
{
	long collapses = demo_counter("object_collapses");
	long bypasses = demo_counter("object_bypasses");

	printf("\n5. Three maps closed, three snapshots dropped from the ");
	printf("middle: objects that\n   only one other still needs are ");
	printf("merged into that.\n\n");
	close_map(MAP_1);
	close_map(MAP_3);
	close_map(MAP_4);
	drop(SNAP_2);
	drop(SNAP_3);
	drop(SNAP_4);
	show_tree();
	collapses = demo_counter("object_collapses") - collapses;
	bypasses = demo_counter("object_bypasses") - bypasses;
	printf("  %ld pages; collapses: %ld, bypasses: %ld\n\n",
	       demo_counter("live_pages"), collapses, bypasses);
	if (!collapses)
		mismatches++;
	verify_all();
}

static void act_branch_ends(void)
{
	long collapses = demo_counter("object_collapses");

	printf("\n6. The branch is closed, too; the original is written ");
	printf("once more.\n\n");
	close_map(BRANCH);
	write_one(ORIGINAL, 5);
	show_tree();
	printf("  %ld pages; collapses: %ld\n\n", demo_counter("live_pages"),
	       demo_counter("object_collapses") - collapses);
	verify_all();
}

/* Freed by the last close, but perhaps a moment later. */
static long settled(const char *name)
{
	long value;
	int i;

	for (i = 0; i < 50 && (value = demo_counter(name)); i++)
		usleep(20000);
	return value;
}

static void act_end(void)
{
	static const char *const names[] = {
		"live_maps", "live_snapshots", "live_objects", "live_pages",
	};
	size_t i;

	printf("\n7. The last map is closed. What is left:\n\n");
	close_map(ORIGINAL);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long value = settled(names[i]);

		printf("%s %s %ld", i ? "," : " ", names[i] + strlen("live_"),
		       value);
		mismatches += value != 0;
	}
	putchar('\n');
}

static void begin(const char *file)
{
	struct utsname name;
	struct stat st;
	int i;

	if (stat(file, &st))
		err(1, "%s", file);
	if ((size_t)st.st_size <= DEMO_LONGEST)
		errx(1, "%s: not more than %lu bytes", file, DEMO_LONGEST);
	size = st.st_size;
	for (i = 0; i < STATES; i++)
		states[i].fd = -1;
	uname(&name);
	printf("bsdvm on Linux %s\n%.1f MB of %s in memory that branches\n\n",
	       name.release, size / 1e6, basename(file));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(1, "usage: demo FILE");
	setvbuf(stdout, NULL, _IOLBF, 0);
	begin(argv[1]);
	act_load(argv[1]);
	act_snapshots();
	act_write();
	act_tree();
	act_drop();
	act_branch_ends();
	act_end();
	if (mismatches)
		errx(1, "%d things are not as they should be", mismatches);
	return 0;
}
