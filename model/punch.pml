/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Punch, truncate and close: vmcore/punch.c, vmcore/resize.c, and
 * bsdvm_map_put().
 */

/* stands for punch_await_busy() in vmcore/punch.c */
inline punch_await_busy()
{
	n = first;
	do
	:: O(t_o).pager && n < NIDX ->
		do
		:: IS_BUSY(O(t_o).slot[n]) ->
			d_step {
				WAIT_PREPARE(KEY_SLOT(t_o, n));
				BUSY_WANT(t_o, n, u_hit)
			};
			if
			:: u_hit -> wait_sleep()
			:: else -> d_step { WAIT_CANCEL }
			fi;
			u_hit = false
		:: else -> break
		od;
		n++
	:: else -> break
	od;
	n = 0
}

/* stands for punch_visit_below() with punch_await() in vmcore/punch.c */
inline punch_settle_below()
{
	t_n = t_o;
	do
	:: O(t_n).backing == 0 -> break
	:: else ->
		t_n = O(t_n).backing;
		n = first;
		do
		:: n < NIDX ->
			pg = O(t_n).slot[n];
			if
			:: IS_PAGE(pg) -> page_settle(pg)
			:: else
			fi;
			pg = NONE;
			n++
		:: else -> break
		od
	od;
	n = 0;
	t_n = 0
}

/*
 * stands for punch_hide() in vmcore/punch.c and bsdvm_object_clip_backing() in
 * vmcore/object.c: the window ends
 */
inline punch_hide()
{
	if
	:: O(t_o).backing != 0 && first < O(t_o).end ->
		if
		:: first == 0 ->
			t_n = O(t_o).backing;
			object_detach(t_o);
			object_deallocate(t_n);
			t_n = 0
		:: else ->
			d_step { OBJECT_SET_LINK(t_o, O(t_o).backing, first) }
		fi
	:: else
	fi
}

/* Page n alone: the window goes on, so a tombstone, over a claim. */
inline punch_bury()
{
	d_step {
		GHOST_RESOLVE(O(t_o).backing, n, u_p);
		u_hit = u_p != 0 || O(O(t_o).backing).store != 0;
		u_p = 0;
		if
		:: u_hit && O(t_o).slot[n] == NONE -> O(t_o).slot[n] = BUSY
		:: else
		fi;
		u_hit = false
	};
	if
	:: IS_BUSY(O(t_o).slot[n]) -> busy_release(t_o, n, ZERO)
	:: else
	fi
}

/* stands for punch_take_pages() and punch_forget_stored() in vmcore/punch.c */
inline punch_take_pages()
{
	n = first;
	do
	:: n < last ->
		pg = O(t_o).slot[n];
		if
		:: IS_PAGE(pg) ->
			O(t_o).slot[n] = ((O(t_o).backing != 0 &&
					   n < O(t_o).end) -> ZERO : NONE);
#ifndef M_PUNCH_NO_SETTLE
			page_settle(pg);
#endif
			taken[n] = pg
		:: else
		fi;
		pg = NONE;
		n++
	:: else -> break
	od;
	n = 0;
	if
	:: O(t_o).store -> O(t_o).store = 0
	:: else
	fi
}

/* stands for punch_unmap() in vmcore/punch.c */
inline punch_unmap(m)
{
	n = first;
	do
	:: n < last -> pmap_remove(m, n, true); n++
	:: else -> break
	od;
	n = 0
}

/* stands for bsdvm_punch_free() in vmcore/punch.c */
inline punch_free()
{
	n = first;
	do
	:: n < last ->
		if
		:: taken[n] ->
			pg = taken[n];
			page_free(pg);
			pg = NONE;
			taken[n] = NONE
		:: else
		fi;
		n++
	:: else -> break
	od;
	n = 0
}

/*
 * stands for bsdvm_punch_object() in vmcore/punch.c: pages first up to, not
 * including, last. The map is locked exclusively, the entry has its own top.
 */
inline punch_object(m)
{
	family_lock();
	t_o = map[m].object;
#ifdef M_PUNCH_ZAP_FIRST
	punch_unmap(m);
#endif
#ifndef M_PUNCH_NO_BUSY
	punch_await_busy();
#endif
#ifndef M_PUNCH_NO_SETTLE
	punch_settle_below();
#endif
	if
	:: last == NIDX -> punch_hide()
	:: last < NIDX && O(t_o).backing != 0 -> n = first; punch_bury()
	:: else
	fi;
	n = 0;
	punch_take_pages();
#if !defined(M_PUNCH_UNMAP_LATE) && !defined(M_PUNCH_ZAP_FIRST) && \
	!defined(M_PUNCH_FREE_FIRST)
	punch_unmap(m);
#endif
	t_o = 0;
	family_unlock();
#ifdef M_PUNCH_UNMAP_LATE
	punch_unmap(m);
#endif
	punch_free();
#ifdef M_PUNCH_FREE_FIRST
	punch_unmap(m);
#endif
	first = 0;
	last = 0
}

/* stands for bsdvm_map_punch() and bsdvm_punch_entry() in vmcore/punch.c */
inline map_punch(m, from, to)
{
	map_lock(m);
	if
	:: map[m].needs_copy -> entry_make_top(m)
	:: else
	fi;
	first = from;
	last = to;
	punch_object(m);
	assert(map[m].pte[from] == NONE);
	map_unlock(m)
}

/*
 * stands for bsdvm_map_resize(), map_shrink(), shrink_span() and
 * shrink_remove() in vmcore/resize.c and bsdvm_entry_await() in vmcore/punch.c
 */
inline map_shrink(m, to)
{
	map_lock(m);
	map[m].size = to;
#if NIDX > 1
	if
	:: map[m].needs_copy -> entry_make_top(m)
	:: else
	fi;
	first = to;
	last = NIDX;
	punch_object(m);
#else
	family_lock();
	t_o = map[m].object;
#ifndef M_SHRINK_NO_AWAIT
	n = 0;
	do
	:: n < NIDX ->
		pg = O(t_o).slot[n];
		if
		:: IS_PAGE(pg) -> page_settle(pg)
		:: else
		fi;
		pg = NONE;
		n++
	:: else -> break
	od;
	first = 0;
	punch_settle_below();
#endif
	last = NIDX;
	punch_unmap(m);
	last = 0;
	/* bsdvm_entry_remove() */
	map[m].object = 0;
	object_deallocate(t_o);
	t_o = 0;
	family_unlock();
#endif
	map_unlock(m);
	assert(map[m].pte[NIDX - 1] == NONE)
}

/*
 * stands for bsdvm_map_put() in vmcore/map.c, by the last who had the map open;
 * what it mapped was unmapped before, page by page
 */
inline map_close(m)
{
	(map[m].users == 0);
	first = 0;
	last = NIDX;
	punch_unmap(m);
	last = 0;
	family_lock();
	t_o = map[m].object;
	map[m].object = 0;
	map[m].size = 0;
	object_deallocate(t_o);
	t_o = 0;
	family_unlock()
}
