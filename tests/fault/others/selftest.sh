#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftest.sh [TIMES]: the kernel's own selftests/mm/migration, once by default, whose
# processes are moved as well: two movers of the same pages, and somebody who reads them.
#
# machines: amd64
# timeout: 120
set -eu -o pipefail
. fault/others/lib.sh

serve
declare -A pids=()
cases=(private_anon shared_anon private_anon_thp shared_anon_thp)

processes()
{
	pgrep -f fault/others/selftest-migration || true
}

# once: side by side, as each takes 20 s
once()
{
	local name status

	for name in "${cases[@]}"; do
		"${patient[@]}" fault/others/selftest-migration -t "$name" >"$dir/$name" 2>&1 &
		pids[$name]=$!
		children+=("$!")
	done
	bounce "${pids[private_anon]}" processes
	for name in "${cases[@]}"; do
		status=0
		wait "${pids[$name]}" || status=$?
		grep -E '^(ok|not ok|#.*(FAIL|SKIP|Didn))' "$dir/$name" | sed 's/^/        /' || true
		equal $status 0 "the exit code of $name"
		# a test that skips itself says ok, too
		! grep -q SKIP "$dir/$name" || fail "$name was not run: $(cat "$dir/$name")"
		grep -q "^ok 1 .*$name" "$dir/$name" || fail "$name: $(cat "$dir/$name")"
	done
}

step "selftests/mm/migration: ${cases[*]}"
for ((i = 0; i < ${1:-1}; i++)); do
	once
done
moved_well 500
