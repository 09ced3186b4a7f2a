// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Plain files in /tmp, one for each state that a map or a snapshot is in. */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "demo.h"

static int plains;

static char *plain_map(int plain, size_t size)
{
	char name[64], *p;
	int fd;

	snprintf(name, sizeof(name), "/tmp/bsdvm-demo-%d", plain);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, size))
		err(1, "%s", name);
	p = demo_map(fd, size);
	close(fd);
	return p;
}

static void read_all(int fd, const char *name, char *p, size_t size)
{
	ssize_t n;

	for (; size; p += n, size -= n) {
		n = read(fd, p, size);
		if (n <= 0)
			err(1, "read %s", name);
	}
}

/* A new plain file, a copy of the machine's @file. */
int demo_plain_load(const char *file, size_t size)
{
	char *p = plain_map(plains, size);
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", file);
	read_all(fd, file, p, size);
	close(fd);
	munmap(p, size);
	return plains++;
}

int demo_plain_copy(int plain, size_t size)
{
	char *from = plain_map(plain, size), *to = plain_map(plains, size);

	memcpy(to, from, size);
	munmap(from, size);
	munmap(to, size);
	return plains++;
}

void demo_plain_write(int plain, size_t size, uint64_t seed)
{
	char *p = plain_map(plain, size);

	demo_write(p, size, seed);
	munmap(p, size);
}

/* FNV-1a, over words of 64 bits; the last one is filled up with zeroes. */
static uint64_t checksum_of(const char *p, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325, word;
	size_t n;

	for (; size; p += n, size -= n) {
		n = size < sizeof(word) ? size : sizeof(word);
		word = 0;
		memcpy(&word, p, n);
		sum = (sum ^ word) * 0x100000001b3;
		sum ^= sum >> 32;
	}
	return sum;
}

/*
 * What the map or snapshot holds: a map is looked at through mmap, a snapshot
 * that is not open is opened and read.
 */
static char *state_content(const struct demo_state *state, int family,
			   size_t size)
{
	char *p;
	int fd;

	if (state->fd >= 0)
		return demo_map(state->fd, size);
	fd = demo_open(family, state->id);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	read_all(fd, state->name, p, size);
	close(fd);
	return p;
}

/* By checksum, and byte for byte. */
bool demo_plain_equal(const struct demo_state *state, int family, size_t size,
		      uint64_t *checksum)
{
	char *content = state_content(state, family, size);
	char *plain = plain_map(state->plain, size);
	bool equal;

	*checksum = checksum_of(content, size);
	equal = *checksum == checksum_of(plain, size) &&
		!memcmp(content, plain, size);
	munmap(content, size);
	munmap(plain, size);
	return equal;
}
