#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A process with every kind of memory at once is moved there and back as a whole:
# each page moves or is left with a reason, and has its values afterwards. Huge
# pages stay huge.
#
# machines: amd64 arm64
# timeout: 120
set -eu -o pipefail
. fault/lib.sh

thp=/sys/kernel/mm/transparent_hugepage
ksm=/sys/kernel/mm/ksm
disk=/run/migd-memory

modprobe brd rd_nr=1 rd_size=65536
mkfs.ext4 -q /dev/ram0
mkdir -p $disk
mount -t ext4 /dev/ram0 $disk
echo 4 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
thp_was=$(sed 's/.*\[\(.*\)\].*/\1/' $thp/enabled)
echo always >$thp/enabled
# it would fill holes while the pages are counted
khugepaged_was=$(<$thp/khugepaged/scan_sleep_millisecs)
echo 1000000 >$thp/khugepaged/scan_sleep_millisecs

# huge: kB of the target's memory in huge pages, and the number of 64 KiB ones
huge()
{
	awk '$1 == "AnonHugePages:" { print $2 }' "/proc/${target_pid[t]}/smaps_rollup"
	cat $thp/hugepages-64kB/stats/nr_anon
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
echo never >$thp/hugepages-2048kB/enabled
echo always >$thp/hugepages-64kB/enabled
mapped thp 1024 0
echo never >$thp/hugepages-64kB/enabled
echo inherit >$thp/hugepages-2048kB/enabled
mapped shared-by-fork 512 0

echo 20000 >$ksm/pages_to_scan
echo 1 >$ksm/run
enough_merged()
{
	[ "$(<$ksm/pages_sharing)" -ge $((merged - 16)) ]
}
until_true "KSM merges the pages" enough_merged
echo 0 >$ksm/run

huge_before=$(huge)
echo "        AnonHugePages and 64 KiB pages: ${huge_before//$'\n'/ }"
[ "${huge_before%%$'\n'*}" -ge 2048 ] || fail "there are no huge pages to begin with"
[ "${huge_before##*$'\n'}" -ge 8 ] || fail "there are no 64 KiB pages to begin with"

# in_order: the job adds up, what it left has reasons that are known here, what
# was huge is huge, and the values are what they were
in_order()
{
	all_there
	of_job '"        left: \(.left | tojson)"'
	of_job '.left | keys | map(select(IN("file", "shmem", "hugetlb", "huge", "large", "ksm", "special",
		"refused") | not)) | .[]' >"$dir/unknown"
	[ ! -s "$dir/unknown" ] || fail "pages are left because of: $(cat "$dir/unknown")"
	huge=$(huge)
	equal "${huge%%$'\n'*}" "${huge_before%%$'\n'*}" "AnonHugePages"
	# seen to be split on the way back; by whom is not known
	echo "        64 KiB pages: ${huge_before##*$'\n'} before, ${huge##*$'\n'} now"
	whole
}

step "all of it there and back"
bounce in_order

step "written again, KSM's pages are ordinary ones, and move"
echo 2 >$ksm/run
bounce in_order
of_job '.left.ksm // 0' | grep -qx 0 || fail "pages are still KSM's: $(cat "$dir/job.json")"

step "afterwards"
drop t
ended
echo 0 >$ksm/run
umount $disk
rmmod brd
echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
echo "$thp_was" >$thp/enabled
echo never >$thp/hugepages-64kB/enabled
echo "$khugepaged_was" >$thp/khugepaged/scan_sleep_millisecs
