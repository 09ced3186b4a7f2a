/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The control. Its new form is as good on every kernel; its old form calls
 * what no kernel has. If that is not what the compiler says, the other probes
 * would tell nothing: a compiler that is missing rejects everything.
 */
#include <linux/fs.h>
#include <linux/mm.h>

static inline unsigned long bsdvm_probe(struct vm_area_struct *vma)
{
#ifdef BSDVM_PROBE_NEW
	return vma_pages(vma);
#else
	return bsdvm_control_is_nowhere(vma);
#endif
}
