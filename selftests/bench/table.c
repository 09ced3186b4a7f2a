// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which figures stand beside which, and how they are printed. */

#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "bench.h"
#include "bsdvm_util.h"

#define COMPETITORS	3

struct column {
	const char *name;
	const struct scenario *scenario;
	unsigned int figure;
};

/* The bar, if not 0, is on the ratio to the first competitor. */
struct row {
	const char *name;
	double bar;
	struct column ours;
	struct column other[COMPETITORS];
};

#define OURS(_scenario, _figure) .ours = { "bsdvm", &(_scenario), _figure }

static const struct row rows[] = {
	{ "zero-fill write, one page a fault", 1.30,
	  OURS(ours_fill, FILL_WRITE), .other = {
		{ "anonymous", &anon_fill, FILL_WRITE },
		{ "memfd shared", &memfd_fill, FILL_WRITE } } },
	{ "zero-fill write, in random order", 0,
	  OURS(ours_random, FILL_WRITE), .other = {
		{ "anonymous", &anon_random, FILL_WRITE },
		{ "memfd shared", &memfd_random, FILL_WRITE } } },
	{ "zero-fill write, with prefault", 0.75,
	  OURS(ours_prefault, FILL_WRITE), .other = {
		{ "anonymous", &anon_fill, FILL_WRITE },
		{ "memfd shared", &memfd_fill, FILL_WRITE },
		{ "huge pages (ceiling)", &huge_fill, FILL_WRITE } } },
	{ "unmap and free, all written", 0,
	  OURS(ours_fill, FILL_UNMAP), .other = {
		{ "anonymous", &anon_fill, FILL_UNMAP },
		{ "memfd shared", &memfd_fill, FILL_UNMAP } } },
	{ "read of resident pages, in order", 1.30,
	  OURS(ours_read, READ_IN_ORDER), .other = {
		{ "memfd shared", &memfd_read, READ_IN_ORDER } } },
	{ "read of resident pages, random", 1.30,
	  OURS(ours_read, READ_RANDOM), .other = {
		{ "memfd shared", &memfd_read, READ_RANDOM } } },
	{ "write to resident pages, in order", 0,
	  OURS(ours_read, READ_THEN_WRITE), .other = {
		{ "memfd shared", &memfd_read, READ_THEN_WRITE } } },
	{ "snapshot of written pages", 0,
	  OURS(ours_snapshot, SNAP_TAKE), .other = {
		{ "fork", &fork_snapshot, SNAP_TAKE } } },
	{ "first write after it", 0,
	  OURS(ours_snapshot, SNAP_WRITE), .other = {
		{ "fork, child alive", &fork_snapshot, SNAP_WRITE },
		{ "memfd private", &private_snapshot, SNAP_WRITE } } },
	{ "snapshot plus first write", 1.30,
	  OURS(ours_snapshot, SNAP_BOTH), .other = {
		{ "fork, child alive", &fork_snapshot, SNAP_BOTH } } },
	{ "write again: no fault", 0,
	  OURS(ours_snapshot, SNAP_AGAIN), .other = {
		{ "fork, child alive", &fork_snapshot, SNAP_AGAIN },
		{ "memfd private", &private_snapshot, SNAP_AGAIN } } },
	{ "a snapshot, 65536 pages unwritten", 1.10,
	  OURS(ours_large, SNAP_FIXED), .other = {
		{ "bsdvm, 16 pages", &ours_small, SNAP_FIXED },
		{ "fork, without the pages", &fork_snapshot, SNAP_FIXED } } },
	{ "open a snapshot as a map", 0, OURS(ours_open, OPEN_OPEN) },
	{ "close that map", 0, OURS(ours_open, OPEN_CLOSE) },
	{ "drop a snapshot", 0, OURS(ours_open, OPEN_DROP) },
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* A figure over all rounds; the spread is in percent of the median. */
struct summary {
	double median;
	double spread;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct summary summarize(const struct column *column,
				unsigned int rounds)
{
	struct summary summary;
	double sorted[BENCH_ROUNDS_MAX];

	memcpy(sorted, column->scenario->value[column->figure],
	       rounds * sizeof(*sorted));
	qsort(sorted, rounds, sizeof(*sorted), compare);
	summary.median = (sorted[rounds / 2] + sorted[(rounds - 1) / 2]) / 2;
	summary.spread = 100 * (sorted[rounds - 1] - sorted[0]) /
			 summary.median;
	return summary;
}

static double ratio_of(const struct row *row, unsigned int i,
		       unsigned int rounds)
{
	return summarize(&row->ours, rounds).median /
	       summarize(&row->other[i], rounds).median;
}

static bool row_missed(const struct row *row, unsigned int rounds)
{
	return row->bar && !(ratio_of(row, 0, rounds) <= row->bar);
}

static void print_figure(const char *indent, const char *name,
			 struct summary summary)
{
	int width = 36 - (int)strlen(indent);

	printf("%s%-*s %9.0f %6.1f%%", indent, width, name, summary.median,
	       summary.spread);
}

static void print_row(const struct row *row, unsigned int rounds)
{
	unsigned int i;

	print_figure("", row->name, summarize(&row->ours, rounds));
	putchar('\n');
	for (i = 0; i < COMPETITORS && row->other[i].name; i++) {
		print_figure("    ", row->other[i].name,
			     summarize(&row->other[i], rounds));
		printf(" %7.2f", ratio_of(row, i, rounds));
		if (row->bar && !i)
			printf("  <= %.2f  %s", row->bar,
			       row_missed(row, rounds) ? "MISSED" : "ok");
		putchar('\n');
	}
}

static const char *unit_name(bool instructions)
{
	return instructions ? "instructions" : "nanoseconds";
}

/* Prints; returns the number of bars missed. */
int bench_table(unsigned int rounds)
{
	unsigned int i, missed = 0;

	printf("%-36s %9s %7s %7s  %s\n", "", "median", "spread", "ratio",
	       "bar");
	for (i = 0; i < NROWS; i++) {
		print_row(&rows[i], rounds);
		missed += row_missed(&rows[i], rounds);
	}
	return missed;
}

void bench_conditions(bool instructions, bool cgroup, unsigned int rounds)
{
	struct utsname name;

	uname(&name);
	printf("Linux %s, CPUs: %d, %s; the clock counts %s\n", name.release,
	       get_nprocs(),
	       cgroup ? "in a memory cgroup" : "in the cgroup of its caller",
	       unit_name(instructions));
	printf("%lu pages of 4 KiB, no huge pages; %u rounds, all in turn\n",
	       BENCH_PAGES, rounds);
	printf("spread: (max - min) / median; ");
	printf("ratio: bsdvm, which is not indented, to the line\n\n");
	printf("%s per page; the last rows: per call\n",
	       unit_name(instructions));
}

static void json_figure(FILE *f, const struct column *column,
			unsigned int rounds)
{
	struct summary summary = summarize(column, rounds);

	fprintf(f, "\"name\":\"%s\",\"median\":%.1f,\"spread_percent\":%.2f",
		column->name, summary.median, summary.spread);
}

static void json_row(FILE *f, const struct row *row, unsigned int rounds)
{
	unsigned int i;

	fprintf(f, "{\"row\":\"%s\",", row->name);
	json_figure(f, &row->ours, rounds);
	fprintf(f, ",\"beside\":[");
	for (i = 0; i < COMPETITORS && row->other[i].name; i++) {
		fprintf(f, "%s{", i ? "," : "");
		json_figure(f, &row->other[i], rounds);
		fprintf(f, ",\"ratio\":%.3f}", ratio_of(row, i, rounds));
	}
	fprintf(f, "]");
	if (row->bar)
		fprintf(f, ",\"bar\":%.2f,\"ok\":%s", row->bar,
			row_missed(row, rounds) ? "false" : "true");
	fprintf(f, "}");
}

static void json_all(FILE *f, bool instructions, bool cgroup,
		     unsigned int rounds)
{
	struct utsname name;
	unsigned int i;

	uname(&name);
	fprintf(f, "{\"kernel\":\"%s\",\"cpus\":%d,\"unit\":\"%s\",",
		name.release, get_nprocs(), unit_name(instructions));
	fprintf(f, "\"memory_cgroup\":%s,\"pages\":%lu,\"rounds\":%u,",
		cgroup ? "true" : "false", BENCH_PAGES, rounds);
	fprintf(f, "\"rows\":[");
	for (i = 0; i < NROWS; i++) {
		fprintf(f, "%s", i ? "," : "");
		json_row(f, &rows[i], rounds);
	}
	fprintf(f, "]}\n");
}

/* On one line; to standard output behind "json: " if @file is "-". */
void bench_json(const char *file, bool instructions, bool cgroup,
		unsigned int rounds)
{
	FILE *f;

	if (!strcmp(file, "-")) {
		printf("json: ");
		json_all(stdout, instructions, cgroup, rounds);
		return;
	}
	f = fopen(file, "w");
	if (!f)
		bench_die(file);
	json_all(f, instructions, cgroup, rounds);
	if (fclose(f))
		bench_die(file);
}
