# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154
#
# To be sourced: stages of tests, and counting what they print.
#
# A stage prints TAP, or ends with a line "N passed, N failed", or has only its
# exit status to tell. Its output goes to $logs/NAME, and what it came to to
# $logs/NAME.result, as a line "PASSED FAILED SKIPPED SECONDS". The caller sets
# logs, and stage_show if output is to be seen as it comes; and pipefail.

# stage_count PATTERN FILE: lines of TAP
stage_count()
{
	grep -cE "^(    )?$1" "$2"
}

# stage_totals FILE: sets good, bad and skip
stage_totals()
{
	local line

	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
	if [[ $line ]]; then
		read -r good _ bad _ <<<"$line"
		skip=$(sed -nE 's/^# ([0-9]+) skipped$/\1/p' "$1" | tail -n 1)
		((skip += 0))
		return
	fi
	skip=$(stage_count 'ok .*# SKIP' "$1")
	good=$(($(stage_count 'ok ' "$1") - skip))
	bad=$(stage_count 'not ok ' "$1")
}

# stage NAME COMMAND...: fails if anything in it did
stage()
{
	local name=$1 log=$logs/$1 start=$SECONDS status=0 good bad skip

	shift
	if [[ ${stage_show-} ]]; then
		"$@" 2>&1 </dev/null | tee "$log" || status=$?
	else
		"$@" >"$log" 2>&1 </dev/null || status=$?
	fi
	stage_totals "$log"
	if ((status && !bad)); then
		echo "not ok - $name: exit status $status" >>"$log"
		bad=1
	elif ((!status && !good && !bad)); then
		good=1
	fi
	echo "$good $bad $skip $((SECONDS - start))" >"$log.result"
	((!bad))
}

# stage_failures NAME: what failed in a stage
stage_failures()
{
	grep -E '^(    )?not ok ' "$logs/$1"
}

# stage_say NAME: what a stage came to
stage_say()
{
	local good bad skip seconds

	read -r good bad skip seconds <"$logs/$1.result"
	printf '# ==== %s: %d passed, %d failed, %d skipped, %d s\n' \
		"$1" "$good" "$bad" "$skip" "$seconds"
}

# rst_table: rows from standard input, cells divided by "|", as a table that
# Documentation/ can take as it is; columns of numbers stand to the right
rst_table()
{
	awk -F '|' '
	{
		for (i = 1; i <= NF; i++) {
			cell[NR, i] = $i
			if (length($i) > width[i])
				width[i] = length($i)
			if (NR > 1 && $i !~ /^[0-9,]+$/)
				text[i] = 1
		}
		columns = NF
	}
	function line(row,	i, out) {
		for (i = 1; i <= columns; i++)
			out = out sprintf("%" (text[i] ? "-" : "") width[i] \
				"s  ", cell[row, i])
		sub(/ +$/, "", out)
		print out
	}
	function rule(	i, out) {
		for (i = 1; i <= columns; i++) {
			out = sprintf("%" width[i] "s", "")
			gsub(/ /, "=", out)
			printf "%s%s", out, i < columns ? "  " : "\n"
		}
	}
	END {
		rule()
		for (row = 1; row <= NR; row++) {
			line(row)
			if (row == 1)
				rule()
		}
		rule()
	}'
}

# conditions: of what, when and where, to stand above a table; the caller sets top
conditions()
{
	printf '%s, commit %s, %d processors\n' "$(date '+%d %B %Y')" \
		"$(git -C "$top" describe --always --dirty 2>/dev/null)" \
		"$(nproc)"
}

# stages_sum NAME...: sets passed, failed and skipped
stages_sum()
{
	local name good bad skip

	passed=0 failed=0 skipped=0
	for name; do
		read -r good bad skip _ <"$logs/$name.result"
		((passed += good, failed += bad, skipped += skip))
	done
}

# stages_end NAME...: all that failed, and the last line; fails if anything did
stages_end()
{
	local passed failed skipped name

	stages_sum "$@"
	for name; do
		stage_failures "$name"
	done
	((skipped)) && printf '# %d skipped\n' "$skipped"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0))
}
