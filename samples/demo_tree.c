// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The module's own account of its objects, with the demo's names. */

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "demo.h"

#define TREE	"/sys/kernel/debug/bsdvm/tree"

static unsigned long long map_id(int fd)
{
	struct bsdvm_map_info arg = { .size = sizeof(arg) };

	if (ioctl(fd, BSDVM_IOC_MAP_INFO, &arg))
		err(1, "BSDVM_IOC_MAP_INFO");
	return arg.id;
}

/* The first object of a snapshot. */
static unsigned long long snapshot_object(int fd, uint32_t id)
{
	struct bsdvm_snapshot_info arg = { .size = sizeof(arg), .id = id };

	if (ioctl(fd, BSDVM_IOC_SNAPSHOT_INFO, &arg))
		err(1, "BSDVM_IOC_SNAPSHOT_INFO");
	return arg.object_id;
}

static void print_name(const struct demo_state *state, const char **separator)
{
	printf("%s%s", *separator, state->name);
	*separator = ", ";
}

/* The maps and snapshots that begin with the object of this line. */
static void print_names(const char *line, unsigned long long object,
			const struct demo_state *states, int n)
{
	const char *map = strstr(line, " map "), *separator = "  ";
	unsigned long long id;
	int i;

	for (i = 0; i < n; i++)
		if (states[i].fd < 0 &&
		    snapshot_object(states[0].fd, states[i].id) == object)
			print_name(&states[i], &separator);
	for (; map; map = strstr(map + 1, " map ")) {
		if (sscanf(map, " map %llu", &id) != 1)
			break;
		for (i = 0; i < n; i++)
			if (states[i].fd >= 0 && map_id(states[i].fd) == id)
				print_name(&states[i], &separator);
	}
	putchar('\n');
}

/* "object 5: pages 9 resident 3 refs 2 shadows 1 map 2", indented by depth. */
static void print_object(const char *line, const struct demo_state *states,
			 int n)
{
	unsigned long long object;
	long resident;
	int indent;

	indent = strspn(line, " ");
	if (sscanf(line + indent, "object %llu: pages %*u resident %ld",
		   &object, &resident) != 2)
		return;
	printf("  %*sobject %-*llu %6ld pages ", indent - 2, "",
	       14 - indent, object, resident);
	print_names(line, object, states, n);
}

void demo_tree(const struct demo_state *states, int n)
{
	FILE *f = fopen(TREE, "r");
	char line[1024];

	if (!f)
		err(1, TREE);
	while (fgets(line, sizeof(line), f))
		print_object(line, states, n);
	fclose(f);
}
