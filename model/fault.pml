/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The fault: vmcore/fault.c, fault_object.c, fault_cow.c, fault_pager.c, and
 * the lookup it begins with, vmcore/map.c. The threads that use it are in
 * thread.pml, whose labels it jumps to.
 */

#ifdef M_NO_SIZE
#define BEYOND	(map[m].object == 0)
#else
#define BEYOND	(i >= map[m].size)
#endif

/* Not there, or not allowed; the difference is only in what the thread gets. */
#ifdef R_PROTECT
#define REFUSED	(BEYOND || (wr && map[m].readonly))
#else
#define REFUSED	BEYOND
#endif

/*
 * stands for bsdvm_map_lookup(), lookup_exclusive() and lookup_check() in
 * vmcore/map.c. The last is the comparison with the size, where the last entry
 * ends; it is made again under each lock.
 */
inline map_lookup()
{
	atomic { !map[m].writer -> map[m].readers++; first = map[m].object };
	if
	:: REFUSED ->
		map_unlock_shared(m);
		goto sigbus
	:: !(REFUSED) && map[m].needs_copy && (wr || want_top) ->
		map_unlock_shared(m);
		map_lock(m);
		if
		:: REFUSED -> map_unlock(m); goto sigbus
		:: else
		fi;
		if
		:: map[m].needs_copy -> entry_make_top(m)
		:: else
		fi;
		/* downgrade_write() */
		d_step {
			map[m].writer = false;
			map[m].readers++;
			first = map[m].object
		}
	:: else
	fi
}

/* stands for cow_can_rename() in vmcore/fault_cow.c, under family->lock */
#ifdef M_RENAME_SHARED
#define CAN_RENAME	(depth == 1 && O(first).backing == cursor)
#else
#define CAN_RENAME							\
	(depth == 1 && O(first).backing == cursor &&			\
	 O(cursor).shadows == 1 && O(cursor).ref == 1 &&		\
	 !O(cursor).collapsing)
#endif

/*
 * stands for cow_rename(), cow_is_ours(), cow_move() and cow_leave_backing() in
 * vmcore/fault_cow.c. Any of the tries may fail: then a copy is made.
 */
inline cow_rename()
{
	d_step {
		if
#ifdef M_RENAME_HANDS
		:: !family && CAN_RENAME && O(cursor).slot[i] == pg ->
#else
		:: !family && CAN_RENAME && O(cursor).slot[i] == pg &&
		   P(pg).locker == 0 && 		   !IN_HANDS(pg, (pg == present -> 2 : 1)) ->
#endif
			family = true;
			owned = true
		:: else
		fi
	};
	if
	:: owned ->
#ifdef M_RENAME_ERASE_FIRST
		O(cursor).slot[i] = NONE;
#endif
		d_step {
			if
			:: O(first).slot[i] == NONE ->
				O(first).slot[i] = pg;
#ifndef M_RENAME_NO_SEQ
				SEQ_CHANGES
#endif
			:: else -> owned = false
			fi
		};
		if
		:: owned -> O(cursor).slot[i] = NONE
		:: else
		fi;
		family_unlock_quiet()
	:: else
	fi
}

/*
 * stands for fault_publish() in vmcore/fault_object.c: one compare-exchange.
 * The page stays locked. It is compared with what the map holds here, as what
 * is written next replaces all of it.
 */
inline fault_publish()
{
	d_step {
		P(np).bound = true;
		P(np).ref++;
		if
#ifdef M_PUBLISH_STORE
		:: true ->
#else
		:: O(first).slot[i] == (depth -> NONE : slot) ->
#endif
			O(first).slot[i] = np;
			assert(P(np).data == map[m].content[i]);
			pg = np;
			locked = true;
			owned = true
		:: else -> P(np).ref--
		fi
	};
	if
	:: pg != np ->
#ifdef M_PUBLISH_LEAK
		folio_unlock(np);
#else
		page_discard(np);
#endif
		np = NONE;
		src = NONE;
		goto release
	:: else -> np = NONE
	fi
}

/* stands for cow_retire_source() and cow_unmap() in vmcore/fault_cow.c */
inline cow_retire_source()
{
	/* folio_lock(), a look, folio_unlock() */
	atomic {
#ifndef M_RETIRE_NO_LOCK
		P(src).locker == 0 ->
#endif
#ifdef M_RETIRE_MAPPED_ONLY
		same = P(src).mapped > 0
#else
		same = P(src).ref > 2
#endif
	};
	if
#ifndef M_RETIRE_NO_UNMAP
	:: same -> pmap_remove(m, i, false)
#endif
	:: else
	fi;
	same = false
}

/* stands for cow_copy() in vmcore/fault_cow.c */
inline cow_copy()
{
	src = pg;
#ifdef M_RETIRE_FIRST
	cow_retire_source();
#endif
	page_alloc(np);
	d_step { P(np).data = P(src).data };
	fault_publish();
#ifdef M_PUBLISH_UNLOCKED
	folio_unlock(pg);
	locked = false;
#endif
#ifndef M_RETIRE_FIRST
	cow_retire_source();
#endif
	folio_put(src);
	src = NONE
}

/* stands for fault_zero_fill() in vmcore/fault_object.c; a read is NOZERO */
inline fault_zero_fill()
{
	if
	:: sys && !wr -> goto hole
	:: else
	fi;
	if
	:: map[m].needs_copy ->
		want_top = true;
		goto release
	:: else
	fi;
	page_alloc(np);
	d_step { P(np).data = 0 };
	fault_publish()
}

/* stands for fault_await_slot() in vmcore/fault_object.c */
inline fault_await_slot()
{
	d_step {
		WAIT_PREPARE(KEY_SLOT(cursor, i));
		BUSY_WANT(cursor, i, sleep)
	};
	if
	:: !sleep -> d_step { WAIT_CANCEL }
	:: else
	fi
}

/* stands for fault_await_collapse() in vmcore/fault_object.c */
inline fault_await_collapse()
{
	if
	:: O(cursor).collapsing ->
		d_step { WAIT_PREPARE(KEY_OBJECT(cursor)) };
		if
		:: O(cursor).collapsing -> sleep = true
		:: else -> d_step { WAIT_CANCEL }
		fi
	:: else
	fi
}

/* stands for bsdvm_object_pip_add() in vmcore/object.c: count, then look */
inline pip_add()
{
	O(cursor).pip++;
	if
	:: LEAVING(cursor) -> O(cursor).pip--; found = AGAIN
	:: else -> pip = cursor
	fi
}

/*
 * stands for fault_pager(), pager_prepare(), pager_insert(), pager_give_up()
 * and pager_absent() in vmcore/fault_pager.c. What the pager brings is the
 * store's; ABSENT is its answer FAIL.
 */
inline fault_pager()
{
	/* bsdvm_busy_claim() */
	d_step {
		if
		:: O(pip).slot[i] == NONE -> O(pip).slot[i] = BUSY; same = true
#ifdef M_BUSY_TWICE
		:: O(pip).slot[i] != NONE -> same = true
#else
		:: else
#endif
		fi
	};
	if
	:: !same -> goto release
	:: else
	fi;
	same = false;
	page_alloc(np);
	gen = map[m].generation;
	map_unlock_shared(m);
	map_locked = false;
	if
	:: O(pip).store == STORED ->
		d_step { P(np).data = STORED; P(np).bound = true };
		folio_unlock(np);
		busy_release(pip, i, np);
		np = NONE;
		goto release
	:: else ->
		page_discard(np);
		np = NONE;
#ifndef M_BUSY_NO_RELEASE
		busy_release(pip, i, NONE);
#endif
		/* bsdvm_map_relock_shared(): tries only */
		if
		:: atomic { !map[m].writer ->
			if
#ifdef M_NO_GENERATION
			:: true ->
#else
			:: map[m].generation == gen ->
#endif
				map[m].readers++;
				map_locked = true
			:: else
			fi
		   }
		:: map[m].writer
		fi;
		gen = 0;
		if
		:: !map_locked -> goto release
		:: else
		fi
	fi
}

/* Let go of what kept the object that the walk has left: fault_walk(). */
inline pip_done(o)
{
	d_step { assert(O(o).pip > 0); O(o).pip-- };
	o = 0
}

/*
 * stands for fault_keep_family() in vmcore/fault.h and bsdvm_resolve_leave() in
 * vmcore/resolve.h: PATIENCE is for a fault that was disturbed often enough
 */
#ifdef PATIENCE
inline fault_keep_family()
{
	if
	:: !passed -> family_lock(); keep = true
	:: else
	fi
}

inline resolve_leave()
{
	if
	:: keep -> family_unlock_quiet(); keep = false
	:: else
	fi
}
#else
inline fault_keep_family()
{
	skip
}

inline resolve_leave()
{
	skip
}
#endif

#define FORGET_WALK	cursor = 0; depth = 0; slot = 0

/*
 * stands for fault_object(), fault_walk() and fault_found() in
 * vmcore/fault_object.c and fault_cow() in vmcore/fault_cow.c: the page of
 * (m, i) in hand, found or made.
 */
inline fault_object()
{
	cursor = first;
	depth = 0;
	below = false;
	do
	::
		passed = pip;
		pip = 0;
		fault_keep_family();
		d_step { RCU_LOCK };
		resolve_walk(below, false);
		if
		:: found == PAGE -> resolve_hold()
		:: found == ISBUSY -> fault_await_slot()
		:: found == ASK -> pip_add()
		:: found == AGAIN -> fault_await_collapse()
		:: found == HOLE
		fi;
		d_step { RCU_UNLOCK };
		resolve_leave();
		if
		:: passed -> pip_done(passed)
		:: else
		fi;
		if
		:: found == ASK -> fault_pager(); below = true
		:: else -> break
		fi
	od;
	below = false;
	if
	:: found == AGAIN || found == ISBUSY -> goto release
	:: found == HOLE -> fault_zero_fill()
	:: else ->
		if
		:: depth == 0 -> owned = !map[m].needs_copy
		:: depth > 0 && !wr
		:: else ->
			cow_rename();
			if
			:: !owned -> cow_copy()
			:: else
			fi
		fi
	fi
}

/* stands for fault_lock_page() and fault_page_is_current() in vmcore/fault.c */
inline fault_lock_page()
{
	if
	:: !locked ->
#ifdef M_NO_RECHECK
		atomic { P(pg).locker == 0 -> P(pg).locker = _pid + 1 };
		locked = true
#else
#ifndef M_KEEP_LATE
		fault_keep_family();
#endif
		atomic {
			P(pg).locker == 0 ->
			P(pg).locker = _pid + 1;
			locked = true;
			cursor = first;
			depth = 0;
			slot = 0;
			RCU_LOCK
		};
#ifdef M_KEEP_LATE
		fault_keep_family();
#endif
		resolve_walk(false, true);
		d_step {
			RCU_UNLOCK;
			found = (found == PAGE && slot == pg -> PAGE : AGAIN);
			FORGET_WALK
		};
		resolve_leave();
		if
		:: found == AGAIN -> goto release
		:: else
		fi
#endif
	:: else
	fi
}

/*
 * stands for fault_enter() in vmcore/fault.c, pmap_enter() and
 * bsdvm_pmap_may_enter() in module/pmap.c: the page is mapped with the map still
 * locked. HANDOVER: as where the last says no.
 */
inline fault_enter()
{
#if HANDOVER != 1
	d_step {
		if
		:: !sys && map[m].pte[i] == NONE && pg != present ->
			PTE_SET(m, i, pg, owned);
			FOLIO_GET(pg);
			P(pg).locker = 0;
			locked = false;
			entered = true
		:: else
		fi
	}
#else
	skip
#endif
}
