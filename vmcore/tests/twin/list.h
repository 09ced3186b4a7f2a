/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Doubly linked lists. Same semantics, with the checks of a debug kernel:
 * adding to or deleting from a broken list dies.
 */
#ifndef TWIN_LIST_H
#define TWIN_LIST_H

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)
#define LIST_POISON1		((struct list_head *)0x100)
#define LIST_POISON2		((struct list_head *)0x122)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	WRITE_ONCE(list->next, list);
	WRITE_ONCE(list->prev, list);
}

static inline bool list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline void twin_list_link(struct list_head *prev,
				  struct list_head *next)
{
	WRITE_ONCE(next->prev, prev);
	WRITE_ONCE(prev->next, next);
}

static inline void twin_list_insert(struct list_head *item,
				    struct list_head *prev,
				    struct list_head *next)
{
	if (prev->next != next || next->prev != prev || item == prev ||
	    item == next)
		TWIN_DIE("list_add: corrupt list or double add");
	item->next = next;
	item->prev = prev;
	twin_list_link(prev, item);
	WRITE_ONCE(next->prev, item);
}

static inline void list_add(struct list_head *item, struct list_head *head)
{
	twin_list_insert(item, head, head->next);
}

static inline void list_add_tail(struct list_head *item,
				 struct list_head *head)
{
	twin_list_insert(item, head->prev, head);
}

static inline void twin_list_unlink(struct list_head *item)
{
	if (item->next == LIST_POISON1 || item->prev->next != item ||
	    item->next->prev != item)
		TWIN_DIE("list_del: corrupt list or double delete");
	twin_list_link(item->prev, item->next);
}

static inline void list_del(struct list_head *item)
{
	twin_list_unlink(item);
	WRITE_ONCE(item->next, LIST_POISON1);
	WRITE_ONCE(item->prev, LIST_POISON2);
}

static inline void list_del_init(struct list_head *item)
{
	twin_list_unlink(item);
	INIT_LIST_HEAD(item);
}

static inline void list_replace(struct list_head *old, struct list_head *item)
{
	struct list_head *prev = old->prev, *next = old->next;

	twin_list_link(prev, item);
	twin_list_link(item, next);
}

static inline void list_replace_init(struct list_head *old,
				     struct list_head *item)
{
	list_replace(old, item);
	INIT_LIST_HEAD(old);
}

static inline void list_move(struct list_head *item, struct list_head *head)
{
	twin_list_unlink(item);
	list_add(item, head);
}

static inline void list_move_tail(struct list_head *item,
				  struct list_head *head)
{
	twin_list_unlink(item);
	list_add_tail(item, head);
}

static inline void twin_list_splice(const struct list_head *list,
				    struct list_head *prev,
				    struct list_head *next)
{
	struct list_head *first = list->next, *last = list->prev;

	if (list_empty(list))
		return;
	twin_list_link(prev, first);
	twin_list_link(last, next);
}

static inline void list_splice(const struct list_head *list,
			       struct list_head *head)
{
	twin_list_splice(list, head, head->next);
}

static inline void list_splice_tail(const struct list_head *list,
				    struct list_head *head)
{
	twin_list_splice(list, head->prev, head);
}

static inline void list_splice_init(struct list_head *list,
				    struct list_head *head)
{
	list_splice(list, head);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list,
					 struct list_head *head)
{
	list_splice_tail(list, head);
	INIT_LIST_HEAD(list);
}

static inline bool list_is_first(const struct list_head *item,
				 const struct list_head *head)
{
	return item->prev == head;
}

static inline bool list_is_last(const struct list_head *item,
				const struct list_head *head)
{
	return item->next == head;
}

static inline bool list_is_head(const struct list_head *item,
				const struct list_head *head)
{
	return item == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline size_t list_count_nodes(struct list_head *head)
{
	struct list_head *pos;
	size_t count = 0;

	for (pos = head->next; pos != head; pos = pos->next)
		count++;
	return count;
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first_entry(head, type, member) \
	list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) \
	list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) \
	list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_entry_is_head(pos, head, member) \
	list_is_head(&(pos)->member, (head))

#define list_for_each(pos, head) \
	for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_entry(pos, head, member)				\
	for (pos = list_first_entry(head, __typeof__(*pos), member);	\
	     !list_entry_is_head(pos, head, member);			\
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_continue(pos, head, member)			\
	for (pos = list_next_entry(pos, member);			\
	     !list_entry_is_head(pos, head, member);			\
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_from(pos, head, member)			\
	for (; !list_entry_is_head(pos, head, member);			\
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)			\
	for (pos = list_last_entry(head, __typeof__(*pos), member);	\
	     !list_entry_is_head(pos, head, member);			\
	     pos = list_prev_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member)			\
	for (pos = list_first_entry(head, __typeof__(*pos), member),	\
	     n = list_next_entry(pos, member);				\
	     !list_entry_is_head(pos, head, member);			\
	     pos = n, n = list_next_entry(n, member))

#endif /* TWIN_LIST_H */
