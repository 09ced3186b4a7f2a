// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Faults: from Linux's request to the core's, and back.
 *
 * A VMA may be split, merged, moved and extended without a word to us, so
 * nothing hangs on it but the map, counted in vm_private_data; the page is the
 * map's page at the faulting page offset.
 *
 * A private mapping gets the page to read; copying it on a write is Linux's
 * own business, outside the chain.
 */

#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "module.h"

static struct bsdvm_map *vma_map(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

static bool vmops_is_write(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_WRITE) &&
	       (vmf->vma->vm_flags & VM_SHARED);
}

/* F-27. */
static void vmops_request(struct bsdvm_fault *fault, struct vm_fault *vmf)
{
	fault->map = vma_map(vmf->vma);
	fault->pindex = vmf->pgoff;
	fault->fault_type = BSDVM_PROT_READ;
	if (vmops_is_write(vmf)) {
		fault->fault_type = BSDVM_PROT_WRITE;
		fault->flags |= BSDVM_FAULT_DIRTY;
	}
	if (!vmf->cow_page && bsdvm_pmap_may_enter(vmf->vma))
		fault->pmap = vmf;
}

/*
 * The reference and the folio lock go to Linux; not of memory that broke just
 * now, which it would try to take out of a page cache.
 */
static vm_fault_t vmops_hand_over(const struct bsdvm_fault *fault,
				  struct vm_fault *vmf)
{
	struct page *page = folio_page(fault->page, 0);

	if (unlikely(PageHWPoison(page))) {
		folio_unlock(fault->page);
		folio_put(fault->page);
		return VM_FAULT_HWPOISON;
	}
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

static vm_fault_t vmops_fault(struct vm_fault *vmf)
{
	struct bsdvm_fault fault = { };
	bsdvm_status_t status;
	vm_fault_t ret;

	if (!(vmf->vma->vm_flags & VM_RAND_READ))
		fault.flags = BSDVM_FAULT_BURST;
	vmops_request(&fault, vmf);
	status = bsdvm_fault(&fault);
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_vm_fault(status, vmf);
	ret = fault.page ? vmops_hand_over(&fault, vmf) : VM_FAULT_NOPAGE;
	return fault.hard ? ret | VM_FAULT_MAJOR : ret;
}

/*
 * A write to a page mapped read-only. Either it is the map's own: locked, it
 * may be made writable. Or the map has another one there by now: mapped
 * already, or found by the next fault. Zero must never be returned: Linux would
 * take the page's mapping for a reason to try again.
 */
static vm_fault_t vmops_page_mkwrite(struct vm_fault *vmf)
{
	struct bsdvm_fault fault = { .present = page_folio(vmf->page) };
	bsdvm_status_t status;
	bool same;

	vmops_request(&fault, vmf);
	status = bsdvm_fault(&fault);
	if (status != BSDVM_SUCCESS)
		return bsdvm_status_vm_fault(status, vmf);
	if (!fault.page)
		return VM_FAULT_NOPAGE;
	same = fault.page == fault.present;
	if (!same)
		folio_unlock(fault.page);
	/* Linux has a reference of its own on the page it asked about. */
	folio_put(fault.page);
	return same ? VM_FAULT_LOCKED : VM_FAULT_NOPAGE;
}

/*
 * Neighbours are mapped by the fault itself. The function must exist, though:
 * without it, kernels with per-VMA locks take mmap_lock for every fault.
 */
static vm_fault_t vmops_map_pages(struct vm_fault *vmf, pgoff_t start,
				  pgoff_t end)
{
	return 0;
}

static void vmops_open(struct vm_area_struct *vma)
{
	bsdvm_map_get(vma_map(vma));
}

static void vmops_close(struct vm_area_struct *vma)
{
	bsdvm_map_put(vma_map(vma));
}

/* Splitting and moving change nothing that we know. */
static int vmops_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return 0;
}

static int vmops_mremap(struct vm_area_struct *vma)
{
	return 0;
}

const struct vm_operations_struct bsdvm_vm_ops = {
	.open = vmops_open,
	.close = vmops_close,
	.may_split = vmops_may_split,
	.mremap = vmops_mremap,
	.fault = vmops_fault,
	.map_pages = vmops_map_pages,
	.page_mkwrite = vmops_page_mkwrite,
};
