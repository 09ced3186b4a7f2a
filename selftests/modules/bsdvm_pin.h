/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * /dev/bsdvm_pin: hold on to pages of the caller's memory, and see what a page
 * holds that nobody has filled. For tests only.
 */
#ifndef BSDVM_PIN_H
#define BSDVM_PIN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BSDVM_PIN_PIN	0	/* FOLL_PIN: as RDMA, and O_DIRECT of late */
#define BSDVM_PIN_GET	1	/* FOLL_GET: as O_DIRECT of old, and ptrace */
#define BSDVM_PIN_KINDS	2

#define BSDVM_PIN_MAX	64	/* held by one open file */

#define BSDVM_PIN_MIXED	256	/* bytes that differ */

/**
 * struct bsdvm_pin - argument of all requests
 * @addr:   HOLD: in the page to hold, which is faulted in for writing
 * @kind:   HOLD: BSDVM_PIN_PIN or BSDVM_PIN_GET
 * @handle: HOLD: out; otherwise: which
 * @offset: READ, WRITE: in the page
 * @value:  WRITE: the byte to store; READ: out; FRESH: out: the byte that all
 *          of a page holds which was just allocated, or BSDVM_PIN_MIXED
 */
struct bsdvm_pin {
	__aligned_u64 addr;
	__u32 kind;
	__u32 handle;
	__u32 offset;
	__u32 value;
};

#define BSDVM_PIN_HOLD		_IOWR('p', 0xb0, struct bsdvm_pin)
#define BSDVM_PIN_WRITE		_IOW('p', 0xb1, struct bsdvm_pin)
#define BSDVM_PIN_READ		_IOWR('p', 0xb2, struct bsdvm_pin)
#define BSDVM_PIN_RELEASE	_IOW('p', 0xb3, struct bsdvm_pin)
#define BSDVM_PIN_FRESH		_IOR('p', 0xb4, struct bsdvm_pin)

#endif /* BSDVM_PIN_H */
