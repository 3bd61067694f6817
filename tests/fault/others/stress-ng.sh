#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stress-ng.sh [SECONDS]: stress-ng writes patterns to memory and verifies them for so
# long, 25 by default, while that is moved.
#
# machines: amd64
# timeout: 120
set -eu -o pipefail
. fault/others/lib.sh

serve
# Huge pages are left alone: there shall be small ones.
"${patient[@]}" stress-ng --vm 2 --vm-bytes 48M --vm-keep --vm-madvise nohugepage --verify \
	--timeout "${1:-25}s" --metrics-brief >"$dir/stress" 2>&1 &
stress=$!
children+=("$stress")
# the workers, which are children of children
workers()
{
	pgrep -x stress-ng-vm || true
}
until_true "stress-ng to begin" pgrep -x stress-ng-vm
step "stress-ng --vm --verify is moved to and fro"
bounce "$stress" workers
status=0
wait "$stress" || status=$?
sed 's/^/        /' "$dir/stress"
equal $status 0 "the exit code of stress-ng"
! grep -iE 'fail|error|mismatch' "$dir/stress" || fail "stress-ng complains"
moved_well 20000
