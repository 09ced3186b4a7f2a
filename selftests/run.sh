#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# In the guest: run every selftest, or those named, each with a time limit; fail
# if one fails.

status=0
[ $# -gt 0 ] || set -- /work/*_test
for test; do
	case $test in
	/*) ;;
	*) test=/work/$test ;;
	esac
	echo "# $(basename "$test")"
	timeout "${TEST_TIMEOUT:-300}" "$test" || status=1
done
exit $status
