/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a fuzzer's input is taken to say. Built with libFuzzer to find inputs,
 * with replay.c to run those kept in ../corpus.
 */
#ifndef BSDVM_TESTS_FUZZ_H
#define BSDVM_TESTS_FUZZ_H

#include "fixture.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The input in hand. At its end all numbers are zero. */
void fuzz_begin(const u8 *data, size_t size);
bool fuzz_ended(void);
u8 fuzz_byte(void);
u64 fuzz_u64(void);
/* A number below @n, which is at most 2^16: one byte, or two. */
unsigned long fuzz_below(unsigned long n);

#endif /* BSDVM_TESTS_FUZZ_H */
