/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * copy_page_from_iter_atomic() copies to a page without faulting on the memory
 * it copies from. As page caches came to hold folios, Linux 6.6 put
 * copy_folio_from_iter_atomic() beside it, and Linux 6.16 removed it.
 */
#include <linux/mm.h>
#include <linux/uio.h>

size_t bsdvm_probe(struct folio *folio, struct iov_iter *from);
size_t bsdvm_probe(struct folio *folio, struct iov_iter *from)
{
#ifdef BSDVM_PROBE_NEW
	return copy_folio_from_iter_atomic(folio, 0, 1, from);
#else
	return copy_page_from_iter_atomic(folio_page(folio, 0), 0, 1, from);
#endif
}
