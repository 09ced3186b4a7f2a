#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Which form of what probes/NAME.c tries does this kernel have?
#
# usage: probe.sh probes/NAME.c OUTPUT COMPILER ARG...
#
# The source has two forms, the new one under BSDVM_PROBE_NEW. The new form is
# taken if it compiles; otherwise the old one must. Writes to OUTPUT the line
# that features.h is to have, and beside it, in OUTPUT.log, what the compiler
# said. That neither form compiles is not a reason to fall back to the old one:
# then the kernel is none that the module is known to work with.

source=$1 output=$2
shift 2
name=$(basename "$source" .c)
log=$output.log

die()
{
	rm -f "$output"
	echo "bsdvm: $*" >&2
	exit 1
}

# compiles ARG...
compiles()
{
	"$@" -Wno-error -Werror=implicit-function-declaration \
		-Werror=incompatible-pointer-types -Werror=int-conversion \
		-fsyntax-only "$source" >>"$log" 2>&1
}

: >"$log"
if compiles "$@" -DBSDVM_PROBE_NEW; then
	have=1
elif compiles "$@"; then
	have=0
else
	have=
fi
case $name/$have in
control/1)
	compiles "$@" && die "$1 accepts what no compiler should"
	echo '/* Made by probe.sh: 1 for the new form, 0 for the old one. */'
	;;
control/*)
	die "cannot compile for this kernel: $(grep -v '^$' "$log" | head -n 1)"
	;;
*/)
	die "this kernel is not supported: it has no form of $name that is" \
		"known (details: $log)"
	;;
*)
	echo "#define BSDVM_HAVE_$(echo "$name" | tr a-z A-Z) $have"
	;;
esac >"$output"
