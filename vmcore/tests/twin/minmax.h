/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * min, max and clamp. Simplified: each argument is evaluated once, but mixed
 * signedness is left to the compiler's warnings, and none is a constant
 * expression.
 */
#ifndef TWIN_MINMAX_H
#define TWIN_MINMAX_H

#define TWIN_PICK(op, a, b) ({						\
	__auto_type twin_a_ = (a);					\
	__auto_type twin_b_ = (b);					\
	twin_a_ op twin_b_ ? twin_a_ : twin_b_; })
#define TWIN_PICK_T(op, type, a, b) ({					\
	type twin_a_ = (type)(a);					\
	type twin_b_ = (type)(b);					\
	twin_a_ op twin_b_ ? twin_a_ : twin_b_; })

#undef min
#undef max
#define min(a, b)		TWIN_PICK(<, a, b)
#define max(a, b)		TWIN_PICK(>, a, b)
#define min_t(type, a, b)	TWIN_PICK_T(<, type, a, b)
#define max_t(type, a, b)	TWIN_PICK_T(>, type, a, b)
#define umin(a, b)		min_t(u64, a, b)
#define umax(a, b)		max_t(u64, a, b)
#define clamp_t(type, v, lo, hi) ({					\
	type twin_v_ = (type)(v), twin_lo_ = (type)(lo);		\
	type twin_hi_ = (type)(hi);					\
	twin_v_ < twin_lo_ ? twin_lo_ :					\
		twin_v_ > twin_hi_ ? twin_hi_ : twin_v_; })
#define clamp(v, lo, hi)	clamp_t(__typeof__(v), v, lo, hi)
#define clamp_val(v, lo, hi)	clamp(v, lo, hi)
#define min3(a, b, c)		TWIN_PICK3(min, a, b, c)
#define max3(a, b, c)		TWIN_PICK3(max, a, b, c)
#define TWIN_PICK3(f, a, b, c) ({					\
	__auto_type twin_ab_ = f(a, b);					\
	f(twin_ab_, c); })

#endif /* TWIN_MINMAX_H */
