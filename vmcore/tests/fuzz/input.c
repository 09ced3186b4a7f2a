// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "fuzz.h"

static const u8 *next, *end;

void fuzz_begin(const u8 *data, size_t size)
{
	next = data;
	end = data + size;
}

bool fuzz_ended(void)
{
	return next == end;
}

u8 fuzz_byte(void)
{
	return next == end ? 0 : *next++;
}

u64 fuzz_u64(void)
{
	unsigned int i;
	u64 value = 0;

	for (i = 0; i < 8; i++)
		value = value << 8 | fuzz_byte();
	return value;
}

unsigned long fuzz_below(unsigned long n)
{
	unsigned long value = fuzz_byte();

	if (n > 256)
		value = value << 8 | fuzz_byte();
	return value % n;
}
