/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * RCU by epochs. Same semantics; eager: a deferred free runs in call_rcu()
 * itself if no read section is open anywhere, else in the first thread that
 * ends a read section, releases a lock or sleeps once every earlier section is
 * over. So a sanitizer sees a late access early. Callbacks
 * run where sleeping is forbidden, never in a thread that holds a spinlock.
 */
#ifndef TWIN_RCU_H
#define TWIN_RCU_H

struct rcu_head;
typedef void (*rcu_callback_t)(struct rcu_head *head);

struct rcu_head {
	struct rcu_head *next;
	rcu_callback_t func;	/* NULL: kfree(object) */
	void *object;
	u64 epoch;
};

#define callback_head rcu_head

void rcu_read_lock(void);
void rcu_read_unlock(void);
int rcu_read_lock_held(void);
void call_rcu(struct rcu_head *head, rcu_callback_t func);
void synchronize_rcu(void);
void rcu_barrier(void);
void twin_rcu_poll(void);
void twin_kfree_rcu(struct rcu_head *head, void *object);

#define kfree_rcu(ptr, member)						\
	do {								\
		__typeof__(ptr) twin_ptr_ = (ptr);			\
									\
		if (twin_ptr_)						\
			twin_kfree_rcu(&twin_ptr_->member,		\
				       (void *)twin_ptr_);		\
	} while (0)
#define kvfree_rcu(ptr, member)	kfree_rcu(ptr, member)
#define kvfree_rcu_barrier()	rcu_barrier()

#define rcu_dereference_raw(p)	READ_ONCE(p)
#define rcu_dereference_check(p, c) \
	({ BUG_ON(!rcu_read_lock_held() && !(c)); READ_ONCE(p); })
#define rcu_dereference(p)	rcu_dereference_check(p, false)
#define rcu_dereference_protected(p, c) ({ BUG_ON(!(c)); (p); })
#define rcu_access_pointer(p)	READ_ONCE(p)
#define rcu_assign_pointer(p, v) smp_store_release(&(p), (v))
#define RCU_INIT_POINTER(p, v)	WRITE_ONCE(p, v)
#define RCU_LOCKDEP_WARN(c, s)	WARN(c, "%s", s)
#define init_rcu_head(head)	((void)(head))

#endif /* TWIN_RCU_H */
