#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A process with every kind of memory at once is moved there and back as a whole:
# each page moves or is left with a reason, as migctl explain has said, and has its
# values afterwards. Huge pages stay huge.
#
# machines: amd64 amd64-debug arm64
# timeout: 300
set -eu -o pipefail
. fault/lib.sh

thp=/sys/kernel/mm/transparent_hugepage
ksm=/sys/kernel/mm/ksm
disk=/run/migd-memory

modprobe brd rd_nr=1 rd_size=65536
mkfs.ext4 -q /dev/ram0
mkdir -p $disk
mount -t ext4 /dev/ram0 $disk
change /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 4
change $thp/enabled always
# it would fill holes while the pages are counted
change $thp/khugepaged/scan_sleep_millisecs 1000000
mthp=$thp/hugepages-64kB

# huge: kB of the target's memory in huge pages; the number of 64 KiB folios, and of
# those that the kernel takes for partly mapped
huge()
{
	awk '$1 == "AnonHugePages:" { printf "%s ", $2 }' "/proc/${target_pid[t]}/smaps_rollup"
	paste -d ' ' $mthp/stats/nr_anon $mthp/stats/nr_anon_partially_mapped
}

# there START: pages of the mapping, on any node
there()
{
	awk -v start="$1" '$1 == start {
			for (i = 2; i <= NF; i++)
				if ($i ~ /^N[0-9]+=/)
					n += substr($i, index($i, "=") + 1)
		}
		END { print n + 0 }' "/proc/${target_pid[t]}/numa_maps"
}

started 2 0 thp
says t "cd $disk" there

step "every kind of memory"
mapped ksm 1024 0
merged=$nr
for kind in anon zero heap stack file private-file shmem memfd sysv; do
	mapped $kind 512 0
done
mapped hugetlb 2048 0
mapped thp 5120 0
change $thp/hugepages-2048kB/enabled never
change $mthp/enabled madvise
mapped thp 1024 0
mapped sparse 1024 0
sparse=$start
change $mthp/enabled never
change $thp/hugepages-2048kB/enabled inherit
mapped shared-by-fork 512 0

change $ksm/pages_to_scan 20000
change $ksm/run 1
enough_merged()
{
	[ "$(<$ksm/pages_sharing)" -ge $((merged - 16)) ]
}
until_true "KSM merges the pages" enough_merged
change $ksm/run 0

# state: what the next job finds
state()
{
	read -r kib folios partly < <(huge)
	pages=$(there "$sparse")
	echo "        AnonHugePages $kib kB, $folios folios of 64 KiB ($partly partly mapped)"
}

state
[ "$kib" -ge 2048 ] || fail "there are no huge pages to begin with"
[ "$folios" -ge 24 ] || fail "there are only $folios folios of 64 KiB to begin with"

# foretell FROM TO ARGUMENT...: what the next job will do is in $dir/explained.json
beforehand=foretell
foretell()
{
	expect 0 '' migctl explain "${target_pid[t]}" --from "$1" --to "$2" "${@:3}" --json
	cp "$dir/out" "$dir/explained.json"
}

# foretold VANISHED: it did. What is left as refused was to move one way or the other;
# VANISHED pages of large folios became the zero page on the way.
foretold()
{
	jq -r '"        explained: \(.engine) by an engine, \(.move_pages) by move_pages(2), left \(.left | tojson)"' \
		"$dir/explained.json"
	jq -e --argjson vanished "$1" --slurpfile jobs "$dir/job.json" '$jobs[0] as $job |
		def always: with_entries(select(.key |
			IN("file", "shmem", "ksm", "special", "swap-cache", "poisoned")));
		($job.left | (.huge // 0) + (.large // 0) + (.hugetlb // 0) + (.tagged // 0)) as $whole |
		(.engine - ($job.moved - $job.routed)) as $by_engine |
		(.move_pages - ($job.routed + $whole + $vanished)) as $by_daemon |
		.total == $job.total and .left == ($job.left | always) and
			$by_engine >= 0 and $by_daemon >= 0 and
			$by_engine + $by_daemon == ($job.left.refused // 0)' \
		"$dir/explained.json" >/dev/null ||
		fail "the job did not what was explained: $(jq -c 'del(.processes)' "$dir/explained.json")," \
			"but $(jq -c '{total, moved, routed, left}' "$dir/job.json"), $1 pages vanished"
}

# in_order: the job adds up, what it left has reasons that are known here, what
# was huge is huge, and the values are what they were
in_order()
{
	local kib_before=$kib folios_before=$folios partly_before=$partly pages_before=$pages

	state
	# The kernel takes each 64 KiB folio that has been moved for partly mapped, and
	# splits those when they are moved again. Their pages of zeros become the zero
	# page, which is on no node.
	equal "$folios" $((folios_before - partly_before)) "the number of 64 KiB folios"
	total=$((total - pages_before + pages))
	all_there
	foretold $((pages_before - pages))
	of_job '"        left: \(.left | tojson)"'
	of_job '.left | keys | map(select(IN("file", "shmem", "hugetlb", "huge", "large", "ksm", "special",
		"refused") | not)) | .[]' >"$dir/unknown"
	[ ! -s "$dir/unknown" ] || fail "pages are left because of: $(cat "$dir/unknown")"
	equal "$kib" "$kib_before" "AnonHugePages"
	whole
}

step "all of it there and back"
bounce in_order

step "written again, KSM's pages are ordinary ones, and move"
change $ksm/run 2
bounce in_order
of_job '.left.ksm // 0' | grep -qx 0 || fail "pages are still KSM's: $(cat "$dir/job.json")"

step "afterwards"
drop t
ended
umount $disk
rmmod brd
