/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Taking a protection away: vmcore/protect.c. */

/*
 * stands for bsdvm_map_protect(), protect_range() and protect_entry() in
 * vmcore/protect.c and bsdvm_entry_await() in vmcore/punch.c: nobody may write
 * any more
 */
inline map_protect(m)
{
	map_lock(m);
	map[m].readonly = true;
#ifndef M_PROTECT_NO_AWAIT
	family_lock();
	t_o = map[m].object;
	do
	:: t_o == 0 -> break
	:: else ->
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
		t_o = O(t_o).backing
	od;
	family_unlock_quiet();
#endif
	n = 0;
	do
	:: n < NIDX -> pmap_remove(m, n, false); n++
	:: else -> break
	od;
	n = 0;
	map_unlock(m)
}
