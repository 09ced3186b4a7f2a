/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Linux's side: references and locks of folios, page tables, RCU, sleeping.
 * Each is as atomic as Linux makes it, by the folio's lock bit, the page-table
 * lock or an atomic counter.
 */

/* stands for folio_get() in linux/mm.h, of a page known to be referenced */
#define FOLIO_GET(p)							\
	assert(P(p).ref > 0);						\
	P(p).ref++

/*
 * stands for folio_put() in linux/mm.h: the last one frees, and only what is
 * unbound
 */
#define FOLIO_PUT(p)							\
	assert(P(p).ref > 0);						\
	P(p).ref--;							\
	if								\
	:: P(p).ref == 0 ->						\
		assert(!P(p).bound && !P(p).mapped && !P(p).locker);	\
		P(p).data = POISON					\
	:: else								\
	fi

inline folio_put(p)
{
	d_step { FOLIO_PUT(p) }
}

inline folio_lock(p)
{
	atomic { P(p).locker == 0 -> P(p).locker = _pid + 1 }
}

inline folio_unlock(p)
{
	d_step { assert(P(p).locker == _pid + 1); P(p).locker = 0 }
}

/* stands for bsdvm_page_settle() in vmcore/page.h */
inline page_settle(p)
{
	(P(p).locker == 0)
}

/* stands for bsdvm_page_alloc() in vmcore/page.c: locked, one reference */
inline page_alloc(p)
{
	d_step {
		p = FIRST_PAGE;
		do
		:: p < FIRST_PAGE + NPAGE && P(p).ref != 0 -> p++
		:: else -> break
		od;
		assert(p < FIRST_PAGE + NPAGE);
		assert(P(p).locker == 0 && P(p).mapped == 0);
		P(p).ref = 1;
		P(p).locker = _pid + 1
	}
}

/*
 * stands for bsdvm_page_free() in vmcore/page.c: freed once, and mapped nowhere
 */
inline page_free(p)
{
	atomic {
		P(p).locker == 0 ->
		assert(P(p).bound);
		assert(P(p).mapped == 0);
		P(p).bound = false
	};
	folio_put(p)
}

/*
 * Memory that was free is used by somebody whom we do not know, for a time. In
 * other configurations only pages of bsdvm's own are allocated.
 */
#ifdef STRANGERS
byte stranger;

inline stranger_takes(p)
{
	d_step {
		if
		:: P(p).ref == 0 && !stranger ->
			stranger = p;
			P(p).ref = 1
		:: else
		fi
	}
}

inline stranger_leaves()
{
	d_step {
		if
		:: stranger -> FOLIO_PUT(stranger); stranger = NONE
		:: else
		fi
	}
}
#else
inline stranger_takes(p)
{
	skip
}

inline stranger_leaves()
{
	skip
}
#endif

/* stands for bsdvm_page_discard() in vmcore/page.c */
inline page_discard(p)
{
	d_step {
		P(p).bound = false;
		P(p).locker = 0;
		FOLIO_PUT(p)
	}
}

/* A page-table entry is set, under the page-table lock, if there is none. */
#define PTE_SET(m, i, p, w)						\
	assert(P(p).bound && P(p).locker == _pid + 1);			\
	map[m].pte[i] = p;						\
	map[m].writable[i] = w;						\
	P(p).mapped++

#define PMAP_FLUSH(m, i)						\
	map[m].tlb[i] = NONE;						\
	if								\
	:: r_pg -> FOLIO_PUT(r_pg)					\
	:: else								\
	fi;								\
	r_pg = NONE

/*
 * stands for pmap_remove() in module/pmap.c, for one page: the entry is
 * cleared, and translations made from it are flushed before it returns. A
 * flush that somebody else has yet to do is done as well. With `clears` the
 * content of the map goes in the same moment: what was stored before is gone.
 */
inline pmap_remove(m, i, clears)
{
	d_step {
		r_pg = map[m].pte[i];
		map[m].pte[i] = NONE;
		if
		:: r_pg ->
			P(r_pg).mapped--;
			map[m].tlb[i] = r_pg
#ifdef TLB
			;
			map[m].tlb_writable[i] = map[m].writable[i]
#endif
		:: else
		fi;
		map[m].writable[i] = false;
		if
		:: clears -> map[m].content[i] = 0
		:: else
		fi
#ifndef TLB
		;
		PMAP_FLUSH(m, i)
#endif
	}
#ifdef TLB
	;
	d_step { PMAP_FLUSH(m, i) }
#endif
}

/*
 * stands for rcu_read_lock() in linux/rcupdate.h and read_seqcount_begin() in
 * linux/seqlock.h
 */
#define RCU_LOCK							\
	rcu = rcu | BIT_OF_ME;						\
	seq = seq & (255 - BIT_OF_ME)

/* stands for rcu_read_unlock() in linux/rcupdate.h */
#define RCU_UNLOCK							\
	rcu = rcu & (255 - BIT_OF_ME);					\
	seq = seq & (255 - BIT_OF_ME);					\
	u_o = 1;							\
	do								\
	:: u_o <= nobj ->						\
		O(u_o).grace = O(u_o).grace & (255 - BIT_OF_ME);	\
		u_o++							\
	:: else -> break						\
	od;								\
	u_o = 0

/* stands for bsdvm_wait_prepare() in vmcore/busy.c */
#define WAIT_PREPARE(key)						\
	waits[_pid] = key;						\
	woken[_pid] = false

/* stands for bsdvm_wait_cancel() in vmcore/busy.c */
#define WAIT_CANCEL							\
	waits[_pid] = 0;						\
	woken[_pid] = false

/* stands for bsdvm_wait() and bsdvm_wait_uninterruptible() in vmcore/busy.c */
inline wait_sleep()
{
	atomic { woken[_pid] -> WAIT_CANCEL }
}

/* stands for bsdvm_wake() in vmcore/busy.c */
#define WAKE(key)							\
	u_o = 0;							\
	do								\
	:: u_o < NPROC ->						\
		woken[u_o] = woken[u_o] || waits[u_o] == (key);		\
		u_o++							\
	:: else -> break						\
	od;								\
	u_o = 0

/* stands for bsdvm_busy_wait_prepare() in vmcore/busy.c, after the queueing */
#define BUSY_WANT(o, i, is_busy)					\
	is_busy = IS_BUSY(O(o).slot[i]);				\
	if								\
	:: O(o).slot[i] == BUSY -> O(o).slot[i] = WANTED		\
	:: else								\
	fi

/* stands for bsdvm_busy_release() in vmcore/busy.c: store, then wake */
inline busy_release(o, i, becomes)
{
	d_step {
		assert(IS_BUSY(O(o).slot[i]));
		u_want = O(o).slot[i] == WANTED;
		O(o).slot[i] = becomes
	};
	d_step {
		if
#ifndef M_BUSY_NO_WAKE
		:: u_want -> WAKE(KEY_SLOT(o, i))
#endif
		:: else
		fi;
		u_want = false
	}
}

/*
 * stands for bsdvm_map_lock_shared() and bsdvm_map_unlock_shared() in
 * vmcore/map.c
 */
inline map_lock_shared(m)
{
	atomic { !map[m].writer -> map[m].readers++ }
}

inline map_unlock_shared(m)
{
	d_step { assert(map[m].readers > 0); map[m].readers-- }
}

/* stands for bsdvm_map_lock() and bsdvm_map_unlock() in vmcore/map.c */
inline map_lock(m)
{
	atomic {
		!map[m].writer && map[m].readers == 0 ->
		map[m].writer = true
#ifdef PAGER
		; map[m].generation++
#endif
	}
}

inline map_unlock(m)
{
	d_step { assert(map[m].writer); map[m].writer = false }
}

/* stands for bsdvm_family_lock() in vmcore/family.c */
inline family_lock()
{
	atomic { !family -> family = true }
}

/* Where no reference was dropped there is nothing to collapse or destroy. */
inline family_unlock_quiet()
{
	d_step {
		assert(family);
		family = false;
		u_o = 1;
		do
		:: u_o <= nobj ->
			assert(!O(u_o).pending && !O(u_o).on_dead);
			u_o++
		:: else -> break
		od;
		u_o = 0
	}
}
