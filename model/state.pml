/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is modelled: pages, objects, maps, one family; and the ghosts that the
 * assertions compare with. A page holds one value instead of bytes.
 *
 * Numbers: objects count from 1, 0 is none. A page's number is what stands in
 * its slot, FIRST_PAGE and up.
 */

#ifndef NIDX
#define NIDX	1	/* pages of a map, and slots of an object */
#endif
#ifndef NOBJ
#define NOBJ	4
#endif
#ifndef NPAGE
#define NPAGE	5
#endif
#define NMAP	2
#define NPROC	8	/* processes, for what each of them has of its own */

/* stands for BSDVM_SLOT_BUSY, BSDVM_SLOT_BUSY_WANTED and BSDVM_SLOT_ZERO */
#define NONE		0
#define ZERO		1
#define BUSY		2
#define WANTED		3
#define FIRST_PAGE	4
#define IS_PAGE(s)	((s) >= FIRST_PAGE)
#define IS_BUSY(s)	((s) == BUSY || (s) == WANTED)

/* Values: what a page holds. What a map stores tells which map it was. */
#define FILLED		1	/* before the beginning */
#define STORED		2	/* in a pager's store */
#define OF_MAP(m)	(10 + 10 * (m))	/* and up: stored by map m */
#define HALF		97	/* while it is written by a system call */
#define POISON		99	/* of a freed page */
#define FOREIGN(m, v)	((v) >= OF_MAP(1 - (m)) && (v) < OF_MAP(1 - (m)) + 10)

/* stands for struct folio; bound: has an identity, is in a slot or about to */
typedef t_folio {
	byte ref;
	byte mapped;
	byte locker;
	byte data;
	bool bound;
};

/* stands for struct bsdvm_object; windows begin at page 0 of what is behind */
typedef t_object {
	byte slot[NIDX];
	byte backing;
	byte end;
	byte ref;
	byte shadows;
	byte pip;
	byte grace;		/* read sides that may still look at it */
	byte store;		/* what its pager has: a value, ABSENT, or 0 */
	bool pager;
	bool collapsing;
	bool dead;
	bool pending;		/* on family->pending */
	bool on_dead;		/* on family->dead */
	bool destroyed;
};

#define ABSENT		98	/* the pager may have it, but has not */

/* stands for struct bsdvm_map, its one entry and its mappings */
typedef t_map {
	byte readers;
	bool writer;
	byte generation;
	byte object;
	bool needs_copy;
	byte size;
#ifdef R_PROTECT
	bool readonly;
#endif
	byte users;		/* threads that keep the map open */
	byte pte[NIDX];
	bool writable[NIDX];
	byte tlb[NIDX];		/* removed, but not yet flushed everywhere */
#ifdef TLB
	bool tlb_writable[NIDX];
#endif
	byte content[NIDX];	/* ghost: what the map holds */
};

t_folio page[NPAGE];
t_object obj[NOBJ];
t_map map[NMAP];

/* stands for struct bsdvm_family */
bool family;		/* family->lock */
byte nobj;		/* objects so far */

/*
 * family->seq, as far as anybody can tell: has it changed since this process
 * began its walk? Then its bit is set.
 */
byte seq;
byte rcu;		/* bit: this process is in a read side */
byte waits[NPROC];	/* what a process has prepared to wait for */
bool woken[NPROC];
byte running;		/* processes of the configuration */

/* stands for one struct bsdvm_snapshot of map 0, and what it must show */
byte snapshot;
bool snapshot_done;
byte snapshot_shows[NIDX];

#define P(p)		page[(p) - FIRST_PAGE]
#define O(o)		obj[(o) - 1]
#define GONE(o)		(O(o).destroyed && O(o).grace == 0)
#define LEAVING(o)	(O(o).collapsing || O(o).dead)
#define BIT_OF_ME	(1 << _pid)
#define SEQ_CHANGES	seq = seq | rcu
#define SEQ_CHANGED	((seq & BIT_OF_ME) != 0)

#define KEY_SLOT(o, i)	((o) * 8 + (i) + 1)
#define KEY_OBJECT(o)	((o) * 8)

/* Scratch, within single steps only: no part of the state. */
hidden byte u_o, u_b, u_k, u_p, u_v, g_o;
