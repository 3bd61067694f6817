# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the soak has the kernel around the jobs do on the same pages.

thp=/sys/kernel/mm/transparent_hugepage
ksm=/sys/kernel/mm/ksm
hwpoison=/sys/kernel/debug/hwpoison

compacted()
{
	echo 1 >/proc/sys/vm/compact_memory
	count "kernel: compaction"
}

migratepages_too()
{
	migratepages "${target_pid[t]}" 0 1
	migratepages "${target_pid[t]}" 1 0
	count "kernel: migratepages(8)"
}

merged()
{
	echo 5000 >$ksm/pages_to_scan
	echo 1 >$ksm/run
	nap 1500
	# and apart again
	echo 2 >$ksm/run
	count "kernel: KSM"
}

# khugepaged MSEC: between its rounds
khugepaged()
{
	echo "$1" >$thp/khugepaged/scan_sleep_millisecs
	echo "$1" >$thp/khugepaged/alloc_sleep_millisecs
}

collapsed()
{
	khugepaged 1
	nap 2000
	khugepaged 10000
	count "kernel: khugepaged"
}

watched()
{
	watch "${target_pid[t]}"
	echo on >"$damon"/state
	nap 1500
	unwatch
	count "kernel: DAMON"
}

# Some of v's pages break while they are moved; v is told by SIGBUS or has its bytes.
poisoned()
{
	local nr right bus bad page
	local -a broken=()

	another map anon 512 0
	read -r _ _ nr <<<"$answer"
	for page in {1..6}; do
		ask v "pfn $((RANDOM % nr))"
		answer=${answer#pfn }
		[ "$answer" != 0 ] || continue
		broken+=("$answer")
		# one that is locked is marked only, which is an error of the switch
		echo "$answer" >$hwpoison/corrupt-pfn 2>/dev/null || true
	done
	move_v
	nap 500
	ask v touch
	read -r _ right _ bus _ bad <<<"$answer"
	equal "$bad" 0 "the number of pages with wrong words"
	equal $((right + bus)) "$nr" "the number of pages, right and broken"
	drop v
	for page in "${broken[@]}"; do
		echo "$page" >$hwpoison/unpoison-pfn 2>/dev/null || true
	done
	count "kernel: pages poisoned" ${#broken[@]}
}
