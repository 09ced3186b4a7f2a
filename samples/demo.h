/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The demo: maps, snapshots, and plain files treated the same way. */
#ifndef BSDVM_DEMO_H
#define BSDVM_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bsdvm.h>

#define DEMO_PAGE	4096UL
/* Bytes of the longest write; the file must have more. */
#define DEMO_LONGEST	(2 * DEMO_PAGE)
#define DEMO_WRITES	400

/**
 * struct demo_state - a map or a snapshot, and what it ought to hold
 * @name:  for who watches
 * @plain: number of the plain file that holds the same
 * @fd:    the map; -1 for a snapshot that is not open
 * @id:    the snapshot; 0 for a map
 */
struct demo_state {
	const char *name;
	int plain;
	int fd;
	uint32_t id;
};

/* demo_map.c: requests to the device; each exits on an error */
int demo_device(void);
void *demo_map(int fd, size_t size);
int demo_map_fd(int dev);
uint32_t demo_snapshot(int fd);
int demo_open(int fd, uint32_t id);
void demo_drop(int fd, uint32_t id);
void demo_check(int fd);
long demo_counter(const char *name);

/* demo_plain.c: plain files */
int demo_plain_load(const char *file, size_t size);
int demo_plain_copy(int plain, size_t size);
void demo_plain_write(int plain, size_t size, uint64_t seed);
bool demo_plain_equal(const struct demo_state *state, int family, size_t size,
		      uint64_t *checksum);

/* demo_write.c: writes by a seed, in this process or in others */
void demo_write(char *p, size_t size, uint64_t seed);
void demo_write_together(const struct demo_state *states, int n, size_t size,
			 uint64_t seed);

/* demo_tree.c */
void demo_tree(const struct demo_state *states, int n);

#endif /* BSDVM_DEMO_H */
