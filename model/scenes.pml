/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The configurations: what there is in the beginning (BEGIN), and who does what
 * at the same time (RUN). Objects are numbered from the back to the front.
 */

/* Two maps of one frozen page, each with an object of its own in front. */
#ifdef C_FAULT
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 1); SHOWS(0, 2, false); SHOWS(1, 3, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0);		\
		THREAD(1, STORE, 0)
#endif
#ifdef C_FAULT_WRITE
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1);			\
		MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, WRITE, 0); THREAD(0, LOAD, 0); THREAD(0, STORE, 0)
#endif
#ifdef C_FAULT_ALONE
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, WRITE, 0); THREAD(0, LOAD, 0); THREAD(0, READ, 0)
#endif
#ifdef C_FAULT_TWICE
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1);			\
		MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, WRITE, 0); THREAD(0, WRITE, 0); THREAD(0, PEEK, 0)
#endif

/* A hole. */
#ifdef C_ZERO
#define BEGIN	nobj = 2; BEHIND(2, 1); SHOWS(0, 2, false);
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); THREAD(0, WRITE, 0)
#endif

/* A snapshot, while one thread writes page after page. */
#ifdef C_CUT
#define NIDX 2
#define R_SNAPSHOT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); HAS(1, 1, PAGE_B, FILLED); \
		SHOWS(0, 1, false); MAPPED(0, 0, PAGE_A, true);		\
		MAPPED(0, 1, PAGE_B, true)
#define RUN	THREAD(0, STORE_ALL, 0); REQUEST(0, SNAPSHOT)
#endif
#ifdef C_CUT_WRITE
#define NIDX 2
#define HALVES
#define R_SNAPSHOT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); HAS(1, 1, PAGE_B, FILLED); \
		SHOWS(0, 1, false)
#define RUN	THREAD(0, WRITE, 0); REQUEST(0, SNAPSHOT)
#endif

/* A snapshot of a page that somebody pins to write it. */
#ifdef C_PIN
#define R_SNAPSHOT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, false)
#define RUN	THREAD(0, PIN_WRITE, 0); THREAD(0, LOAD, 0);		\
		REQUEST(0, SNAPSHOT)
#endif

/* A snapshot is dropped: the middle of a chain, or its end, is collapsed. */
#ifdef C_COLLAPSE
#define R_DROP
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1);			\
		MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); REQUEST(0, DROP)
#endif
#ifdef C_COLLAPSE_READ
#define R_DROP
#define BEGIN	nobj = 3; HAS(2, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 2); SHOWS(0, 3, false); SNAPSHOT_OF(2)
#define RUN	THREAD(0, WRITE, 0); THREAD(0, READ, 0); REQUEST(0, DROP)
#endif
#ifdef C_COLLAPSE_DEEP
#define R_DROP
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 2); SHOWS(0, 3, false); SNAPSHOT_OF(2)
#define RUN	THREAD(0, READ, 0); THREAD(0, LOAD, 0); REQUEST(0, DROP)
#endif

/* A collapse that ends halfway, as memory for the moves ran out. */
#ifdef C_COLLAPSE_ABORT
#define NIDX 2
#define ABORT
#define R_DROP
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		HAS(1, 1, PAGE_B, FILLED); SHOWS(0, 2, false);		\
		SNAPSHOT_OF(1)
#define RUN	THREAD(0, READ, 0); THREAD(0, WRITE, 1); REQUEST(0, DROP)
#endif

/* The same, by faults that keep the family from changing as they walk. */
#ifdef C_COLLAPSE_PATIENCE
#define PATIENCE
#define R_DROP
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1);			\
		MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, READ, 0); THREAD(0, WRITE, 0); REQUEST(0, DROP)
#endif
#ifdef C_PAGER_PATIENCE
#define PATIENCE
#define PAGER
#define STORE_HAS
#define R_DROP
#define BEGIN	nobj = 2; O(1).pager = true; O(1).store = STORED;	\
		BEHIND(2, 1); SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, LOAD, 0); THREAD(0, WRITE, 0); REQUEST(0, DROP)
#endif

/* A map passes over what another one keeps, which takes it over. */
#ifdef C_BYPASS
#define R_DROP
#define BEGIN	nobj = 4; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 2); BEHIND(4, 1); SHOWS(1, 3, false);		\
		SHOWS(0, 4, false); SNAPSHOT_OF(2);			\
		MAPPED(1, 0, PAGE_A, false)
#define RUN	THREAD(1, WRITE, 0); THREAD(1, PEEK, 0);		\
		THREAD(0, WRITE, 0); REQUEST(1, DROP)
#endif

/*
 * The same, and who is left with it alone writes to it in place, or punches
 * there, while a walk of the first map is on its way to it.
 */
#ifdef C_BYPASS_REUSE
#define R_DROP
#define BEGIN	nobj = 3; BEHIND(2, 1); BEHIND(3, 2);			\
		SHOWS(0, 3, false); SHOWS(1, 1, true); SNAPSHOT_OF(2)
#define RUN	THREAD(0, STORE, 0); THREAD(1, STORE, 0); REQUEST(0, DROP)
#endif
#if defined(C_BYPASS_PUNCH) || defined(C_BYPASS_PUNCH_READ)
#define NIDX 2
#define NOBJ 5
#define R_DROP
#define R_PUNCH_FIRST
#define BEGIN	nobj = 4; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 2); BEHIND(4, 3); SHOWS(0, 4, false);		\
		SHOWS(1, 2, true); SNAPSHOT_OF(3)
#endif
#ifdef C_BYPASS_PUNCH
#define RUN	THREAD(0, STORE, 0); REQUEST(0, DROP); REQUEST(1, PUNCH_FIRST)
#endif
#ifdef C_BYPASS_PUNCH_READ
#define RUN	THREAD(0, READ, 0); REQUEST(0, DROP); REQUEST(1, PUNCH_FIRST)
#endif
/*
 * What is passed over dies, as the other map is closed then, and its memory is
 * used for something else. A walk has found a page there, and has no reference
 * yet.
 */
#ifdef C_BYPASS_DEAD
#define PREFAULT
#define STRANGERS
#define R_DROP_CLOSE
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 2); SHOWS(0, 3, false); SHOWS(1, 1, true);	\
		SNAPSHOT_OF(2)
#define RUN	THREAD(0, WRITE, 0); PREFAULTS(0, 0); REQUEST(1, DROP_CLOSE)
#endif

/* A page that only this map still needs changes its object instead. */
#ifdef C_RENAME
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); THREAD(0, READ, 0)
#endif
#ifdef C_RENAME_SNAPSHOT
#define R_SNAPSHOT
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); REQUEST(0, SNAPSHOT)
#endif

/* A whole map is punched, and gives what is behind it to another map. */
#ifdef C_PUNCH
#define R_PUNCH
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 1); SHOWS(0, 2, false); SHOWS(1, 3, false);	\
		MAPPED(1, 0, PAGE_A, false)
#define RUN	THREAD(1, PEEK, 0); THREAD(0, WRITE, 0);		\
		THREAD(1, STORE, 0); REQUEST(1, PUNCH)
#endif
/* One page of a map is punched, and leaves a tombstone. */
#ifdef C_PUNCH_FIRST
#define NIDX 2
#define R_PUNCH_FIRST
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		HAS(1, 1, PAGE_B, FILLED); SHOWS(0, 2, false);		\
		SNAPSHOT_OF(1)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0);		\
		REQUEST(0, PUNCH_FIRST)
#endif
/* Punched while the page is on its way into the page table. */
#ifdef C_PUNCH_OWN
#define R_PUNCH
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); REQUEST(0, PUNCH)
#endif

/* A map loses its last page, with one page or two. */
#ifdef C_SHRINK
#define R_SHRINK
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 1); SHOWS(0, 2, false); SHOWS(1, 3, false);	\
		MAPPED(1, 0, PAGE_A, false)
#define RUN	THREAD(1, STORE, 0); THREAD(0, STORE, 0); REQUEST(1, SHRINK)
#endif
#ifdef C_SHRINK_SPAN
#define NIDX 2
#define R_SHRINK
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		HAS(1, 1, PAGE_B, FILLED); SHOWS(0, 2, false);		\
		SNAPSHOT_OF(1)
#define RUN	THREAD(0, LOAD, 1); THREAD(0, STORE, 1); REQUEST(0, SHRINK)
#endif

/* A map is closed; the other one takes over what they shared. */
#ifdef C_CLOSE
#define R_CLOSE
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 1); SHOWS(0, 2, false); SHOWS(1, 3, false);	\
		MAPPED(1, 0, PAGE_A, false)
#define RUN	THREAD(0, WRITE, 0); THREAD(1, PIN, 0); REQUEST(1, CLOSE)
#endif
/* The same, and the other one may write to the frozen object itself. */
#ifdef C_REUSE
#define R_CLOSE
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, true);	\
		SHOWS(1, 1, true); MAPPED(1, 0, PAGE_A, false)
#define RUN	THREAD(0, WRITE, 0); THREAD(1, PIN, 0); REQUEST(1, CLOSE)
#endif

/* A frozen object with a pager, which has the page or has not. */
#ifdef C_PAGER
#define PAGER
#define STORE_HAS
#define BEGIN	nobj = 3; O(1).pager = true; O(1).store = STORED;	\
		BEHIND(2, 1); BEHIND(3, 1); SHOWS(0, 2, false);		\
		SHOWS(1, 3, false)
#define RUN	THREAD(0, LOAD, 0); THREAD(1, STORE, 0); THREAD(1, LOAD, 0)
#endif
#ifdef C_PAGER_ABSENT
#define PAGER
#define BEGIN	nobj = 3; O(1).pager = true; O(1).store = ABSENT;	\
		BEHIND(2, 1); BEHIND(3, 1); SHOWS(0, 2, false);		\
		SHOWS(1, 3, false)
#define RUN	THREAD(0, LOAD, 0); THREAD(1, STORE, 0)
#endif
/* A pager at work in the object that is punched. */
#ifdef C_PAGER_PUNCH
#define PAGER
#define STORE_HAS
#define R_PUNCH
#define BEGIN	nobj = 1; O(1).pager = true; O(1).store = STORED;	\
		SHOWS(0, 1, false)
#define RUN	THREAD(0, LOAD, 0); THREAD(0, STORE, 0); REQUEST(0, PUNCH)
#endif
/* A pager at work in an object that is to be collapsed. */
#ifdef C_PAGER_COLLAPSE
#define PAGER
#define STORE_HAS
#define R_DROP
#define BEGIN	nobj = 2; O(1).pager = true; O(1).store = STORED;	\
		BEHIND(2, 1); SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, LOAD, 0); THREAD(0, STORE, 0); REQUEST(0, DROP)
#endif
/* A snapshot while a pager is asked in vain, and somebody else writes then. */
#ifdef C_PAGER_SNAPSHOT
#define PAGER
#define TWO_WRITERS
#define R_SNAPSHOT
#define BEGIN	nobj = 1; O(1).pager = true; O(1).store = ABSENT;	\
		SHOWS(0, 1, false)
#define RUN	THREAD(0, WRITE, 0); THREAD(0, WRITE, 0);		\
		REQUEST(0, SNAPSHOT)
#endif
/* A pager at work in an object that dies. */
#ifdef C_PAGER_DEAD
#define PAGER
#define STORE_HAS
#define R_PUNCH
#define BEGIN	nobj = 2; O(1).pager = true; O(1).store = STORED;	\
		BEHIND(2, 1); SHOWS(0, 2, false)
#define RUN	THREAD(0, LOAD, 0); THREAD(0, STORE, 0); REQUEST(0, PUNCH)
#endif

/* A program removes a mapping; the translation is still in use elsewhere. */
#ifdef C_FLUSH
#define TLB
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1);			\
		MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); DONTNEED(0, 0)
#endif
#ifdef C_FLUSH_SNAPSHOT
#define TLB
#define R_SNAPSHOT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, false); \
		MAPPED(0, 0, PAGE_A, true)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); DONTNEED(0, 0); \
		REQUEST(0, SNAPSHOT)
#endif

#ifdef C_CUT_FLUSH
#define TLB
#define NIDX 2
#define R_SNAPSHOT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); HAS(1, 1, PAGE_B, FILLED); \
		SHOWS(0, 1, false); MAPPED(0, 0, PAGE_A, true);		\
		MAPPED(0, 1, PAGE_B, true)
#define RUN	THREAD(0, STORE_ALL, 0); DONTNEED(0, 0); DONTNEED(0, 1); \
		REQUEST(0, SNAPSHOT)
#endif

/* Mapped as the neighbour of another page's fault. */
#ifdef C_PREFAULT
#define PREFAULT
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); PREFAULTS(0, 0)
#endif
#ifdef C_PREFAULT_COLLAPSE
#define PREFAULT
#define R_DROP
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, WRITE, 0); PREFAULTS(0, 0); REQUEST(0, DROP)
#endif

/* Pages on their way into the page table after the map was unlocked. */
#ifdef C_FAULT_HANDOVER
#define HANDOVER 1
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 1); SHOWS(0, 2, false); SHOWS(1, 3, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0);		\
		THREAD(1, STORE, 0)
#endif
#ifdef C_CUT_HANDOVER
#define HANDOVER 1
#define NIDX 2
#define TWO_WRITERS
#define R_SNAPSHOT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); HAS(1, 1, PAGE_B, FILLED); \
		SHOWS(0, 1, false)
#define RUN	THREAD(0, STORE_ALL, 0); THREAD(0, STORE, 1);		\
		REQUEST(0, SNAPSHOT)
#endif
#ifdef C_PUNCH_HANDOVER
#define HANDOVER 1
#define R_PUNCH
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); REQUEST(0, PUNCH)
#endif
#ifdef C_SHRINK_HANDOVER
#define HANDOVER 1
#define R_SHRINK
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); REQUEST(0, SHRINK)
#endif

#ifdef C_PROTECT_HANDOVER
#define HANDOVER 1
#define R_PROTECT
#define BEGIN	nobj = 1; HAS(1, 0, PAGE_A, FILLED); SHOWS(0, 1, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); REQUEST(0, PROTECT)
#endif

/*
 * A page that a walk has found is replaced by a copy, as somebody holds it, and
 * its memory is used for something else before the walk has its reference.
 */
#ifdef C_HOLD
#define HOLDER
#define REUSED
#define R_DROP
#define BEGIN	nobj = 3; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		BEHIND(3, 2); SHOWS(0, 3, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, WRITE, 0); HELD_BY(1, PAGE_A); REQUEST(0, DROP)
#endif

/*
 * A page that somebody holds through a map that has left it; the other map,
 * alone with the page now, writes.
 */
#ifdef C_RENAME_HANDS
#define HOLDER
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, LOAD, 0); HELD_BY(1, PAGE_A)
#endif

/*
 * Progress: who starts again, because a page is moving, busy or replaced, gets
 * on in the end, if nobody is kept from running for ever. tools/model knows
 * these by their names.
 */
#ifdef C_PROGRESS_COLLAPSE
#define R_DROP
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, WRITE, 0); REQUEST(0, DROP)
#endif
#ifdef C_PROGRESS_PAGER
#define PAGER
#define STORE_HAS
#define R_DROP
#define BEGIN	nobj = 2; O(1).pager = true; O(1).store = STORED;	\
		BEHIND(2, 1); SHOWS(0, 2, false); SNAPSHOT_OF(1)
#define RUN	THREAD(0, LOAD, 0); REQUEST(0, DROP)
#endif
#ifdef C_PROGRESS_FAULT
#define BEGIN	nobj = 2; HAS(1, 0, PAGE_A, FILLED); BEHIND(2, 1);	\
		SHOWS(0, 2, false); MAPPED(0, 0, PAGE_A, false)
#define RUN	THREAD(0, STORE, 0); THREAD(0, STORE, 0)
#endif

/* Wiring, and how things end: they need nothing of the rest. */
#ifdef C_WIRE
#define WIRING
#endif
#ifdef C_END
#define ENDING
#endif
#ifdef C_PROGRESS_KILL
#define ENDING
#endif
