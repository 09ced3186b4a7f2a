#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Build the modules that only tests need, for a kernel of tools/kernel.
#
# usage: selftests/modules/build.sh [NAME]
#
# Prints the modules' paths, which are build/selftests-modules/RELEASE/*.ko.

set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
top=$(realpath "$here/../..")

# Is there nothing to do? kbuild takes a second to find out.
up_to_date()
{
	local file

	compgen -G "$dir/*.ko" >/dev/null || return
	for file in "$here"/Kbuild "$here"/*.[ch] "$here" \
		"${BASH_SOURCE[0]}" "$build/Module.symvers"
	do
		[[ $dir/built -nt $file ]] || return
	done
}

release='' build=''
name=${1:-6.1}
assignments=$("$top/tools/kernel" "$name")
eval "$assignments"

# kbuild writes beside the sources, so it is given links to them.
dir=$top/build/selftests-modules/$release
mkdir -p "$dir"
find "$dir" -xtype l -delete
up_to_date && { ls "$dir"/*.ko; exit; }
touch "$dir/began"
ln -sf "$here"/Kbuild "$here"/*.[ch] "$dir"
if ! "$top/tools/kbuild" "$name" "$dir" modules >"$dir/build.log" 2>&1; then
	cat "$dir/build.log" >&2
	exit 1
fi
mv "$dir/began" "$dir/built"
ls "$dir"/*.ko
