/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Objects: life cycle, links, and who reaches them. */
#ifndef BSDVM_VMCORE_OBJECT_H
#define BSDVM_VMCORE_OBJECT_H

/**
 * bsdvm_object_is_anonymous - ours to shadow, collapse and bypass?
 * @object: kept by the caller
 *
 * Return: true without a handle: type DEFAULT or SWAP of the seed (O-15, O-17).
 */
static inline bool bsdvm_object_is_anonymous(const struct bsdvm_object *object)
{
	return !object->handle;
}

/**
 * bsdvm_object_is_dead - has it lost its last reference?
 * @object: kept by the caller, perhaps by RCU alone
 *
 * Return: true if it waits to be destroyed (O-9, F-34); never false again.
 */
static inline bool bsdvm_object_is_dead(const struct bsdvm_object *object)
{
	return test_bit(BSDVM_OBJECT_DEAD, &object->flags);
}

int bsdvm_object_init(void);
void bsdvm_object_fini(void);

struct bsdvm_object *bsdvm_object_alloc(struct bsdvm_family *family,
					bsdvm_pindex_t size);
void bsdvm_object_reference(struct bsdvm_object *object);
void bsdvm_object_deallocate(struct bsdvm_object *object);
void bsdvm_object_destroy(struct bsdvm_object *object);

void bsdvm_object_attach(struct bsdvm_object *object,
			 struct bsdvm_object *backing, bsdvm_pindex_t offset,
			 bsdvm_pindex_t end);
struct bsdvm_object *bsdvm_object_detach(struct bsdvm_object *object);
void bsdvm_object_relink(struct bsdvm_object *object,
			 struct bsdvm_object *backing, bsdvm_pindex_t offset,
			 bsdvm_pindex_t end);
void bsdvm_object_clip_backing(struct bsdvm_object *object,
			       bsdvm_pindex_t end);

bool bsdvm_object_pip_add(struct bsdvm_object *object);
void bsdvm_object_pip_done(struct bsdvm_object *object);
void bsdvm_object_pip_wait(struct bsdvm_object *object);

/* shadow.c */
struct bsdvm_object *bsdvm_object_shadow(struct bsdvm_object *source,
					 bsdvm_pindex_t offset,
					 bsdvm_pindex_t length);

/* collapse.c */
void bsdvm_object_collapse(struct bsdvm_object *object);

/* extent.c */
void bsdvm_object_unmap(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			bsdvm_pindex_t npages);

/* family.c */
struct bsdvm_family *bsdvm_family_create(void);
void bsdvm_family_get(struct bsdvm_family *family);
void bsdvm_family_put(struct bsdvm_family *family);
void bsdvm_family_lock(struct bsdvm_family *family);
bsdvm_status_t bsdvm_family_lock_killable(struct bsdvm_family *family);
bool bsdvm_family_trylock(struct bsdvm_family *family);
void bsdvm_family_unlock(struct bsdvm_family *family);
void bsdvm_family_relink_begin(struct bsdvm_family *family);
void bsdvm_family_relink_end(struct bsdvm_family *family);
void bsdvm_family_disturb(struct bsdvm_family *family);

extern const struct bsdvm_pmap_ops *bsdvm_pmap;

#endif /* BSDVM_VMCORE_OBJECT_H */
