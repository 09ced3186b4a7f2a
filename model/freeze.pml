/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Snapshots: vmcore/snapshot.c and freeze.c. */

/*
 * stands for freeze_drop_empty(), freeze_is_empty() and freeze_collapse() in
 * vmcore/freeze.c: drop a top object that was never written, or else shorten
 * what is behind it
 */
inline freeze_prepare(m)
{
	family_lock();
	d_step {
		t_o = map[m].object;
		dropped = O(t_o).backing != 0 && !O(t_o).pager &&
			  O(t_o).ref == 1 && O(t_o).end >= map[m].size;
		u_k = 0;
		do
		:: u_k < NIDX ->
			dropped = dropped && O(t_o).slot[u_k] == NONE;
			u_k++
		:: else -> break
		od;
		u_k = 0;
		if
		:: dropped ->
			u_o = O(t_o).backing;
			O(u_o).ref++;
			map[m].object = u_o;
			u_o = 0
		:: else
		fi
	};
	if
	:: dropped -> object_deallocate(t_o)
	:: else ->
		family_unlock_quiet();
		family_lock();
		/* family_unlock() begins with what is pending */
		O(t_o).pending = O(t_o).backing != 0
	fi;
	t_o = 0;
	family_unlock()
}

/*
 * stands for freeze_unmap() and freeze_may_be_written() in vmcore/freeze.c:
 * wait, then unmap
 */
inline freeze_unmap(m)
{
	n = 0;
	do
	:: n < NIDX ->
		pg = O(map[m].object).slot[n];
		if
		:: IS_PAGE(pg) ->
#ifdef M_SNAP_ZAP_FIRST
			pmap_remove(m, n, false);
			page_settle(pg)
#else
#ifndef M_SNAP_NO_SETTLE
			page_settle(pg);
#endif
			if
#ifndef M_SNAP_NO_ZAP
#ifdef M_SNAP_MAPPED_ONLY
			:: P(pg).mapped > 0 -> pmap_remove(m, n, false)
#else
			:: P(pg).mapped > 0 || P(pg).ref > 1 ->
				pmap_remove(m, n, false)
#endif
#endif
			:: else
			fi
#endif
		:: else
		fi;
		pg = NONE;
		n++
	:: else -> break
	od;
	n = 0
}

/*
 * stands for freeze_sort(), freeze_must_stay_live(), freeze_keep_live() and
 * freeze_copy() in vmcore/freeze.c
 */
inline freeze_sort(m)
{
	t_o = map[m].object;
	do
	:: n < NIDX ->
		pg = O(t_o).slot[n];
		if
#ifndef M_SNAP_NO_PIN
		:: IS_PAGE(pg) && P(pg).ref != 1 ->
			if
			:: t_n == 0 ->
				d_step {
					nobj++;
					assert(nobj <= NOBJ);
					t_n = nobj;
					O(t_n).ref = 1
				}
			:: else
			fi;
			page_alloc(np);
			d_step { P(np).data = P(pg).data; P(np).bound = true };
			folio_unlock(np);
#ifdef M_SNAP_PIN_SIDE
			O(t_n).slot[n] = np;
#else
			O(t_n).slot[n] = pg;
			O(t_o).slot[n] = np;
#endif
			np = NONE
#endif
		:: else
		fi;
		pg = NONE;
		n++
	:: else -> break
	od;
	n = 0
}

/* stands for freeze_put_live() in vmcore/freeze.c */
inline freeze_put_live(m)
{
	family_lock();
	d_step {
		O(t_o).ref++;
		O(t_o).shadows++;
		OBJECT_SET_LINK(t_n, t_o, map[m].size);
		map[m].object = t_n;
		snapshot = t_o
	};
	family_unlock_quiet()
}

/*
 * stands for bsdvm_freeze_entry() and freeze_object() in vmcore/freeze.c and
 * bsdvm_map_snapshot() in vmcore/snapshot.c
 */
inline map_snapshot(m)
{
	map_lock(m);
#ifdef M_SNAP_NO_GATE
	map_unlock(m);
#endif
	d_step {
		/* What was written before we began must be in it. */
		n = 0;
		do
		:: n < NIDX -> snapshot_shows[n] = map[m].content[n]; n++
		:: else -> break
		od;
		n = 0
	};
	if
	:: !map[m].needs_copy ->
		freeze_prepare(m);
		if
		:: !dropped ->
			freeze_unmap(m);
			freeze_sort(m);
			if
			:: t_n -> freeze_put_live(m)
			:: else -> map[m].needs_copy = true
			fi;
			t_n = 0;
			t_o = 0
		:: else -> dropped = false; map[m].needs_copy = true
		fi
	:: else
	fi;
	if
	:: snapshot == 0 ->
		family_lock();
		d_step {
			snapshot = map[m].object;
			O(snapshot).ref++
		};
		family_unlock_quiet()
	:: else
	fi;
	d_step {
		n = 0;
		do
		:: n < NIDX ->
			GHOST_RESOLVE(snapshot, n, u_p);
			u_v = (u_p -> P(u_p).data : 0);
#ifndef TWO_WRITERS
			/* no write lost that was there at the beginning */
			assert(u_v >= snapshot_shows[n]);
			/* nothing that was written after the end */
			assert(u_v <= map[m].content[n]);
#endif
			snapshot_shows[n] = u_v;
			n++
		:: else -> break
		od;
		n = 0;
		u_p = 0;
		u_v = 0;
#if NIDX > 1
		/* the cut: the first thread writes page 0 before page 1 */
		assert(snapshot_shows[1] != OF_MAP(0) + 1 ||
		       snapshot_shows[0] == OF_MAP(0) + 1);
#endif
		snapshot_done = true
	};
#ifndef M_SNAP_NO_GATE
	map_unlock(m)
#endif
}

/* stands for bsdvm_snapshot_drop() in vmcore/snapshot.c */
inline snapshot_drop()
{
	family_lock();
	d_step { t_o = snapshot; snapshot = 0; snapshot_done = false };
	object_deallocate(t_o);
	t_o = 0;
	family_unlock()
}
