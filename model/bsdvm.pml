/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A model of what happens at the same time in bsdvm, for Spin: faults against
 * faults in another map, snapshot, collapse, punch, truncate and close.
 *
 * Run by tools/model, which chooses a configuration (-DC_name) and, to show
 * that the model notices, a mutant (-DM_name). Documentation/model.rst says
 * what is in it and what is not.
 */
#include "scenes.pml"
#ifdef WIRING
#include "wiring.pml"
#elif defined(ENDING)
#include "ending.pml"
#else
#include "state.pml"
#include "linux.pml"
#include "resolve.pml"
#include "object.pml"
#include "fault.pml"
#include "thread.pml"
#include "freeze.pml"
#include "punch.pml"
#include "protect.pml"
#include "config.pml"
#endif
