/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Threads of programs: they load and store through mappings, read and write by
 * system calls, pin, and remove mappings of their own. PEEK loads if there is a
 * mapping, and takes no fault.
 */

mtype = { PEEK, LOAD, STORE, STORE_ALL, READ, WRITE, PIN, PIN_WRITE };

/*
 * A load by hardware, through the page table or a translation not yet flushed:
 * nothing but what the map holds at this moment. All of "no stale translation",
 * "no lost write", "zero after punch" and "no other map's bytes" is in here.
 */
#define CHECK_LOAD(p)							\
	assert(P(p).data == map[m].content[i])

/* A page read through a reference taken earlier may be old, never another's. */
#define CHECK_HELD(p)							\
	assert(P(p).ref > 0);						\
	assert(P(p).data != POISON);					\
	assert(!FOREIGN(m, P(p).data))

#define DO_STORE(p)							\
	assert(P(p).ref > 0);						\
	P(p).data = v;							\
	map[m].content[i] = v

/*
 * One thread. Stands, from the fault on, for bsdvm_fault() and
 * bsdvm_fault_page() in vmcore/fault.c, vmops_fault() and
 * vmops_page_mkwrite() in module/vmops.c, io_read_chunk() and io_write_chunk()
 * in module/io.c.
 */
proctype thread(byte m; mtype act; byte i; byte v)
{
	byte first, cursor, depth, slot, behind;
	bool was_zero = map[m].content[i] == 0;
	byte pg, np, src, present, pip, passed, gen, t_o, t_n, r_pg;
	bool locked, owned, want_top, map_locked, entered, sleep, same;
	bool below, w_below, t_new, u_want, keep;
	bool wr = act == STORE || act == STORE_ALL || act == WRITE ||
		  act == PIN_WRITE;
	bool sys = act == READ || act == WRITE;
	mtype found = HOLE;

access:
	/* What the processor does, or else the fault it takes. */
	if
	:: sys
	:: !sys && act != PEEK && map[m].pte[i] == NONE
	:: act == PEEK && map[m].pte[i] == NONE -> goto done
	:: d_step { (act == LOAD || act == PEEK) && map[m].pte[i] != NONE ->
		CHECK_LOAD(map[m].pte[i])
	   }; goto done
	:: d_step { act == LOAD && map[m].tlb[i] != NONE ->
		CHECK_LOAD(map[m].tlb[i])
	   }; goto done
	:: d_step { (act == STORE || act == STORE_ALL) &&
		    map[m].pte[i] != NONE && map[m].writable[i] ->
		DO_STORE(map[m].pte[i])
	   }; goto done
#ifdef TLB
	:: d_step { (act == STORE || act == STORE_ALL) &&
		    map[m].tlb[i] != NONE && map[m].tlb_writable[i] ->
		DO_STORE(map[m].tlb[i])
	   }; goto done
#endif
	:: d_step { (act == PIN || act == PIN_WRITE) &&
		    map[m].pte[i] != NONE && (map[m].writable[i] || !wr) ->
		/* get_user_pages_fast(): the entry, a reference, again */
		pg = map[m].pte[i];
		FOLIO_GET(pg)
	   }; goto pinned
	:: d_step { wr && !sys && map[m].pte[i] != NONE &&
		    !map[m].writable[i] ->
		/* vmops_page_mkwrite(): Linux has a reference of its own */
		present = map[m].pte[i];
		FOLIO_GET(present)
	   }
	fi;

attempt:
	/* stands for fault_attempt() in vmcore/fault.c */
	map_lookup();
	map_locked = true;
	fault_object();
	fault_lock_page();
	/* fault_finish(): what lies behind is never mapped for writing */
	fault_enter();
	if
	:: entered ->
		/* fault_release(), and vmops_fault() or mkwrite: NOPAGE */
		d_step {
			entered = false;
			FOLIO_PUT(pg);
			pg = NONE;
			map[m].readers--;
			map_locked = false
		};
		goto forget
	:: else
	fi;
	/* fault_hand_over(): reference and folio lock stay, the map goes */
	map_unlock_shared(m);
	map_locked = false;
	if
	:: sys -> goto syscall
	:: !sys && present != NONE ->
		/* mkwrite: may Linux make its page writable? */
#ifdef M_MKWRITE_BLIND
		same = true;
#else
		same = pg == present;
#endif
		if
		:: same ->
			/* finish_mkwrite_fault() or finish_fault() */
			d_step {
				if
				:: map[m].pte[i] == present ->
					map[m].writable[i] = true
				:: map[m].pte[i] == NONE ->
					PTE_SET(m, i, present, true);
					FOLIO_GET(present)
				:: else
				fi
			}
		:: else
		fi;
		same = false;
		folio_unlock(pg);
		locked = false;
		folio_put(pg);
		pg = NONE
	:: !sys && present == NONE && wr ->
		/* do_shared_fault(): unlocked, then asked about by mkwrite */
		folio_unlock(pg);
		locked = false;
		present = pg;
		pg = NONE;
		goto attempt
	:: else ->
		/* finish_fault() of a read: read-only */
		d_step {
			if
			:: map[m].pte[i] == NONE ->
				PTE_SET(m, i, pg, false);
				FOLIO_GET(pg)
			:: else
			fi
		};
		folio_unlock(pg);
		locked = false;
		folio_put(pg);
		pg = NONE
	fi;

forget:
	if
	:: present -> folio_put(present); present = NONE
	:: else
	fi;
	want_top = false;
	owned = false;
	first = 0; cursor = 0; depth = 0; slot = 0;
	found = HOLE;
	goto access;

release:
	/* stands for fault_release() and fault_pause() in vmcore/fault.c */
	if
	:: pg != NONE ->
		if
		:: locked -> folio_unlock(pg); locked = false
		:: else
		fi;
		folio_put(pg);
		pg = NONE
	:: else
	fi;
	if
	:: map_locked -> map_unlock_shared(m); map_locked = false
	:: else
	fi;
	if
	:: pip -> pip_done(pip)
	:: else
	fi;
	if
	:: sleep -> wait_sleep(); sleep = false
	:: else
	fi;
	owned = false;
	same = false;
	first = 0; cursor = 0; depth = 0; slot = 0;
	found = HOLE;
	goto attempt;

syscall:
	if
	:: wr ->
		/* io_write_chunk(): written under the folio lock */
#ifdef M_HELD_UNLOCKED
		folio_unlock(pg);
		locked = false;
#endif
#ifdef HALVES
		/* Byte by byte: nobody may see it before it is done. */
		d_step { P(pg).data = HALF };
#endif
		d_step { assert(owned); DO_STORE(pg) };
#ifndef M_HELD_UNLOCKED
		folio_unlock(pg);
		locked = false
#endif
	:: else ->
		/* fault_hold(): read without any lock */
		folio_unlock(pg);
		locked = false;
		d_step { CHECK_HELD(pg) }
	fi;
	folio_put(pg);
	pg = NONE;
	goto done;

hole:
	/* io_read_chunk() with no page: zeroes, of now or of when it began. */
	skip;
	d_step {
		assert(was_zero || map[m].content[i] == 0);
		map[m].readers--;
		map_locked = false
	};
	if
	:: pip -> pip_done(pip)
	:: else
	fi;
	goto done;

pinned:
	/* A pin outlives the mapping and the map; it is used some time later. */
	skip;
	d_step { map[m].users-- };
	if
	:: wr -> d_step { DO_STORE(pg) }
	:: else -> d_step { CHECK_HELD(pg) }
	fi;
	folio_put(pg);
	pg = NONE;
	d_step { map[m].users++ };
	goto done;

sigbus:
	/* bsdvm_status_vm_fault() */
	if
	:: present -> folio_put(present); present = NONE
	:: else
	fi;
	goto end;

done:
	first = 0; cursor = 0; depth = 0; slot = 0;
	owned = false;
	want_top = false;
	found = HOLE;
	/* In program order: the next page. */
	if
	:: (act == STORE_ALL || act == WRITE) && i + 1 < NIDX -> i++; goto access
	:: else
	fi;
end:
	skip;
	d_step { map[m].users--; running-- }
}

#ifdef PREFAULT
/*
 * A neighbour of the page of a fault, which has mapped its own or is about to.
 *
 * stands for prefault_resident(), prefault_is_current(), prefault_take() and
 * prefault_enter() in vmcore/prefault.c. The fault is one for writing: a page
 * of the first object is mapped like the fault's own.
 */
proctype prefault(byte m; byte i)
{
	byte first, cursor, depth, slot, behind, pg;
	bool locked, w_below;
	mtype found = HOLE;

	map_lock_shared(m);
	first = map[m].object;
	cursor = first;
	d_step { RCU_LOCK };
	resolve_walk(false, false);
	if
	:: found == PAGE -> resolve_hold()
	:: else
	fi;
	if
	:: found == PAGE ->
		/* folio_trylock() */
		d_step {
			if
			:: P(pg).locker == 0 ->
				P(pg).locker = _pid + 1;
				locked = true
			:: else
			fi;
			cursor = first;
			depth = 0;
			slot = 0;
			RCU_LOCK
		};
		if
		:: locked ->
			resolve_walk(false, false);
			d_step {
				RCU_UNLOCK;
#ifndef M_PREFAULT_NO_RECHECK
				found = (found == PAGE && slot == pg ->
					 PAGE : AGAIN);
#else
				found = (found == PAGE -> PAGE : AGAIN);
#endif
				if
				:: found == PAGE && map[m].pte[i] == NONE ->
					PTE_SET(m, i, pg,
						(depth == 0 &&
						 !map[m].needs_copy));
					FOLIO_GET(pg)
				:: else
				fi
			};
			folio_unlock(pg)
		:: else
		fi;
		folio_put(pg);
		pg = NONE
	:: else
	fi;
	d_step {
		RCU_UNLOCK;
		map[m].readers--;
		map[m].users--;
		running--
	}
}
#endif

#ifdef HOLDER
/* Somebody who pinned a page through a map that has left it since. */
proctype holder(byte m; byte p)
{
	d_step { CHECK_HELD(p) };
	folio_put(p);
#ifdef REUSED
	/* Memory that was free is somebody's again, whom we do not know. */
	page_alloc(p);
	d_step { P(p).data = OF_MAP(m) };
	folio_unlock(p);
	folio_put(p);
#endif
	d_step { running-- }
}
#endif

#ifdef TLB
/*
 * madvise(MADV_DONTNEED) of a program, by another thread than those that use
 * the page: cleared, and some time later flushed and given back.
 */
proctype dontneed(byte m; byte i)
{
	byte r_pg;

	pmap_remove(m, i, false);
	d_step { map[m].users--; running-- }
}
#endif
