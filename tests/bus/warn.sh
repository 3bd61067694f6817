#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What will undo a move is told before it starts; what does not fit is left.
#
# machines: amd64 amd64-iommu
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

serve
target t -- move 4 0
pid=${target_pid[t]}

step "NUMA balancing"
# For migctl only: to switch it on patches the scheduler's code, under which an
# emulated CPU can die.
echo 1 >"$dir/on"
mount --bind "$dir/on" /proc/sys/kernel/numa_balancing
expect 0 'NUMA balancing is on .*sysctl kernel.numa_balancing=0' \
	migctl migrate "$pid" --from 0 --to 1
umount /proc/sys/kernel/numa_balancing
expect 0 '' migctl migrate "$pid" --to 0

step "a memory policy"
target bound -- bind 1 0
expect 0 "mappings of process ${target_pid[bound]} .*policy bind:0, which does not name node 1: .*numactl" \
	migctl migrate "${target_pid[bound]}" --from 0 --to 1
drop bound

step "a node without free memory"
target hog -- fill 1
grep MemFree /sys/devices/system/node/node1/meminfo
target much -- move 32 0
pid=${target_pid[much]}
status=0
migctl migrate "$pid" --from 0 --to 1 --json >"$dir/out" 2>"$dir/err" || status=$?
jq -c '[.outcome, .total, .moved, .left]' "$dir/out"
case $(jq -r .outcome "$dir/out") in
partly) equal $status 3 "the exit code" ;;
failed) equal $status 1 "the exit code" ;;
*) fail "a full node is no reason to leave pages" ;;
esac
jq -e '.left["no-memory"] > 0 and .total == .moved + ([.left[]] | add)' "$dir/out" >/dev/null ||
	fail "pages are missing in the account"
on1=$(pages_on much 1)
equal $((on1 + $(pages_on much 0))) "${target_pages[much]}" "the number of pages on both nodes"
ask much check
equal "$answer" "wrong 0" "what the target says of its memory"
migctl migrate "$pid" --from 0 --to 1 >"$dir/out" 2>"$dir/err" || status=$?
[[ $status = [13] ]] || fail "the second attempt exits with $status"
grep -q 'no-memory.*free memory there or choose another node' "$dir/out" ||
	fail "it does not say what to do"
drop hog

step "with memory again, the rest goes too"
expect 0 '' migctl migrate "$pid" --from 0 --to 1
intact much 1
