/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The walk without locks: vmcore/resolve.c. One step, one load. */

mtype = { PAGE, HOLE, ISBUSY, ASK, AGAIN };

/*
 * What is behind the first object may have been passed over since the walk
 * began, and written in place by whoever is left with it: a page or a
 * tombstone that is found there counts only if nothing has changed.
 */
#ifdef M_NO_SEQ
#define LINKS_CHANGED	false
#else
#define LINKS_CHANGED	SEQ_CHANGED
#endif
#ifdef M_PAGE_NO_SEQ
#define PAGE_IS_STALE	false
#else
#define PAGE_IS_STALE	(depth > 0 && LINKS_CHANGED)
#endif
#ifdef M_HOLE_NO_SEQ
#define HOLE_IS_STALE	false
#else
#define HOLE_IS_STALE	(depth > 0 && LINKS_CHANGED)
#endif

/*
 * stands for resolve_walk() and, with `resident`, bsdvm_resolve_resident() in
 * vmcore/resolve.c; from `cursor`, which is passed over with `below`. `resident`:
 * pagers are not asked.
 */
inline resolve_walk(below, resident)
{
	w_below = below;
	do
	:: true ->
		if
		:: !w_below ->
			/*
			 * resolve_load(), resolve_classify() and, behind the
			 * first object, read_seqcount_retry(): one step, as who
			 * looks later finds no less to have changed
			 */
			d_step {
				assert(!GONE(cursor));
				slot = O(cursor).slot[i];
				if
				:: slot == NONE
				:: IS_PAGE(slot) ->
					found = (PAGE_IS_STALE -> AGAIN : PAGE)
				:: IS_BUSY(slot) ->
					found = (PAGE_IS_STALE -> AGAIN :
						 ISBUSY)
				:: slot == ZERO ->
					found = (HOLE_IS_STALE -> AGAIN : HOLE)
				fi
			};
			if
			:: slot != NONE -> break
			:: slot == NONE && O(cursor).store != 0 && !resident ->
				found = (PAGE_IS_STALE -> AGAIN : ASK);
				break
			:: else
			fi
		:: else
		fi;
		w_below = false;
#ifndef M_NO_COLLAPSING
		/* resolve_is_leaving() */
		if
		:: LEAVING(cursor) -> found = AGAIN; break
		:: else
		fi;
#endif
		/*
		 * resolve_step() and read_seqcount_retry(): one step, as a link
		 * that changes between two loads is seen by the latter
		 */
		d_step {
			assert(!GONE(cursor));
			behind = O(cursor).backing;
			if
			:: behind && i >= O(cursor).end -> behind = 0
			:: else
			fi;
			found = (LINKS_CHANGED -> AGAIN :
				 (behind -> PAGE : HOLE));
			if
			:: found == PAGE -> cursor = behind; depth++
			:: else
			fi;
			behind = 0
		};
		if
		:: found != PAGE -> break
		:: else
		fi
	od;
	skip
}

/*
 * stands for bsdvm_resolve_hold() in vmcore/resolve.c: a reference, if the page
 * is not free, and a second look at its slot. Who maps the page looks again
 * under its lock; who copies it does not, and relies on this look: what is in
 * its slot is bsdvm's.
 */
inline resolve_hold()
{
	d_step {
#ifdef M_NO_TRYGET
		pg = slot;
		FOLIO_GET(pg)
#else
		if
		:: P(slot).ref > 0 -> pg = slot; P(slot).ref++
		:: else -> found = AGAIN
		fi
#endif
	};
#ifndef M_NO_RELOAD
	d_step {
		if
		:: found == PAGE && O(cursor).slot[i] == slot ->
			assert(P(pg).bound)
		:: else -> found = AGAIN
		fi
	};
	if
	:: found == AGAIN && pg != NONE -> folio_put(pg); pg = NONE
	:: else
	fi
#endif
}

/* What a page of a chain resolves to, for assertions: no step of anybody. */
#define GHOST_RESOLVE(o, i, p)						\
	g_o = o;							\
	p = NONE;							\
	do								\
	:: g_o == 0 -> break						\
	:: else ->							\
		p = O(g_o).slot[i];					\
		if							\
		:: p != NONE -> break					\
		:: p == NONE && i >= O(g_o).end -> break		\
		:: else -> g_o = O(g_o).backing				\
		fi							\
	od;								\
	if								\
	:: !IS_PAGE(p) -> p = NONE					\
	:: else								\
	fi;								\
	g_o = 0
