/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How many things of each kind there are: have all that were made gone? */
#ifndef LIVE_UTIL_H
#define LIVE_UTIL_H

#include <stdbool.h>

#include "bsdvm_util.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

static const char * const live_names[] = {
	"live_families", "live_maps", "live_entries", "live_objects",
	"live_snapshots", "live_pages", "live_wired",
};

struct live {
	long count[ARRAY_SIZE(live_names)];
};

static inline struct live live_now(void)
{
	struct live live;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(live_names); i++)
		live.count[i] = bsdvm_stat(live_names[i]);
	return live;
}

/* What is closed last may take a moment to go. */
static inline bool live_settles(const struct live *before)
{
	struct live now;
	int i;

	for (i = 0; i < 100; i++) {
		now = live_now();
		if (!memcmp(&now, before, sizeof(now)))
			return true;
		usleep(10000);
	}
	for (i = 0; i < ARRAY_SIZE(live_names); i++)
		printf("# %s: %ld, was %ld\n", live_names[i], now.count[i],
		       before->count[i]);
	return false;
}

#endif /* LIVE_UTIL_H */
