// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A phase alone: a map that only this thread knows, a few snapshots of it, and
 * plain arrays of bytes that say what they hold, byte for byte.
 */

#include <stdarg.h>

#include <linux/falloc.h>

#include "torture.h"

#define SPACE	(6 * PAGE)
#define STEPS	60
#define LAYERS	4	/* the map, and snapshots opened */

struct layer {
	int fd;
	unsigned char *p;
	size_t size;
	unsigned char byte[SPACE];	/* zero behind @size */
};

struct private {
	struct thread *t;
	char steps[STEPS * 40];	/* what was done, for a complaint */
	size_t nsteps;
	struct layer layer[LAYERS];
	unsigned char buffer[SPACE];
};

/* Note what is done. */
static void note(struct private *v, struct layer *layer, const char *format,
		 ...)
{
	size_t room = sizeof(v->steps) - v->nsteps;
	va_list ap;
	int n;

	n = snprintf(v->steps + v->nsteps, room, " %d", (int)(layer - v->layer));
	if (n >= room)
		return;
	va_start(ap, format);
	n += vsnprintf(v->steps + v->nsteps + n, room - n, format, ap);
	va_end(ap);
	if (n < room)
		v->nsteps += n;
}

static bool layer_map(struct layer *layer, int fd)
{
	layer->fd = fd;
	layer->p = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			0);
	return layer->p != MAP_FAILED;
}

static void layer_close(struct layer *layer)
{
	if (layer->fd < 0)
		return;
	munmap(layer->p, SPACE);
	close(layer->fd);
	layer->fd = -1;
}

/* Some bytes within the size. */
static size_t layer_range(struct private *v, struct layer *layer,
			  size_t *length)
{
	size_t start = random_below(v->t, layer->size);

	*length = 1 + random_below(v->t, layer->size - start);
	return start;
}

static void layer_write(struct private *v, struct layer *layer)
{
	size_t length, start = layer_range(v, layer, &length);
	unsigned int tries = 0;
	ssize_t n;

	memset(layer->byte + start, 1 + random_below(v->t, 255), length);
	if (random_below(v->t, 2)) {
		note(v, layer, "s%zx+%zx", start, length);
		memcpy(layer->p + start, layer->byte + start, length);
		return;
	}
	note(v, layer, "w%zx+%zx", start, length);
	do {
		n = pwrite(layer->fd, layer->byte + start, length, start);
	} while ((n < 0 && access_retry(errno, &tries)) ||
		 (n >= 0 && n < (ssize_t)length && ++tries < 100));
	if (n != (ssize_t)length)
		complain("alone: pwrite: %zd: %s", n, strerror(errno));
}

static void layer_zero(struct private *v, struct layer *layer)
{
	int modes[] = { FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE };
	int mode = modes[random_below(v->t, 2)] | FALLOC_FL_KEEP_SIZE;
	size_t length, start = layer_range(v, layer, &length);
	unsigned int tries = 0;
	int error;

	note(v, layer, "%c%zx+%zx", mode & FALLOC_FL_PUNCH_HOLE ? 'p' : 'z', start,
	     length);
	do {
		error = fallocate(layer->fd, mode, start, length);
	} while (error && access_retry(errno, &tries));
	if (error)
		complain("alone: fallocate: %s", strerror(errno));
	memset(layer->byte + start, 0, length);
}

static void layer_resize(struct private *v, struct layer *layer)
{
	size_t size = 1 + random_below(v->t, SPACE);
	unsigned int tries = 0;
	int error;

	note(v, layer, "t%zx", size);
	do {
		error = ftruncate(layer->fd, size);
	} while (error && access_retry(errno, &tries));
	if (error)
		complain("alone: ftruncate: %s", strerror(errno));
	layer->size = size;
	memset(layer->byte + size, 0, SPACE - size);
}

static void layer_compare(struct private *v, struct layer *layer,
			  const unsigned char *seen, const char *how)
{
	size_t i;

	for (i = 0; i < layer->size; i++)
		if (seen[i] != layer->byte[i]) {
			complain("alone: layer %d, %s: byte %zx is %x, not %x, after%s",
				 (int)(layer - v->layer), how, i, seen[i],
				 layer->byte[i], v->steps);
			return;
		}
}

static void layer_read(struct private *v, struct layer *layer)
{
	ssize_t n = pread(layer->fd, v->buffer, SPACE, 0);

	if (n < 0 && errno == ENOMEM)
		return;
	note(v, layer, "r");
	if (n != (ssize_t)layer->size)
		complain("alone: layer %d: %zd bytes read of %zx, after%s",
			 (int)(layer - v->layer), n, layer->size, v->steps);
	else
		layer_compare(v, layer, v->buffer, "read");
	layer_compare(v, layer, layer->p, "mapped");
}

/* One map becomes another's present, by a snapshot or a shadow. */
static void layer_branch(struct private *v, struct layer *from)
{
	struct layer *to = &v->layer[random_below(v->t, LAYERS)];
	uint32_t id;
	int fd;

	if (to == from)
		return;
	id = bsdvm_snapshot(from->fd);
	if (!id)
		return;
	fd = bsdvm_open(from->fd, id);
	if (bsdvm_drop(from->fd, id))
		complain("alone: drop: %s", strerror(errno));
	if (fd < 0)
		return;
	note(v, from, ">%d", (int)(to - v->layer));
	layer_close(to);
	to->size = from->size;
	memcpy(to->byte, from->byte, SPACE);
	if (!layer_map(to, fd))
		complain("alone: mmap: %s", strerror(errno));
}

static void private_step(struct private *v)
{
	struct layer *layer = &v->layer[random_below(v->t, LAYERS)];

	if (layer->fd < 0)
		return;
	switch (random_below(v->t, 8)) {
	case 0:
		layer_zero(v, layer);
		break;
	case 1:
		layer_resize(v, layer);
		break;
	case 2:
		layer_branch(v, layer);
		break;
	case 3:
		layer_read(v, layer);
		break;
	default:
		layer_write(v, layer);
	}
}

static void private_run(struct private *v)
{
	unsigned int i;

	for (i = 0; i < STEPS && !shared->stop; i++)
		private_step(v);
	for (i = 0; i < LAYERS; i++) {
		if (v->layer[i].fd >= 0)
			layer_read(v, &v->layer[i]);
		layer_close(&v->layer[i]);
	}
}

void op_private(struct thread *t, struct attach *at)
{
	struct private v = { .t = t };
	unsigned int i;
	int fd;

	for (i = 0; i < LAYERS; i++)
		v.layer[i].fd = -1;
	fd = bsdvm_create(SPACE);
	if (fd < 0)
		return;
	v.layer[0].size = SPACE;
	if (layer_map(&v.layer[0], fd))
		private_run(&v);
}
