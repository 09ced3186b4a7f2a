/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Per-CPU variables and hashes. Simplified: there is one CPU, and an update is
 * an atomic addition. Read the sums with READ_ONCE() or this_cpu_read().
 */
#ifndef TWIN_PERCPU_H
#define TWIN_PERCPU_H

#define DEFINE_PER_CPU(type, name)	__typeof__(type) name
#define DECLARE_PER_CPU(type, name)	extern __typeof__(type) name
#define DEFINE_PER_CPU_ALIGNED(type, name) DEFINE_PER_CPU(type, name)

#define this_cpu_add(v, n) \
	((void)__atomic_fetch_add(&(v), (n), __ATOMIC_RELAXED))
#define this_cpu_sub(v, n) \
	((void)__atomic_fetch_sub(&(v), (n), __ATOMIC_RELAXED))
#define this_cpu_inc(v)			this_cpu_add(v, 1)
#define this_cpu_dec(v)			this_cpu_sub(v, 1)
#define this_cpu_read(v)		READ_ONCE(v)
#define this_cpu_write(v, n)		WRITE_ONCE(v, n)
#define raw_cpu_inc(v)			this_cpu_inc(v)
#define per_cpu(v, cpu)			(*((void)(cpu), &(v)))
#define per_cpu_ptr(p, cpu)		((void)(cpu), (p))
#define this_cpu_ptr(p)			(p)
#define raw_cpu_ptr(p)			(p)
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define for_each_online_cpu(cpu)	for_each_possible_cpu(cpu)
#define num_possible_cpus()		1u
#define nr_cpu_ids			1u
#define smp_processor_id()		0u
#define raw_smp_processor_id()		0u

/* Multiplication by 2^64 over the golden ratio, made odd. */
static inline u32 hash_64(u64 value, unsigned int bits)
{
	return (u32)((value * 0x9e3779b97f4a7c15ULL) >> (64 - bits));
}

#define hash_long(value, bits)	hash_64((unsigned long)(value), bits)
#define hash_ptr(ptr, bits)	hash_64((unsigned long)(ptr), bits)
#define hash_32(value, bits) \
	((u32)((u32)(value) * 0x9e3779b1u) >> (32 - (bits)))

#endif /* TWIN_PERCPU_H */
