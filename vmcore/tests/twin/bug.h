/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Assertions and messages. With test hooks: warnings are counted (see twin.h)
 * and abort by default. A "once" warning counts each time: a process runs many
 * tests, and none may hide the warning of another.
 */
#ifndef TWIN_BUG_H
#define TWIN_BUG_H

void twin_warn(const char *file, int line, const char *fmt, ...) __printf(3, 4);
_Noreturn void twin_die(const char *file, int line, const char *fmt, ...)
	__printf(3, 4);

#define TWIN_DIE(...)	twin_die(__FILE__, __LINE__, __VA_ARGS__)

#define WARN(cond, ...) ({						\
	bool twin_bad_ = !!(cond);					\
	if (unlikely(twin_bad_))					\
		twin_warn(__FILE__, __LINE__, __VA_ARGS__);		\
	unlikely(twin_bad_); })
#define WARN_ON(cond) ({						\
	bool twin_bad_ = !!(cond);					\
	if (unlikely(twin_bad_))					\
		twin_warn(__FILE__, __LINE__, "%s", #cond);		\
	unlikely(twin_bad_); })
#define WARN_ONCE(cond, ...)	WARN(cond, __VA_ARGS__)
#define WARN_ON_ONCE(cond)	WARN_ON(cond)
#define VM_WARN_ON(cond)	((void)WARN_ON(cond))
#define VM_WARN_ON_ONCE(cond)	((void)WARN_ON(cond))
#define VM_WARN_ON_FOLIO(cond, folio)	   ((void)(folio), VM_WARN_ON(cond))
#define VM_WARN_ON_ONCE_FOLIO(cond, folio) ((void)(folio), VM_WARN_ON(cond))

#define BUG_ON(cond) \
	do { if (unlikely(cond)) TWIN_DIE("BUG: %s", #cond); } while (0)
#define BUG()			TWIN_DIE("BUG")
#define VM_BUG_ON(cond)		BUG_ON(cond)
#define VM_BUG_ON_FOLIO(cond, folio) do { (void)(folio); BUG_ON(cond); } while (0)
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), "BUILD_BUG_ON: " #cond)
#define BUILD_BUG_ON_MSG(cond, msg) _Static_assert(!(cond), msg)
#undef static_assert
#define static_assert(expr, ...) _Static_assert(expr, #expr)
#define unreachable()		__builtin_unreachable()

/* Messages go to stderr: stdout carries TAP. */
#define twin_msg(...)		((void)fprintf(stderr, __VA_ARGS__))
#define twin_no_msg(...) \
	do { if (0) twin_msg(__VA_ARGS__); } while (0)
#define pr_emerg(...)		twin_msg(__VA_ARGS__)
#define pr_err(...)		twin_msg(__VA_ARGS__)
#define pr_warn(...)		twin_msg(__VA_ARGS__)
#define pr_warn_once(...)	twin_msg(__VA_ARGS__)
#define pr_warn_ratelimited(...) twin_msg(__VA_ARGS__)
#define pr_err_ratelimited(...)	twin_msg(__VA_ARGS__)
#define pr_notice(...)		twin_no_msg(__VA_ARGS__)
#define pr_info(...)		twin_no_msg(__VA_ARGS__)
#define pr_debug(...)		twin_no_msg(__VA_ARGS__)

#endif /* TWIN_BUG_H */
