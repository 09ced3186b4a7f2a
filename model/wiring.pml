/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Wiring, by itself: a map of some entries, each with a page. While pages are
 * wired the map is unlocked, and the entries are in transition. What else
 * happens to a page at that time is in the other files.
 */

#define NENTRY	2
#define NPROC	4

/* stands for struct bsdvm_entry; page: is its page wired, and how often? */
typedef t_entry {
	byte wired_count;
	bool in_transition;
	bool needs_wakeup;
	byte page;
};

t_entry entry[NENTRY];
bool map_locked;
bool waits[NPROC];
bool woken[NPROC];
byte running;

/* Scratch, within single steps only: no part of the state. */
hidden byte u_e, u_p;

#define E	entry[e]

inline map_lock()
{
	atomic { !map_locked -> map_locked = true }
}

#ifdef M_WIRE_NO_WAIT
#define IN_TRANSITION(e)	false
#else
#define IN_TRANSITION(e)	entry[e].in_transition
#endif

/*
 * stands for bsdvm_map_lock_settled(), bsdvm_map_lock_settled_always() and
 * wire_await_transition() in vmcore/wire.c
 */
inline map_lock_settled(first, last)
{
	map_lock();
	e = first;
	do
	:: e <= last && IN_TRANSITION(e) ->
		E.needs_wakeup = true;
#ifdef M_WIRE_SLEEP_LATE
		map_locked = false;
		d_step { woken[_pid] = false; waits[_pid] = true };
#else
		d_step {
			woken[_pid] = false;
			waits[_pid] = true;
			map_locked = false
		};
#endif
		atomic { woken[_pid] -> waits[_pid] = false };
		map_lock();
		e = first
	:: e <= last && !IN_TRANSITION(e) -> e++
	:: else -> break
	od;
	e = 0
}

/* stands for wire_end() in vmcore/wire.c */
inline wire_end(first, last)
{
	d_step {
		wake = false;
		u_e = first;
		do
		:: u_e <= last ->
			wake = wake || entry[u_e].needs_wakeup;
			entry[u_e].in_transition = false;
			entry[u_e].needs_wakeup = false;
			u_e++
		:: else -> break
		od;
		map_locked = false
	};
#ifndef M_WIRE_NO_WAKE
	d_step {
		u_p = 0;
		do
		:: wake && u_p < NPROC ->
			woken[u_p] = woken[u_p] || waits[u_p];
			u_p++
		:: else -> break
		od;
		wake = false
	}
#endif
}

/* stands for wire_drop_one() in vmcore/wire.c */
#define DROP_ONE(e)							\
	entry[e].wired_count--;						\
	entry[e].page = (entry[e].wired_count == 0 -> entry[e].page - 1 : \
						      entry[e].page)

/* stands for wire_roll_back() in vmcore/wire.c: entry e has no page wired */
inline wire_roll_back(first, last)
{
	d_step {
		u_e = first;
		do
		:: u_e < e -> DROP_ONE(u_e); u_e++
		:: u_e >= e && u_e <= last -> entry[u_e].wired_count--; u_e++
		:: else -> break
		od
	}
}

/*
 * stands for bsdvm_map_wire(), wire_count_range(), wire_mark_transition() and
 * wire_pages() in vmcore/wire.c; a page may turn out not to be had
 */
inline map_wire(first, last)
{
	map_lock_settled(first, last);
	d_step {
		u_e = first;
		do
		:: u_e <= last ->
			entry[u_e].wired_count++;
			entry[u_e].in_transition = true;
			u_e++
		:: else -> break
		od
	};
	wired = true;
	e = first;
	do
	:: wired && e <= last && E.wired_count == 1 ->
		map_locked = false;
		if
		:: d_step { E.page++; got = true }
		:: got = false
		fi;
		map_lock();
		if
		:: got -> e++
		:: else -> wire_roll_back(first, last); wired = false
		fi
	:: wired && e <= last && E.wired_count != 1 -> e++
	:: else -> break
	od;
	e = 0;
	wire_end(first, last)
}

/* stands for bsdvm_map_unwire() in vmcore/wire.c */
inline map_unwire(first, last)
{
	map_lock_settled(first, last);
	d_step {
		u_e = first;
		do
		:: u_e <= last -> DROP_ONE(u_e); u_e++
		:: else -> break
		od
	};
	wire_end(first, last)
}

proctype wirer(byte first, last)
{
	byte e;
	bool wired, got, wake;

	map_wire(first, last);
	if
	:: wired -> map_unwire(first, last)
	:: else
	fi;
	d_step { running-- }
}

/*
 * Somebody who changes the entries, as a snapshot or a punch does. I-11: if one
 * is wired, all of it is.
 */
proctype changer()
{
	byte e;

	map_lock_settled(0, NENTRY - 1);
	d_step {
		u_e = 0;
		do
		:: u_e < NENTRY ->
			assert(entry[u_e].page ==
			       (entry[u_e].wired_count -> 1 : 0));
			u_e++
		:: else -> break
		od;
		map_locked = false
	};
	d_step { running-- }
}

init {
	atomic {
		running = 3;
		run wirer(0, NENTRY - 1);
		run wirer(NENTRY - 1, NENTRY - 1);
		run changer()
	};
	(running == 0);
	d_step {
		assert(!map_locked);
		u_e = 0;
		do
		:: u_e < NENTRY ->
			assert(!entry[u_e].in_transition &&
			       !entry[u_e].wired_count && !entry[u_e].page);
			u_e++
		:: else -> break
		od
	}
}
