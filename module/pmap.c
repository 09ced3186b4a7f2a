// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Mappings, by exported functions only.
 *
 * A map's pages are mapped by VMAs of the map's inode, at the page offset that
 * is their index in the map. remove() is therefore a removal by inode and
 * range; it reaches every process.
 *
 * enter() inserts pages from within a fault. The function for that wants a VMA
 * that is VM_MIXEDMAP and takes the protection from the VMA, so it is given a
 * copy with both set; the real VMA stays an ordinary one.
 */

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/userfaultfd_k.h>

#include "compat.h"
#include "module.h"

/**
 * bsdvm_pmap_may_enter - may pages be inserted directly?
 * @vma: faulting
 *
 * Not where Linux's own code must see the page on its way into the page table:
 * to account it as locked, to leave a write-protection marker, to note it as
 * soft-dirty.
 * Context: mmap_lock or the VMA's lock held; does not sleep.
 *
 * Return: true if they may; false if they must be handed over.
 */
bool bsdvm_pmap_may_enter(struct vm_area_struct *vma)
{
	if ((vma->vm_flags & VM_LOCKED) || userfaultfd_armed(vma))
		return false;
	return !IS_ENABLED(CONFIG_MEM_SOFT_DIRTY) ||
	       (vma->vm_flags & VM_SOFTDIRTY);
}

/* Protection of pages the core allows @prot for, in this VMA. */
static pgprot_t pmap_pgprot(const struct vm_area_struct *vma, unsigned int prot)
{
	const unsigned long write = VM_SHARED | VM_WRITE;

	if ((prot & BSDVM_PROT_WRITE) && (vma->vm_flags & write) == write)
		return vm_get_page_prot(vma->vm_flags);
	/* VM_SHARED is what would allow writing. */
	return vm_get_page_prot(vma->vm_flags & ~VM_SHARED);
}

/*
 * Insert @n pages from @addr on. For one alone there is a shorter way.
 *
 * Return: how many were, up to the first that was there already.
 */
static unsigned int pmap_insert(struct vm_area_struct *vma, unsigned long addr,
				struct folio **pages, unsigned int n)
{
	unsigned long left = n;

	BUILD_BUG_ON(offsetof(struct folio, page) != 0);
	if (n == 1)
		return !vm_insert_page(vma, addr, folio_page(*pages, 0));
	vm_insert_pages(vma, addr, (struct page **)pages, &left);
	return n - left;
}

static unsigned int pmap_enter(void *context, bsdvm_pindex_t pindex,
			       struct folio **pages, unsigned int n,
			       unsigned int prot)
{
	const struct vm_fault *vmf = context;
	struct vm_area_struct vma = *vmf->vma;
	unsigned long end = min(pindex + n, vma.vm_pgoff + vma_pages(&vma));

	/* From the front, or not at all. */
	if (pindex < vma.vm_pgoff || pindex >= end)
		return 0;
	bsdvm_vma_copy_flags_set(&vma, VM_MIXEDMAP);
	vma.vm_page_prot = pmap_pgprot(vmf->vma, prot);
	return pmap_insert(&vma, vma.vm_start +
				 ((pindex - vma.vm_pgoff) << PAGE_SHIFT),
			   pages, end - pindex);
}

static void pmap_remove(struct bsdvm_map *map, bsdvm_pindex_t first,
			bsdvm_pindex_t npages)
{
	struct address_space *mapping = map->pmap;

	/* Private copies belong to their processes: they stay. */
	if (mapping)
		unmap_mapping_pages(mapping, first, npages, false);
}

const struct bsdvm_pmap_ops bsdvm_pmap_linux = {
	.enter = pmap_enter,
	.remove = pmap_remove,
	.anchor_create = bsdvm_fs_anchor_create,
	.anchor_put = bsdvm_fs_anchor_put,
};
