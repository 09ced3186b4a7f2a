#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# In the guest: the demo, then each sample.
#
# usage: run.sh FILE		FILE: what the demo puts into memory

set -eu

demo "$1"
printf '\n8. The other samples, one after the other.\n\n'
for sample in first reset_loop checkpoint branches; do
	printf '  %-12s' "$sample:"
	"$sample"
done
