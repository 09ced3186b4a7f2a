/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The flags of a VMA were a plain member, until in Linux 6.3 the locks of
 * single VMAs wanted every change to be seen: the member became constant, and
 * functions change it. vm_flags_init() is the one that takes no lock, for a
 * VMA nobody else knows. Stable kernels before 6.3 have got these functions as
 * well, and still a plain member.
 */
#include <linux/mm.h>

void bsdvm_probe(struct vm_area_struct *vma, unsigned long flags);
void bsdvm_probe(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef BSDVM_PROBE_NEW
	vm_flags_init(vma, flags);
#else
	vma->vm_flags = flags;
#endif
}
