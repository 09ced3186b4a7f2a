/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How things end: a process that is killed while it faults, and the core. */

byte running = 2;

#ifdef C_PROGRESS_KILL
bool killed, tried;

/*
 * stands for bsdvm_fault() and fault_pause() in vmcore/fault.c: the pager says
 * "again" for ever
 */
active proctype fault()
{
	do
	:: tried = !tried;
#ifndef M_KILL_IGNORED
		if
		:: killed -> break
		:: else
		fi
#endif
	od;
	running--
}

active proctype killer()
{
	killed = true;
	running--
}
#endif

#ifdef C_END
bool cache = true;
bool linked = true;
bool pending;		/* with RCU, to be freed */

/* stands for bsdvm_object_destroy() and object_free_rcu() in vmcore/object.c */
active proctype object()
{
	d_step { linked = false; pending = true };
	/* After a grace period. */
	assert(cache);
	pending = false;
	running--
}

/* stands for bsdvm_object_fini() in vmcore/object.c, when no object is left */
active proctype core_end()
{
	(!linked);
#ifndef M_END_NO_BARRIER
	(!pending);
#endif
	cache = false;
	running--
}
#endif

init {
	(running == 0)
}
