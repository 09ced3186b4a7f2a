// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Values that bytes of a program stand for. */
#include <limits.h>

#include "fuzz.h"

#define PAGE		4096ULL
#define MAP_MAX		(1ULL << 48)	/* the largest map, in bytes */

uint64_t value_offset(uint8_t byte)
{
	static const uint64_t special[] = {
		1, 7, PAGE - 1, PAGE + 1, 20 * PAGE + 13, 1ULL << 20,
		INT_MAX, 1ULL << 32, (1ULL << 32) + PAGE, MAP_MAX - PAGE,
		MAP_MAX - 1, MAP_MAX, MAP_MAX + PAGE, LLONG_MAX,
		(uint64_t)LLONG_MAX & ~(PAGE - 1), 1ULL << 63,
		-2 * PAGE, -PAGE, -1ULL,
	};
	const unsigned int n = sizeof(special) / sizeof(special[0]);

	return byte < 224 ? byte % 32 * PAGE : special[(byte - 224) % n];
}

uint32_t value_number(uint8_t byte)
{
	if (byte < 192)
		return byte % 16;
	if (byte < 224)
		return 1u << (byte - 192);
	return byte == 255 ? UINT32_MAX : byte;
}
