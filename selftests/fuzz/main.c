// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * usage: device_fuzz SECONDS SEED [CORPUS]
 *        device_fuzz --replay LINE...
 *
 * Prints each program before it runs ("run ..."), so that the last one is known
 * when the kernel does not survive it, and at the end those that the corpus
 * needs ("keep ...").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

static unsigned int programs;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* True: it came where no program was before. */
static bool run(const struct program *program)
{
	program_write("run ", program);
	cover_start();
	calls_run(program);
	programs++;
	return cover_stop() > 0;
}

static void read_corpus(const char *name)
{
	char line[2 * sizeof(((struct program *)0)->calls) + 2];
	FILE *file = fopen(name, "r");
	struct program program;

	if (!file) {
		perror(name);
		exit(2);
	}
	while (fgets(line, sizeof(line), file))
		if (program_parse(line, &program) && run(&program))
			corpus_add(&program);
	fclose(file);
	printf("corpus: %u programs, %u edges\n", corpus_size(), cover_edges());
}

/* What was new when it was added is kept. */
static void fuzz(double until)
{
	struct program program;
	unsigned int i;

	while (seconds() < until) {
		program = mutate();
		if (!run(&program))
			continue;
		corpus_add(&program);
		printf("%u programs, %u edges, %u kept\n", programs,
		       cover_edges(), corpus_size());
	}
	for (i = 0; i < corpus_size(); i++)
		program_write("keep ", corpus_at(i));
}

static void replay(char **lines)
{
	struct program program;

	for (; *lines; lines++) {
		if (!program_parse(*lines, &program))
			exit(2);
		program_print(&program);
		calls_run(&program);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--replay")) {
		calls_begin();
		replay(argv + 2);
		return 0;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: %s SECONDS SEED [CORPUS]\n", argv[0]);
		return 2;
	}
	calls_begin();
	if (!cover_begin()) {
		fprintf(stderr, "no KCOV in this kernel\n");
		return 4;
	}
	random_seed(strtoull(argv[2], NULL, 0));
	if (argc > 3)
		read_corpus(argv[3]);
	fuzz(seconds() + atof(argv[1]));
	printf("ok - seed %s: %u programs, %u edges, %u kept\n", argv[2],
	       programs, cover_edges(), corpus_size());
	return 0;
}
