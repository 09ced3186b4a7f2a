/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Failing allocations, and a map to try it on, for failnth_test.c. */
#ifndef FAILNTH_UTIL_H
#define FAILNTH_UTIL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "modules/bsdvm_pin.h"
#include "process_util.h"

#define OWN	2UL	/* pages written after the snapshot: 0 and 1 */
#define SHARED	6UL	/* pages written before it: 0 to 5 */
#define NPAGES	12UL	/* the rest are holes */
#define SIZE	(NPAGES * PAGE)
#define LARGE	70UL	/* pages that the map may come to have */

/* ---- failing an allocation --------------------------------------------- */

#define NTH	"/proc/thread-self/fail-nth"

static inline bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

#define DEBUGFS	"/sys/kernel/debug/"

/* How often a copy may still fail; counted down by each that does. */
#define COPIES	DEBUGFS "fail_usercopy/times"

/* Every allocation counts, none is told of in the log. */
static inline bool nth_prepare(void)
{
	static const char *const needed[][2] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
	};
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!write_text(needed[i][0], needed[i][1]))
			return false;
	/* Where copies from and to user memory are failed, too. */
	write_text(DEBUGFS "fail_usercopy/verbose", "0");
	return true;
}

static inline void nth_arm(int nth, unsigned int n)
{
	char text[16];
	int length = sprintf(text, "%u", n);

	write_text(COPIES, "2");
	if (pwrite(nth, text, length, 0) != length)
		abort();
}

/* How many more there can be before one fails; 0 if one has. */
static inline unsigned int nth_left(int nth)
{
	char text[16] = "";

	return pread(nth, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
}

/* What was made to fail. */
enum cause {
	CAUSE_NOTHING,
	CAUSE_ALLOCATION,
	CAUSE_COPY,	/* from or to user memory */
};

/* Asking, and disarming, may be what is made to fail: then nothing was. */
static inline enum cause nth_disarm(int nth)
{
	char text[16] = "";
	bool reached;

	reached = pread(nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
	while (pwrite(nth, "0", 1, 0) != 1)
		;
	if (!reached)
		return CAUSE_NOTHING;
	return read_number(COPIES) == 1 ? CAUSE_COPY : CAUSE_ALLOCATION;
}

/* Opening a file allocates. */
static inline bool nth_works(int nth)
{
	enum cause cause;
	int fd;

	nth_arm(nth, 1);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cause = nth_disarm(nth);
	if (fd >= 0)
		close(fd);
	return fd < 0 && cause != CAUSE_NOTHING;
}

/* ---- what the operations work on --------------------------------------- */

/**
 * struct world - a map, a snapshot of it, and what they must hold
 * @made:  a descriptor that the operation made, or -1
 * @made_bytes: what its file must hold
 * @made_size: in bytes
 * @id:    the snapshot, 0 if it was dropped
 * @taken: another one, that the operation took, of what the map holds now
 * @p:     where the map is mapped, @mapped bytes of it
 * @extra: another mapping of as many pages, or NULL
 * @private: that mapping is private
 * @pin:   /dev/bsdvm_pin, or -1
 * @pipe:  its two ends, or -1
 * @low:   a page below 4 GiB, or NULL
 * @size:  of the map, in bytes
 * @bytes: of the map; an operation that succeeds changes them as well
 * @then:  bytes of the snapshot
 */
struct world {
	int dev;
	int fd;
	int made;
	const unsigned char *made_bytes;
	size_t made_size;
	int zero;
	uint32_t id;
	uint32_t taken;
	unsigned char *p;
	size_t mapped;
	unsigned char *extra;
	bool private;
	int pin;
	int pipe[2];
	void *low;
	size_t size;
	unsigned char bytes[LARGE * PAGE];
	unsigned char then[SIZE];
	unsigned char buffer[SIZE];	/* in memory already, to read to */
};

/* Counters of what exists, and the sum of what a map tells of itself. */
struct counters {
	long families, maps, snapshots, wired, entries, objects, pages;
};

/* The value of a line of @text, -1 without it. */
static inline long counter(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? atol(line + strlen(name)) : -1;
}

static inline struct counters counters_read(void)
{
	int fd = open("/sys/kernel/debug/bsdvm/stats", O_RDONLY | O_CLOEXEC);
	char text[2048] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		abort();
	close(fd);
	return (struct counters){
		.families = counter(text, "live_families "),
		.maps = counter(text, "live_maps "),
		.snapshots = counter(text, "live_snapshots "),
		.wired = counter(text, "live_wired "),
		.entries = counter(text, "live_entries "),
		.objects = counter(text, "live_objects "),
		.pages = counter(text, "live_pages "),
	};
}

static inline bool counters_equal(const struct counters *a,
				  const struct counters *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* What is freed after a grace period is counted out at once, or soon. */
static inline bool counters_become(const struct counters *want)
{
	struct counters now;
	int i;

	for (i = 0; i < 100; i++) {
		now = counters_read();
		if (counters_equal(&now, want))
			return true;
		usleep(10000);
	}
	return false;
}

/* When what is freed after a grace period is counted out. */
static inline struct counters counters_at_rest(void)
{
	struct counters before, now = counters_read();

	do {
		before = now;
		usleep(20000);
		now = counters_read();
	} while (!counters_equal(&now, &before));
	return now;
}

/* What a caller can tell: not which pages are resident, in which objects. */
static inline bool counters_agree(const struct counters *a,
				  const struct counters *b)
{
	return a->families == b->families && a->maps == b->maps &&
	       a->snapshots == b->snapshots && a->wired == b->wired;
}

static inline bool world_fill(struct world *w, size_t npages, int first)
{
	fill_pages(w->bytes, npages, first);
	return pwrite(w->fd, w->bytes, npages * PAGE, 0) ==
	       (ssize_t)(npages * PAGE);
}

static inline bool world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->made = -1;
	w->pin = -1;
	w->pipe[0] = -1;
	w->pipe[1] = -1;
	w->dev = bsdvm_dev();
	w->zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	w->fd = bsdvm_create(SIZE);
	w->size = SIZE;
	if (w->dev < 0 || w->zero < 0 || w->fd < 0 ||
	    !world_fill(w, SHARED, 0x10))
		return false;
	memcpy(w->then, w->bytes, SIZE);
	w->id = bsdvm_snapshot(w->fd);
	w->p = bsdvm_mmap(w->fd, SIZE);
	w->mapped = SIZE;
	return w->id && w->p != MAP_FAILED && world_fill(w, OWN, 0x60);
}

#define PARAMETERS	"/sys/module/bsdvm/parameters/"

static inline void parameters_reset(void)
{
	write_text(PARAMETERS "prefault_pages", "16");
	write_text(PARAMETERS "fast_fault", "1");
}

static inline void world_free(struct world *w)
{
	const int fds[] = {
		w->made, w->pin, w->pipe[0], w->pipe[1], w->fd, w->zero, w->dev
	};
	size_t i;

	munmap(w->p, w->mapped);
	if (w->extra)
		munmap(w->extra, SIZE);
	if (w->low)
		munmap(w->low, PAGE);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	parameters_reset();
}

/*
 * What is resident, in how many objects and entries, depends on what was tried
 * before. It no longer does when every page was written, entries alike are
 * merged, which a wiring does when it ends, and chains are as short as may be,
 * which a snapshot sees to. Changes no byte.
 */
static inline bool world_settle(struct world *w)
{
	size_t pages = (w->size + PAGE - 1) & ~(PAGE - 1);
	uint32_t id;

	if (pwrite(w->fd, w->bytes, w->size, 0) != (ssize_t)w->size ||
	    bsdvm_wire(w->fd, 0, pages, 0) ||
	    bsdvm_unwire(w->fd, 0, pages, 0))
		return false;
	id = bsdvm_snapshot(w->fd);
	return id && !bsdvm_drop(w->fd, id);
}

static inline bool file_holds(int fd, const unsigned char *bytes, size_t size)
{
	static unsigned char seen[LARGE * PAGE];
	struct stat st;

	return !fstat(fd, &st) && (size_t)st.st_size == size &&
	       pread(fd, seen, sizeof(seen), 0) == (ssize_t)size &&
	       !memcmp(seen, bytes, size);
}

/* What the map holds, by reading and by its mapping. */
static inline bool world_holds(struct world *w)
{
	size_t mapped = w->size < SIZE ? w->size : SIZE;

	return file_holds(w->fd, w->bytes, w->size) &&
	       !memcmp(w->p, w->bytes, mapped) && !bsdvm_check(w->fd) &&
	       (!w->private || !memcmp(w->extra, w->bytes, SIZE));
}

/* What a snapshot holds, if there is one. */
static inline bool snapshot_is(struct world *w, uint32_t id,
			       const unsigned char *bytes, size_t size)
{
	bool same;
	int fd;

	if (!id)
		return true;
	fd = bsdvm_open(w->fd, id);
	same = fd >= 0 && file_holds(fd, bytes, size);
	close(fd);
	return same;
}

#endif /* FAILNTH_UTIL_H */
