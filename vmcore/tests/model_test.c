// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random operations on families of maps, compared with the naive model.
 *
 *   BSDVM_SEED=n    this seed alone
 *   BSDVM_STEPS=n   so many operations for each seed
 *   BSDVM_TRACE=1   print the operations
 */
#include "model.h"

#define STEPS	1200

static u64 dice;

static unsigned long roll(unsigned long n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % n;
}

static void run_seed(u64 seed)
{
	const char *steps = getenv("BSDVM_STEPS");
	unsigned int i, n = steps ? strtoul(steps, NULL, 0) : STEPS;

	dice = seed ?: 1;
	snprintf(model_origin, sizeof(model_origin),
		 "BSDVM_SEED=%llu BSDVM_STEPS=%u", seed, n);
	fprintf(stderr, "# model_test: %s\n", model_origin);
	model_begin(roll);
	for (i = 1; i <= n; i++) {
		model_run_any();
		model_compare_sample();
		if (i % 50 == 0)
			model_compare_everything();
	}
	model_compare_everything();
	model_end();
}

/* I-18, O-24, M-35, M-36: no byte changes but by who may change it. */
static void test_fixed_seeds(void **state)
{
	static const u64 fixed[] = { 1, 20110115, 0x5eed, 14976264 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fixed) && !getenv("BSDVM_SEED"); i++)
		run_seed(fixed[i]);
}

static void test_random_or_given_seed(void **state)
{
	const char *given = getenv("BSDVM_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	run_seed(given ? strtoull(given, NULL, 0) :
		 (u64)now.tv_sec * 1000003 ^ now.tv_nsec ^ getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_fixed_seeds),
		FX_TEST(test_random_or_given_seed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
