#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# In the guest: the demo, then each sample.
#
# usage: run.sh FILE		FILE: what the demo puts into memory
#
# SLOWDOWN in the environment: what is repeated is repeated so many times less.

set -eu

# sample NAME ARG...
sample()
{
	printf '  %-12s' "$1:"
	"$@"
}

demo "$1"
printf '\n8. The other samples, one after the other.\n\n'
sample first
sample reset_loop $((1000 / ${SLOWDOWN:-1}))
sample checkpoint
sample branches
