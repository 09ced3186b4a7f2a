/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Topology, under family->lock: vmcore/object.c, shadow.c, collapse.c,
 * extent.c, family.c. What walks without the lock can see, a link, a flag or
 * a slot, changes one step at a time; counts and lists in one.
 */

/*
 * stands for object_set_link() in vmcore/object.c: one step, as a walk that
 * meets it half done has seen seq change
 */
#define OBJECT_SET_LINK(o, b, e)					\
	O(o).backing = b;						\
	O(o).end = e;							\
	SEQ_CHANGES

/* stands for object_bury() in vmcore/object.c */
#define OBJECT_BURY							\
	O(d_o).dead = true;						\
	O(d_o).pending = false;						\
	O(d_o).on_dead = true;						\
	assert(O(d_o).shadows == 0);					\
	d_b = O(d_o).backing;						\
	if								\
	:: d_b -> O(d_b).shadows--; OBJECT_SET_LINK(d_o, 0, 0)		\
	:: else								\
	fi

/* stands for object_offer() in vmcore/object.c */
#define OBJECT_OFFER							\
	if								\
	:: O(d_o).ref == 1 && O(d_o).shadows == 1 ->			\
		u_o = 1;						\
		do							\
		:: O(u_o).backing == d_o && !O(u_o).dead -> break	\
		:: else -> u_o++					\
		od;							\
		O(u_o).pending = true;					\
		u_o = 0							\
	:: else								\
	fi

/* stands for bsdvm_object_deallocate() in vmcore/object.c */
inline object_deallocate(o)
{
	d_o = o;
	do
	:: d_o == 0 -> break
	:: else ->
		d_step {
			assert(family && O(d_o).ref > 0);
			O(d_o).ref--;
			if
			:: O(d_o).ref > 0 -> OBJECT_OFFER
			:: else -> OBJECT_BURY
			fi;
			d_o = d_b;
			d_b = 0
		}
	od
}

/* stands for bsdvm_object_detach() in vmcore/object.c */
inline object_detach(o)
{
	d_step {
		u_b = O(o).backing;
		O(u_b).shadows--;
		u_b = 0;
		OBJECT_SET_LINK(o, 0, 0)
	}
}

/* stands for bsdvm_object_relink() in vmcore/object.c */
inline object_relink(o, b, e)
{
	d_step {
		u_b = O(o).backing;
		O(u_b).shadows--;
		u_b = 0;
		O(b).ref++;
		O(b).shadows++;
		OBJECT_SET_LINK(o, b, e)
	}
}

/*
 * stands for bsdvm_object_destroy() in vmcore/object.c. Nobody else changes a
 * slot any more, but walks may look: a page leaves its slot before it is free.
 * The memory of the object goes when every read side that was open now has been
 * left.
 */
inline object_destroy(o)
{
#ifndef M_DESTROY_NO_PIP
	/* bsdvm_object_pip_wait() */
	(O(o).pip == 0);
#endif
	k = 0;
	do
	:: k < NIDX ->
		d_step {
			c_s = O(o).slot[k];
			assert(!IS_BUSY(c_s));
#ifndef M_DESTROY_FREE_FIRST
			O(o).slot[k] = NONE
#endif
		};
		if
		:: IS_PAGE(c_s) -> page_free(c_s); stranger_takes(c_s)
		:: else
		fi;
		c_s = NONE;
		k++
	:: else -> break
	od;
	stranger_leaves();
	skip;
	d_step {
		k = 0;
		do
		:: k < NIDX -> O(o).slot[k] = NONE; k++
		:: else -> break
		od;
		k = 0;
		O(o).destroyed = true;
#ifndef M_NO_RCU
		O(o).grace = rcu
#endif
	}
}

/*
 * stands for bsdvm_object_unmap() in vmcore/extent.c: in every map that shows
 * the object's page k
 */
inline object_unmap(o)
{
	u_m = 0;
	do
	:: u_m < NMAP ->
		d_step {
			g_o = map[u_m].object;
			do
			:: g_o == 0 || g_o == o -> break
			:: else ->
				if
				:: k < O(g_o).end -> g_o = O(g_o).backing
				:: else -> g_o = 0
				fi
			od;
			u_hit = g_o != 0;
			g_o = 0
		};
		if
		:: u_hit -> pmap_remove(u_m, k, false)
		:: else
		fi;
		u_hit = false;
		u_m++
	:: else -> break
	od;
	u_m = 0
}

/* stands for collapse_drop() in vmcore/collapse.c */
inline collapse_drop()
{
	O(c_b).slot[k] = NONE;
	if
	:: IS_PAGE(c_s) ->
		page_settle(c_s);
#ifndef M_DROP_NO_UNMAP
		if
		:: P(c_s).ref > 1 -> object_unmap(c_b)
		:: else
		fi;
#endif
		page_free(c_s)
	:: else
	fi
}

/*
 * stands for bsdvm_page_in_hands() in vmcore/page.c: references that are
 * neither the slot's nor ours nor a mapping's. All are counted in one step:
 * mappings that come meanwhile, by a fork, are not in the model.
 */
#define IN_HANDS(p, ours)	(P(p).ref > 1 + (ours) + P(p).mapped)

/* stands for collapse_copy() in vmcore/collapse.c */
inline collapse_copy()
{
	c_n = NONE;
#ifndef M_COLLAPSE_HANDS
	if
	:: IS_PAGE(c_s) ->
		atomic { P(c_s).locker == 0 -> u_hit = IN_HANDS(c_s, 0) };
		if
		:: u_hit ->
			u_hit = false;
			page_alloc(c_n);
			d_step { P(c_n).data = P(c_s).data; P(c_n).bound = true }
		:: else
		fi
	:: else
	fi
#endif
}

/*
 * stands for collapse_slot(), collapse_move(), collapse_store() and
 * collapse_finish_copy() in vmcore/collapse.c
 */
inline collapse_slot()
{
	c_hidden = k >= O(c_f).end || O(c_f).store == STORED ||
		   (c_s == ZERO && O(c_b).backing == 0);
	if
	:: !c_hidden ->
		collapse_copy();
		do
		:: true ->
			d_step {
				c_old = O(c_f).slot[k];
				if
				:: c_old == NONE ->
					O(c_f).slot[k] = (c_n -> c_n : c_s)
				:: else
				fi
			};
			if
			:: IS_BUSY(c_old) ->
				/* collapse_wait_busy() */
				d_step {
					WAIT_PREPARE(KEY_SLOT(c_f, k));
					BUSY_WANT(c_f, k, u_hit)
				};
				if
				:: u_hit -> wait_sleep()
				:: else -> d_step { WAIT_CANCEL }
				fi;
				u_hit = false
			:: else -> break
			fi
		od;
		c_hidden = c_old != NONE;
		c_old = NONE
	:: else
	fi;
	if
	:: c_hidden && c_n -> page_discard(c_n); c_n = NONE
	:: else
	fi;
	if
	:: c_hidden || c_n -> collapse_drop()
	:: else ->
		/* collapse_take() */
		O(c_b).slot[k] = NONE
	fi;
	if
	:: c_n -> folio_unlock(c_n); c_n = NONE
	:: else
	fi;
	c_hidden = false
}

/* stands for collapse_begin() in vmcore/collapse.c: mark, then count */
inline collapse_begin()
{
#ifndef M_COLLAPSE_NO_MARK
	O(c_b).collapsing = true;
#endif
#ifdef M_COLLAPSE_NO_PIP
	u_hit = true
#else
	u_hit = O(c_f).pip == 0;
	u_hit = u_hit && O(c_b).pip == 0;
	if
#ifndef M_COLLAPSE_NO_CLEAR
	:: !u_hit -> collapse_end()
#endif
	:: else
	fi
#endif
}

inline collapse_end()
{
	O(c_b).collapsing = false;
	d_step {
#ifndef M_COLLAPSE_NO_WAKE
		WAKE(KEY_OBJECT(c_b))
#else
		skip
#endif
	}
}

/* stands for collapse_abort() in vmcore/collapse.c */
inline collapse_abort()
{
#ifndef M_ABORT_NO_SEQ
	d_step { SEQ_CHANGES };
#endif
	collapse_end()
}

/* stands for collapse_relink() in vmcore/collapse.c */
inline collapse_relink()
{
	if
	:: O(c_b).backing == 0 || O(c_b).end == 0 -> object_detach(c_f)
	:: else ->
		d_step {
			c_old = (O(c_f).end < O(c_b).end ->
				 O(c_f).end : O(c_b).end);
			c_n = O(c_b).backing
		};
		object_relink(c_f, c_n, c_old);
		c_old = 0;
		c_n = 0
	fi
}

/*
 * stands for collapse_into() and collapse_scan() in vmcore/collapse.c. ABORT:
 * there is no memory for more than the first move.
 */
inline collapse_into()
{
	collapse_begin();
	if
	:: u_hit ->
		u_hit = false;
		k = 0;
		do
#ifdef ABORT
		:: k == 1 -> break
		:: k < 1 ->
#else
		:: k < NIDX ->
#endif
			c_s = O(c_b).slot[k];
			if
			:: c_s != NONE -> collapse_slot()
			:: else
			fi;
			c_s = NONE;
			k++
#ifndef ABORT
		:: else -> break
#endif
		od;
		k = 0;
#ifdef ABORT
		collapse_abort();
		c_f = 0
#else
#ifdef M_COLLAPSE_CLEAR_EARLY
		collapse_end();
#endif
		/* collapse_pager() */
		d_step {
			if
			:: O(c_f).store == 0 -> O(c_f).store = O(c_b).store
			:: else
			fi;
			O(c_f).pager = O(c_f).pager || O(c_b).pager
		};
		collapse_relink();
		object_deallocate(c_b);
		collapse_end()
#endif
	:: else -> c_f = 0
	fi
}

/*
 * stands for bypass_is_possible(), bypass_is_covered() and bypass_settle() in
 * vmcore/collapse.c: the pages that cover what is behind are settled before the
 * link changes, as what they replace may be mapped as long as they are locked
 */
inline bypass_is_possible()
{
	u_hit = !O(c_b).pager && O(c_f).end > 0;
	k = 0;
	do
	:: u_hit && k < O(c_f).end ->
		if
		:: O(c_b).slot[k] != NONE ->
			c_s = O(c_f).slot[k];
			u_hit = !IS_BUSY(O(c_b).slot[k]) &&
				(IS_PAGE(c_s) || c_s == ZERO ||
				 O(c_f).store != 0);
#ifndef M_BYPASS_NO_SETTLE
			if
			:: IS_PAGE(c_s) -> page_settle(c_s)
			:: else
			fi;
#endif
#ifdef M_BYPASS_UNCOVERED
			u_hit = true;
#endif
			c_s = NONE
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

/* stands for bsdvm_object_collapse() and bypass() in vmcore/collapse.c */
inline object_collapse(front)
{
	c_f = front;
	do
	:: c_f == 0 -> break
	:: else ->
		c_b = O(c_f).backing;
		if
		:: c_b == 0 || O(c_f).dead || O(c_b).dead -> c_f = 0
		:: c_b && O(c_b).ref == 1 -> collapse_into()
		:: else ->
			bypass_is_possible();
			if
			:: u_hit ->
				u_hit = false;
				collapse_relink();
				object_deallocate(c_b)
			:: else -> c_f = 0
			fi
		fi;
		c_b = 0
	od
}

/* stands for bsdvm_family_unlock() and family_collapse() in vmcore/family.c */
inline family_unlock()
{
	do
	:: true ->
		d_step {
			f_o = nobj;
			do
			:: f_o == 0 -> break
			:: else ->
				if
				:: O(f_o).pending -> break
				:: else -> f_o--
				fi
			od;
			if
			:: f_o -> O(f_o).pending = false
			:: else
			fi
		};
		if
		:: f_o -> object_collapse(f_o)
		:: else -> break
		fi
	od;
	skip;
	d_step {
		assert(family);
		u_o = 1;
		do
		:: u_o <= nobj ->
			if
			:: O(u_o).on_dead ->
				O(u_o).on_dead = false;
				f_dead = f_dead | (1 << u_o)
			:: else
			fi;
			u_o++
		:: else -> break
		od;
		u_o = 0;
		family = false
	};
	f_o = 1;
	do
	:: f_o <= NOBJ ->
		if
		:: f_dead & (1 << f_o) -> object_destroy(f_o)
		:: else
		fi;
		f_o++
	:: else -> break
	od;
	f_dead = 0;
	f_o = 0
}

/* What family_unlock() and what it calls keep. */
#define TOPOLOGY_LOCALS							\
	byte d_o, d_b, c_f, c_b, c_s, c_n, c_old, k, f_o, f_dead, u_m, r_pg; \
	bool u_hit, c_hidden

/*
 * stands for bsdvm_object_shadow() and shadow_in_hands() in vmcore/shadow.c,
 * and bsdvm_entry_make_top() in vmcore/entry.c. The map is locked exclusively.
 * A frozen object is written again only if no page of it is in hands.
 */
inline entry_make_top(m)
{
	family_lock();
	d_step {
		t_o = map[m].object;
		t_new = O(t_o).ref != 1 || O(t_o).shadows != 0;
#ifndef M_REUSE_HANDS
		u_k = 0;
		do
		:: u_k < NIDX ->
			u_b = O(t_o).slot[u_k];
			if
			:: IS_PAGE(u_b) -> t_new = t_new || IN_HANDS(u_b, 0)
			:: else
			fi;
			u_k++
		:: else -> break
		od;
		u_k = 0;
		u_b = 0
#endif
	};
	d_step {
		if
		:: t_new ->
			nobj++;
			assert(nobj <= NOBJ);
			O(nobj).ref = 1;
			O(t_o).shadows++;
			OBJECT_SET_LINK(nobj, t_o, map[m].size);
			map[m].object = nobj;
			t_new = false
		:: else
		fi;
		t_o = 0;
		map[m].needs_copy = false
	};
	family_unlock_quiet()
}
