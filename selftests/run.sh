#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# In the guest: run every selftest, or those named, each with a time limit, which
# is SLOWDOWN times as long, and longer with LONG; fail if one fails.

status=0
limit=$((${TEST_TIMEOUT:-300} * ${SLOWDOWN:-1}))
[ -z "${LONG-}" ] || limit=$((limit * 4))
[ $# -gt 0 ] || set -- /work/*_test
for test; do
	case $test in
	/*) ;;
	*) test=/work/$test ;;
	esac
	echo "# $(basename "$test")"
	start=$(cut -d . -f 1 /proc/uptime)
	timeout "$limit" "$test" || status=1
	echo "# $(basename "$test"): $(($(cut -d . -f 1 /proc/uptime) - start)) s"
done
exit $status
