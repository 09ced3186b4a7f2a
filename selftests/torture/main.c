// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * usage: torture [--seconds N] [--seed S] [--processes P] [--threads T]
 *                [--pressure] [--cgroup]
 *
 *   --seconds    how long (default: 20)
 *   --seed       of all decisions (default: a new one, which is printed)
 *   --processes  workers at a time, 1 to 8 (default: 4)
 *   --threads    of each, 1 to 4 (default: 2)
 *   --pressure   somebody else uses up the machine's memory again and again
 *   --cgroup     all of it in a memory cgroup of 64 MiB, and beside it, in
 *                another one, somebody who wants more
 *
 * Prints one line of TAP. With the same seed the same things are tried; how
 * they meet is up to the scheduler. The command that repeats a failed run has
 * the guest's kernel and memory from GUEST_KERNEL and GUEST_MEM (MiB), if these
 * are in the environment.
 */

#include <getopt.h>
#include <sys/random.h>
#include <time.h>

#include "torture.h"

#define CHARGE_MAX	(64L << 10)	/* left of the cgroup's charge */

static const struct option long_options[] = {
	{ "seconds", required_argument, NULL, 's' },
	{ "seed", required_argument, NULL, 'r' },
	{ "processes", required_argument, NULL, 'p' },
	{ "threads", required_argument, NULL, 't' },
	{ "pressure", no_argument, NULL, 'm' },
	{ "cgroup", no_argument, NULL, 'c' },
	{ }
};

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: torture [--seconds N] [--seed S] [--processes 1-%d] [--threads 1-%d] [--pressure] [--cgroup]\n",
		PROCESSES_MAX, THREADS_MAX);
	exit(2);
}

static unsigned long number(unsigned long min, unsigned long max)
{
	unsigned long value;
	char *end;

	value = strtoul(optarg, &end, 0);
	if (*end || end == optarg || value < min || value > max)
		usage();
	return value;
}

static void parse_options(struct options *options, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 's')
			options->seconds = number(1, 1000000);
		else if (c == 'r')
			options->seed = number(0, UINT64_MAX);
		else if (c == 'p')
			options->processes = number(1, PROCESSES_MAX);
		else if (c == 't')
			options->threads = number(1, THREADS_MAX);
		else if (c == 'm')
			options->pressure = true;
		else if (c == 'c')
			options->cgroup = true;
		else
			usage();
	}
	if (optind != argc)
		usage();
}

/* Short, so that it is easily typed. */
static uint64_t new_seed(void)
{
	uint32_t seed = time(NULL);

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed ^= getpid();
	return seed;
}

/* Everything is closed: what was charged to the cgroup is given back. */
static void judge_charge(void)
{
	long charge = -1;
	int i;

	for (i = 0; i < 100; i++) {
		charge = cgroup_charge();
		if (charge >= 0 && charge <= CHARGE_MAX)
			break;
		usleep(100000);
	}
	printf("# %ld bytes still charged to the cgroup\n", charge);
	if (charge < 0 || charge > CHARGE_MAX)
		complain("%ld bytes stay charged to the cgroup", charge);
	cgroup_remove();
}

static void run(const struct options *options)
{
	if (options->cgroup && !cgroup_create()) {
		printf("ok 1 - torture # SKIP no memory cgroups\n");
		exit(0);
	}
	shared_create(options);
	crowd_run();
	if (!shared->failed)
		verify_all();
	broker_close();
	if (options->cgroup)
		judge_charge();
}

/* An option of tools/torture with the value of a variable, if that is set. */
static void print_option(const char *option, const char *variable)
{
	const char *value = getenv(variable);

	if (value)
		printf(" %s %s", option, value);
}

/* The command that repeats a failed run, from the top of the project. */
static void print_again(const struct options *options)
{
	printf("# again: tools/torture");
	print_option("--kernel", "GUEST_KERNEL");
	print_option("--mem", "GUEST_MEM");
	printf(" --seconds %u --seed %llu --processes %u --threads %u%s%s\n",
	       options->seconds, (unsigned long long)options->seed,
	       options->processes, options->threads,
	       options->pressure ? " --pressure" : "",
	       options->cgroup ? " --cgroup" : "");
}

int main(int argc, char **argv)
{
	struct options options = {
		.seconds = 20,
		.seed = new_seed(),
		.processes = 4,
		.threads = 2,
	};

	parse_options(&options, argc, argv);
	printf("TAP version 13\n1..1\n# seed %llu\n",
	       (unsigned long long)options.seed);
	fflush(stdout);
	run(&options);
	worker_judge();
	printf("# %llu tickets, %llu questions too late to answer\n",
	       (unsigned long long)shared->clock,
	       (unsigned long long)shared->lost);
	if (shared->failed) {
		printf("# %s\n", shared->failure);
		print_again(&options);
	}
	printf("%s 1 - torture: seed %llu, %u s, %u processes of %u threads%s%s\n",
	       shared->failed ? "not ok" : "ok",
	       (unsigned long long)options.seed, options.seconds,
	       options.processes, options.threads,
	       options.pressure ? ", memory short" : "",
	       options.cgroup ? ", in a cgroup of 64 MiB" : "");
	return shared->failed;
}
