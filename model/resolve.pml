/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The walk without locks: vmcore/resolve.c. One step, one load. */

mtype = { PAGE, HOLE, ISBUSY, ASK, AGAIN };

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
			/* resolve_load() */
			d_step {
				assert(!GONE(cursor));
				slot = O(cursor).slot[i]
			};
			if
			:: slot != NONE ->
				/* resolve_classify() */
				if
				:: IS_PAGE(slot) -> found = PAGE
				:: IS_BUSY(slot) -> found = ISBUSY
				:: else -> found = HOLE
				fi;
				break
			:: slot == NONE && O(cursor).store != 0 && !resident ->
				found = ASK;
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
#ifdef M_NO_SEQ
			found = (behind -> PAGE : HOLE);
#else
			found = (SEQ_CHANGED -> AGAIN :
				 (behind -> PAGE : HOLE));
#endif
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
 * under its lock; who copies it does not, and relies on this look.
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
	if
	:: found == PAGE && O(cursor).slot[i] != slot ->
		folio_put(pg);
		pg = NONE;
		found = AGAIN
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
