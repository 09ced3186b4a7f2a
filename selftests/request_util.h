/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* All requests there are, for tests that try something with each. */
#ifndef REQUEST_UTIL_H
#define REQUEST_UTIL_H

#include <stddef.h>
#include <stdint.h>

#include "bsdvm_util.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

union argument {
	uint32_t size;
	struct bsdvm_query query;
	struct bsdvm_create create;
	struct bsdvm_map_fd map_fd;
	struct bsdvm_snapshot_take take;
	struct bsdvm_snapshot_ref ref;
	struct bsdvm_shadow shadow;
	struct bsdvm_wire wire;
	struct bsdvm_map_info map_info;
	struct bsdvm_entry_info entry_info;
	struct bsdvm_snapshot_info snapshot_info;
	struct bsdvm_object_info object_info;
	struct bsdvm_check check;
	unsigned char bytes[2 * PAGE];
};

#define REQUEST_NO_MAP	0x1	/* goes to the device as well */
#define REQUEST_WRITE	0x2	/* needs a descriptor open for writing */
#define REQUEST_OUT	0x4	/* writes to its argument */
#define REQUEST_FD	0x8	/* returns a descriptor */

/* The reserved bytes of an argument. */
struct reserved {
	size_t offset;
	size_t length;
};

#define RESERVED(type, field)						\
	{ offsetof(struct type, field), sizeof(((struct type *)0)->field) }

struct request {
	const char *name;
	unsigned int cmd;
	uint32_t size;
	unsigned int what;
	uint32_t known_flags;
	struct reserved reserved;
};

#define REQUEST(_name, _type, _what)					\
	.name = #_name,							\
	.cmd = BSDVM_IOC_##_name,					\
	.size = sizeof(struct _type),					\
	.what = (_what)

static const struct request requests[] = {
	{ REQUEST(QUERY, bsdvm_query, REQUEST_NO_MAP | REQUEST_OUT) },
	{ REQUEST(CREATE, bsdvm_create, REQUEST_NO_MAP | REQUEST_FD) },
	{ REQUEST(MAP_FD, bsdvm_map_fd, REQUEST_FD),
	  .known_flags = BSDVM_MAP_FD_ADDRESS },
	{ REQUEST(SNAPSHOT, bsdvm_snapshot_take, REQUEST_WRITE | REQUEST_OUT),
	  .reserved = RESERVED(bsdvm_snapshot_take, reserved) },
	{ REQUEST(OPEN, bsdvm_snapshot_ref, REQUEST_FD),
	  .reserved = RESERVED(bsdvm_snapshot_ref, reserved) },
	{ REQUEST(DROP, bsdvm_snapshot_ref, REQUEST_WRITE),
	  .reserved = RESERVED(bsdvm_snapshot_ref, reserved) },
	{ REQUEST(SHADOW, bsdvm_shadow, REQUEST_WRITE | REQUEST_FD) },
	{ REQUEST(WIRE, bsdvm_wire, REQUEST_WRITE),
	  .known_flags = BSDVM_WIRE_SYSTEM },
	{ REQUEST(UNWIRE, bsdvm_wire, REQUEST_WRITE),
	  .known_flags = BSDVM_WIRE_SYSTEM },
	{ REQUEST(MAP_INFO, bsdvm_map_info, REQUEST_OUT) },
	{ REQUEST(ENTRY_INFO, bsdvm_entry_info, REQUEST_OUT),
	  .reserved = RESERVED(bsdvm_entry_info, reserved) },
	{ REQUEST(SNAPSHOT_INFO, bsdvm_snapshot_info, REQUEST_OUT),
	  .reserved = RESERVED(bsdvm_snapshot_info, reserved) },
	{ REQUEST(OBJECT_INFO, bsdvm_object_info, REQUEST_OUT) },
	{ REQUEST(CHECK, bsdvm_check, REQUEST_WRITE | REQUEST_OUT),
	  .reserved = RESERVED(bsdvm_check, reserved) },
};

#define for_each_request(request)					\
	for ((request) = requests;					\
	     (request) < requests + ARRAY_SIZE(requests); (request)++)

#endif /* REQUEST_UTIL_H */
