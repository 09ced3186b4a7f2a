#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# In the guest: run every selftest, each with a time limit; fail if one fails.

status=0
for test in /work/*_test; do
	echo "# $(basename "$test")"
	timeout "${TEST_TIMEOUT:-300}" "$test" || status=1
done
exit $status
