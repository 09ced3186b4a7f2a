// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The input is a stream of operations for the model; after each, the bytes of
 * all maps are compared and the invariants checked.
 */
#include "fuzz.h"
#include "model.h"

/* Snapshots are opened to be compared: not after each operation. */
#define SNAPSHOTS_EVERY	16

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned int n = 0;

	fx_assert(!fx_setup(NULL));
	fuzz_begin(data, size);
	strcpy(model_origin, "fuzzed");
	model_begin(fuzz_below);
	while (!fuzz_ended()) {
		model_run(fuzz_below(model_operations));
		if (++n % SNAPSHOTS_EVERY)
			model_compare_maps();
		else
			model_compare_everything();
	}
	model_compare_everything();
	model_end();
	fx_assert(!fx_teardown(NULL));
	return 0;
}
