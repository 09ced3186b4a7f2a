// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Start and end of the core, and its knobs. */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "map.h"
#include "object.h"
#include "page.h"

struct bsdvm_tunables bsdvm_tunables = {
	.fast_fault = 1,
	.prefault_pages = 16,
	.vm_load_enable = 1,
};

const struct bsdvm_pmap_ops *bsdvm_pmap __read_mostly;

/**
 * bsdvm_core_init - start the core
 * @pmap: how to change mappings
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int bsdvm_core_init(const struct bsdvm_pmap_ops *pmap)
{
	int error;

	bsdvm_pmap = pmap;
	bsdvm_busy_init();
	error = bsdvm_object_init();
	if (error)
		return error;
	error = bsdvm_map_init();
	if (error)
		bsdvm_object_fini();
	return error;
}

/**
 * bsdvm_core_fini - end the core
 *
 * Nothing of the core is in use any more. Sleeps until the memory of the last
 * objects is free.
 */
void bsdvm_core_fini(void)
{
	bsdvm_map_fini();
	bsdvm_object_fini();
}
