#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel around a job works on the same pages: compaction, khugepaged,
# migratepages(8), mbind(2) of the target itself and DAMON.
#
# machines: amd64-debug arm64
# timeout: 300
set -eu -o pipefail
. fault/lib.sh

started 4 0 thp

# Others may have moved any page, also after they were counted: what counts is that
# each is what it was, and that no pass saw more pages than the target has.
anywhere()
{
	summed $((passes * $(resident)))
}

# resident: pages that the target has in memory, wherever
resident()
{
	cut -d ' ' -f 2 "/proc/${target_pid[t]}/statm"
}

step "compaction"
meanwhile compaction sh -c 'echo 1 >/proc/sys/vm/compact_memory'
bounce all_there
enough compaction
whole

step "migratepages(8), there and back"
there_and_back()
{
	migratepages "${target_pid[t]}" 0 1
	migratepages "${target_pid[t]}" 1 0
}
meanwhile migratepages there_and_back
may_fail=1
may_stop=1
bounce anywhere
may_fail=
may_stop=
enough migratepages
whole
at=1
home

step "khugepaged"
khugepaged=/sys/kernel/mm/transparent_hugepage/khugepaged
declare -A was
for name in scan_sleep_millisecs alloc_sleep_millisecs pages_to_scan; do
	was[$name]=$(<"$khugepaged/$name")
done
collapsed=$(<$khugepaged/pages_collapsed)
mapped collapsible 4096 0
echo 4096 >$khugepaged/pages_to_scan
echo 0 >$khugepaged/alloc_sleep_millisecs
echo 1 >$khugepaged/scan_sleep_millisecs
# a huge page is made on the node that has most of its small ones
restless=$nr
bounce anywhere
collapsing()
{
	[ "$(<$khugepaged/pages_collapsed)" -gt "$collapsed" ]
}
until_true "khugepaged makes a huge page" collapsing
whole
echo "        $(($(<$khugepaged/pages_collapsed) - collapsed)) huge pages made"
for name in "${!was[@]}"; do
	echo "${was[$name]}" >"$khugepaged/$name"
done
restless=0

begun mbind
bounce anywhere
over mbind
whole

step "DAMON"
watch "${target_pid[t]}"
# it counts what it sees: how often it has worked
echo 1 >$damon_context/schemes/nr_schemes
echo stat >$damon_context/schemes/0/action
echo 18446744073709551615 | tee $damon_context/schemes/0/access_pattern/{sz,age,nr_accesses}/max >/dev/null
echo on >$damon/state
bounce all_there
monitored()
{
	echo update_schemes_stats >$damon/state
	[ "$(<$damon_context/schemes/0/stats/nr_tried)" -gt 0 ]
}
until_true "DAMON looks at a region" monitored
bounce all_there
monitored
echo "        DAMON looked at $(<$damon_context/schemes/0/stats/nr_tried) regions"
unwatch
whole
drop t
ended
