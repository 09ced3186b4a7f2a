// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Programs as text. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

void program_write(const char *what, const struct program *program)
{
	const uint8_t *bytes = (const uint8_t *)program->calls;
	char line[2 * sizeof(program->calls) + 1] = "";
	unsigned int i;

	for (i = 0; i < program->ncalls * sizeof(struct call); i++)
		sprintf(line + 2 * i, "%02x", bytes[i]);
	printf("%s%s\n", what, line);
	fflush(stdout);
}

bool program_parse(const char *line, struct program *program)
{
	uint8_t *bytes = (uint8_t *)program->calls;
	unsigned int n = 0, value;

	while (n < sizeof(program->calls) && sscanf(line, "%2x", &value) == 1) {
		bytes[n++] = value;
		line += 2;
	}
	program->ncalls = n / sizeof(struct call);
	return program->ncalls > 0;
}
