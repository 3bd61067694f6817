#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each fault in the table of uapi/PROTOCOL.md names tests, and they are there.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

known=$(tests/run --list | sed 's/@.*//' | sort -u)
rows=0
status=0
while IFS='|' read -r _ fault _ tests _; do
	rows=$((rows + 1))
	# shellcheck disable=SC2016 # the quotes of the table
	named=$(grep -o '`[^`]*`' <<<"$tests" | tr -d '`') || {
		echo "uapi/PROTOCOL.md: no test for '$fault'"
		status=1
	}
	for name in $named; do
		grep -qx "$name" <<<"$known" || {
			echo "uapi/PROTOCOL.md: there is no test $name, for '$fault'"
			status=1
		}
	done
done < <(sed -n '/^| fault | what becomes of it | test |$/,/^$/p' uapi/PROTOCOL.md |
	tail -n +3 | grep '^|')
[[ $rows -gt 0 ]] || {
	echo "uapi/PROTOCOL.md has no table of faults"
	exit 1
}
exit $status
