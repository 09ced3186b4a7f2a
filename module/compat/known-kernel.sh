#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Does the module know a kernel? For dkms.conf, before anything is built.
#
# usage: known-kernel.sh KDIR		the kernel's headers
#
# Exits 77, with one line, if a probe finds a form of the kernel's functions
# that the module does not know. Whatever else is wrong, a missing compiler for
# one, is for the build to tell.

[ -e "$1/Makefile" ] || exit 0
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 0
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/module"
cp -R "$here" "$dir/module/compat"
# shellcheck disable=SC2016 # for make
printf '%s\n' 'always-y := module/compat/features.h' \
	'include $(src)/module/compat/probes.mk' >"$dir/Kbuild"
llvm=
[ ! -e "$1/include/config/CC_IS_CLANG" ] || llvm=LLVM=1
# shellcheck disable=SC2086 # nothing, or one word
make -j -C "$1" M="$dir" $llvm modules >"$dir/log" 2>&1 && exit 0
line=$(grep -m 1 '^bsdvm: this kernel is not supported' "$dir/log") || exit 0
echo "${line% (details:*}" >&2
exit 77
