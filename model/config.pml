/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Requests, what the scenes are made of, and the judgement at the end. */

mtype = { SNAPSHOT, DROP, PUNCH, PUNCH_FIRST, SHRINK, CLOSE, DROP_CLOSE,
	  PROTECT };

/* A request, by a thread of its own. */
proctype request(byte m; mtype act)
{
	TOPOLOGY_LOCALS;
	byte first, last, n, pg, np, t_o, t_n;
	byte taken[NIDX];
	bool dropped, t_new, u_want;

	if
	:: act != SNAPSHOT && act != DROP && act != PUNCH &&
	   act != PUNCH_FIRST && act != SHRINK && act != CLOSE &&
	   act != DROP_CLOSE && act != PROTECT
#ifdef R_SNAPSHOT
	:: act == SNAPSHOT -> map_snapshot(m)
#endif
#ifdef R_DROP
	:: act == DROP -> snapshot_drop()
#endif
#ifdef R_PUNCH
	:: act == PUNCH -> map_punch(m, 0, NIDX)
#endif
#ifdef R_PUNCH_FIRST
	:: act == PUNCH_FIRST -> map_punch(m, 0, 1)
#endif
#ifdef R_SHRINK
	:: act == SHRINK -> map_shrink(m, NIDX - 1)
#endif
#ifdef R_CLOSE
	:: act == CLOSE -> map_close(m)
#endif
#ifdef R_DROP_CLOSE
	:: act == DROP_CLOSE -> snapshot_drop(); map_close(m)
#endif
#ifdef R_PROTECT
	:: act == PROTECT -> map_protect(m)
#endif
	fi;
	d_step { running-- }
}

/* Object o has page p, with value v. */
#define HAS(o, i, p, v)							\
	O(o).slot[i] = p;						\
	P(p).ref = 1;							\
	P(p).bound = true;						\
	P(p).data = v

#define BEHIND(o, b)							\
	O(o).backing = b;						\
	O(o).end = NIDX;						\
	O(b).ref++;							\
	O(b).shadows++

#define SHOWS(m, o, frozen)						\
	map[m].object = o;						\
	map[m].needs_copy = frozen;					\
	map[m].size = NIDX;						\
	O(o).ref++

#define MAPPED(m, i, p, w)						\
	map[m].pte[i] = p;						\
	map[m].writable[i] = w;						\
	P(p).mapped++;							\
	P(p).ref++

#define SNAPSHOT_OF(o)							\
	snapshot = o;							\
	O(o).ref++;							\
	snapshot_done = true

#define THREAD(m, act, i)						\
	running++;							\
	map[m].users++;							\
	run thread(m, act, i, OF_MAP(m) + running)

#define REQUEST(m, act)							\
	running++;							\
	run request(m, act)

#define HELD_BY(m, p)							\
	running++;							\
	P(p).ref++;							\
	run holder(m, p)

#define PREFAULTS(m, i)							\
	running++;							\
	map[m].users++;							\
	run prefault(m, i)

#define DONTNEED(m, i)							\
	running++;							\
	map[m].users++;							\
	run dontneed(m, i)

#define PAGE_A	4
#define PAGE_B	5

/* What the maps and the snapshot must show, from what they resolve to. */
#define GHOST_BEGIN							\
	u_k = 0;							\
	do								\
	:: u_k < NIDX ->						\
		u_b = 0;						\
		do							\
		:: u_b < NMAP ->					\
			GHOST_RESOLVE(map[u_b].object, u_k, u_p);	\
			map[u_b].content[u_k] = (u_p -> P(u_p).data : GHOST_STORE); \
			u_b++						\
		:: else -> break					\
		od;							\
		GHOST_RESOLVE(snapshot, u_k, u_p);			\
		snapshot_shows[u_k] = (u_p -> P(u_p).data : GHOST_STORE); \
		u_k++							\
	:: else -> break						\
	od;								\
	u_k = 0;							\
	u_b = 0;							\
	u_p = 0

#ifdef STORE_HAS
#define GHOST_STORE	STORED
#else
#define GHOST_STORE	0
#endif

/*
 * The end, when nobody runs any more: every map shows what it holds, and maps
 * nothing else; the snapshot shows what it showed; nothing is busy or lost.
 */
inline check_map(m)
{
	d_step {
		u_k = 0;
		do
		:: map[m].object != 0 && u_k < map[m].size ->
			GHOST_RESOLVE(map[m].object, u_k, u_p);
			u_v = (u_p -> P(u_p).data : map[m].content[u_k]);
			assert(u_v == map[m].content[u_k]);
#ifndef STORE_HAS
			assert(u_p || map[m].content[u_k] == 0);
#endif
			assert(map[m].pte[u_k] == NONE ||
			       map[m].pte[u_k] == u_p);
			assert(!map[m].writable[u_k] ||
			       (!map[m].needs_copy &&
				O(map[m].object).slot[u_k] == u_p));
#ifdef R_PROTECT
			assert(!map[m].writable[u_k] || !map[m].readonly);
#endif
			u_k++
		:: else -> break
		od;
		do
		:: u_k < NIDX -> assert(map[m].pte[u_k] == NONE); u_k++
		:: else -> break
		od;
		u_k = 0;
		u_p = 0;
		u_v = 0;
		assert(!map[m].writer && map[m].readers == 0)
	}
}

inline check_snapshot()
{
	d_step {
		u_k = 0;
		do
		:: snapshot_done && u_k < NIDX ->
			GHOST_RESOLVE(snapshot, u_k, u_p);
			u_v = (u_p -> P(u_p).data : snapshot_shows[u_k]);
			assert(u_v == snapshot_shows[u_k]);
			u_k++
		:: else -> break
		od;
		u_k = 0;
		u_p = 0;
		u_v = 0
	}
}

/* Every page in one slot or free; references: the slot and the mappings. */
inline check_pages()
{
	d_step {
		u_p = FIRST_PAGE;
		do
		:: u_p < FIRST_PAGE + NPAGE ->
			u_v = 0;
			u_o = 1;
			do
			:: u_o <= nobj ->
				u_k = 0;
				do
				:: u_k < NIDX ->
					assert(!IS_BUSY(O(u_o).slot[u_k]));
					if
					:: O(u_o).slot[u_k] == u_p -> u_v++
					:: else
					fi;
					u_k++
				:: else -> break
				od;
				u_o++
			:: else -> break
			od;
			assert(u_v <= 1 && P(u_p).locker == 0);
			assert(P(u_p).ref == u_v + P(u_p).mapped);
			assert(P(u_p).bound == (u_v == 1));
			u_p++
		:: else -> break
		od;
		u_p = 0;
		u_v = 0;
		u_k = 0;
		u_o = 0
	}
}

/* References and links of the objects; who has none is gone. */
inline check_objects()
{
	d_step {
		u_o = 1;
		do
		:: u_o <= nobj ->
			u_v = (snapshot == u_o -> 1 : 0) +
			      (map[0].object == u_o -> 1 : 0) +
			      (map[1].object == u_o -> 1 : 0);
			u_b = 0;
			u_k = 1;
			do
			:: u_k <= nobj ->
				if
				:: O(u_k).backing == u_o -> u_b++
				:: else
				fi;
				u_k++
			:: else -> break
			od;
			assert(O(u_o).shadows == u_b);
			assert(O(u_o).ref == u_b + u_v);
			assert(O(u_o).dead == (O(u_o).ref == 0));
			assert(O(u_o).dead == O(u_o).destroyed);
			assert(!O(u_o).collapsing && O(u_o).pip == 0);
			u_o++
		:: else -> break
		od;
		u_o = 0;
		u_b = 0;
		u_k = 0;
		u_v = 0;
		assert(!family && rcu == 0)
	}
}

init {
	atomic {
		d_step { BEGIN; GHOST_BEGIN };
		RUN
	};
	(running == 0);
	check_map(0);
	check_map(1);
	check_snapshot();
	check_pages();
	check_objects()
}
