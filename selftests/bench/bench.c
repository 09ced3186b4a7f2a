// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How much a page costs, beside Linux's own ways to have it.
 *
 * All scenarios run in turn, round after round, in one process and one memory
 * cgroup. Under QEMU's -icount the figures are instructions, on hardware
 * nanoseconds. The exit status is 1 if a bar is missed.
 */

#include <getopt.h>

#include "bench.h"
#include "bsdvm_util.h"

/* Competitors next to each other. */
static struct scenario *const scenarios[] = {
	&ours_fill, &anon_fill, &memfd_fill,
	&ours_random, &anon_random, &memfd_random,
	&ours_prefault, &huge_fill,
	&ours_read, &memfd_read,
	&ours_snapshot, &fork_snapshot, &private_snapshot,
	&ours_small, &ours_large, &ours_open,
};

#define WARM_UPS	2
#define NSCENARIOS	(sizeof(scenarios) / sizeof(scenarios[0]))

struct options {
	unsigned int rounds;
	const char *json;
	bool shootdowns;
};

static const char usage[] =
	"usage: bench [--rounds N] [--json FILE] [--shootdowns]\n"
	"\n"
	"  --rounds N    default: 7\n"
	"  --json FILE   the figures, too; -: on a line that begins with json:\n"
	"  --shootdowns  count TLB shootdowns instead\n";

static void run_scenario(struct scenario *scenario, unsigned int round)
{
	double figures[BENCH_OUTPUTS] = { 0 };
	unsigned int i;

	scenario->run(figures);
	for (i = 0; i < BENCH_OUTPUTS; i++)
		scenario->value[i][round] = figures[i];
}

static void run_round(unsigned int round)
{
	unsigned int i;

	for (i = 0; i < NSCENARIOS; i++)
		run_scenario(scenarios[i], round);
}

/* The kernel's caches settle first; these figures are written over. */
static void run_rounds(unsigned int rounds)
{
	unsigned int round;

	for (round = 0; round < WARM_UPS; round++)
		run_round(0);
	for (round = 0; round < rounds; round++)
		run_round(round);
}

static struct options parse(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "json", required_argument, NULL, 'j' },
		{ "shootdowns", no_argument, NULL, 's' },
		{ 0 },
	};
	struct options options = { .rounds = 7 };
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'r')
			options.rounds = atoi(optarg);
		else if (c == 'j')
			options.json = optarg;
		else if (c == 's')
			options.shootdowns = true;
		else
			exit(2);
	}
	if (optind < argc || options.rounds < 1 ||
	    options.rounds > BENCH_ROUNDS_MAX) {
		fputs(usage, stderr);
		exit(2);
	}
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	bool instructions, cgroup;
	int missed;

	bench_setup();
	if (options.shootdowns)
		return bench_shootdowns(options.json);
	cgroup = bench_enter_cgroup();
	bench_wait_idle();
	instructions = bench_clock_counts_instructions();
	run_rounds(options.rounds);
	bench_conditions(instructions, cgroup, options.rounds);
	missed = bench_table(options.rounds);
	if (options.json)
		bench_json(options.json, instructions, cgroup, options.rounds);
	return missed ? 1 : 0;
}
