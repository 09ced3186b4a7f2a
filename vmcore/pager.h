/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the core asks of an object's pager. */
#ifndef BSDVM_VMCORE_PAGER_H
#define BSDVM_VMCORE_PAGER_H

/**
 * bsdvm_pager_of - where an object's absent pages come from
 * @object: kept by the caller, perhaps by RCU alone
 *
 * Without family->lock: a collapse may be giving the object its pager.
 *
 * Return: the pager's functions, or NULL without a pager.
 */
static inline const struct bsdvm_pager_ops *
bsdvm_pager_of(const struct bsdvm_object *object)
{
	return READ_ONCE(object->pager);
}

/**
 * bsdvm_pager_has_page - might the pager provide a page?
 * @object: with a pager or without; kept by the caller, perhaps by RCU alone
 * @pindex: which page of it
 *
 * Does not sleep.
 *
 * Return: true if the pager is to be asked; false without a pager.
 */
static inline bool bsdvm_pager_has_page(struct bsdvm_object *object,
					bsdvm_pindex_t pindex)
{
	const struct bsdvm_pager_ops *pager = bsdvm_pager_of(object);

	return pager && pager->has_page(object, pindex);
}

/**
 * bsdvm_pager_forget - free the stored copy of a page
 * @object: with a pager or without; kept by the caller
 * @pindex: which page of it: what is in memory counts from now on, or nothing
 *
 * F-90, P-17. Does not sleep.
 */
static inline void bsdvm_pager_forget(struct bsdvm_object *object,
				      bsdvm_pindex_t pindex)
{
	const struct bsdvm_pager_ops *pager = bsdvm_pager_of(object);

	if (pager && pager->forget)
		pager->forget(object, pindex);
}

enum bsdvm_pager_result bsdvm_pager_get_page(struct bsdvm_pager_request *req);
void bsdvm_pager_readahead(struct bsdvm_object *object, bsdvm_pindex_t pindex);
void bsdvm_pager_dealloc(struct bsdvm_object *object);

#endif /* BSDVM_VMCORE_PAGER_H */
