// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Run a fuzzer on the files and directories named, without libFuzzer. Prints
 * one line of TAP; an input that fails ends the program, after its name.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX	65536

static unsigned int inputs;

static void replay_file(const char *name)
{
	static u8 data[INPUT_MAX];
	FILE *file = fopen(name, "r");
	size_t size;
	u8 *copy;

	BUG_ON(!file);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	fprintf(stderr, "# %s\n", name);
	/* Of its own size, so that a byte too many is seen. */
	copy = malloc(size ?: 1);
	BUG_ON(!copy);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void replay_directory(const char *name)
{
	struct dirent **list;
	char path[PATH_MAX];
	int i, n = scandir(name, &list, NULL, alphasort);

	BUG_ON(n < 0);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", name, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			replay_file(path);
		free(list[i]);
	}
	free(list);
}

static void replay(const char *name)
{
	struct stat stat_buf;

	BUG_ON(stat(name, &stat_buf));
	if (S_ISDIR(stat_buf.st_mode))
		replay_directory(name);
	else
		replay_file(name);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	printf("1..1\n%s 1 - %s: %u inputs\n", inputs ? "ok" : "not ok",
	       program_invocation_short_name, inputs);
	return !inputs;
}
