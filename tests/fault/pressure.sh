#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The target is short of memory: its pages are swapped out and in while it is
# moved, its cgroup is at its limit, and at last it is killed for it.
#
# machines: amd64 amd64-debug arm64
# timeout: 300
set -eu -o pipefail
. fault/lib.sh

# zram, or where the kernel has none a RAM disk
if modprobe zram num_devices=1 2>/dev/null; then
	swap=/dev/zram0
	swap_module=zram
	echo 64M >/sys/block/zram0/disksize
else
	swap=/dev/ram0
	swap_module=brd
	modprobe brd rd_nr=1 rd_size=65536
fi
udevadm settle
mkswap $swap >/dev/null
swapon $swap

cgroup=/sys/fs/cgroup/migd-pressure
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir $cgroup
before_target=(sh -c "echo \$\$ >$cgroup/cgroup.procs && exec nice -n 5 \"\$@\"" sh)

# swapped: pages that went to swap or came back, ever
swapped()
{
	awk '$1 == "pswpin" || $1 == "pswpout" { n += $2 } END { print n }' /proc/vmstat
}

# Pages on their way to or from swap are on no node; each changes the sum once.
swapping()
{
	local now

	now=$(swapped)
	echo "        $((now - swapped_before)) pages were swapped meanwhile, on $swap"
	summed $((now - swapped_before))
	[ "$now" -gt "$swapped_before" ] || fail "nothing was swapped"
	swapped_before=$now
}

mib=4
[ ! "$debug" ] || mib=2
started $mib 0

step "a part of its memory is in swap, and it wants all of it"
# three eighths of it do not fit; what the kernel needs for it does, on any kernel
echo $(($(<$cgroup/memory.current) - mib * 384 * 1024)) >$cgroup/memory.max
swapped_before=$(swapped)
for order in "${these[@]}"; do
	reset
	# what is read back from swap is on node 0 again
	move 0 1 --order "$order"
	in_time
	swapping
	# a sixteenth of the limit
	equal "$(of_job .batch_pages)" $(($(<$cgroup/memory.max) / 16 / $(getconf PAGESIZE))) \
		"the largest batch"
	nothing_left
done
whole
echo max >$cgroup/memory.max
move 1 0
says t rest resting
says t check "wrong 0"
says t write writing

step "its cgroup is full, and nothing can be swapped"
echo 0 >$cgroup/memory.swap.max
echo $(($(<$cgroup/memory.current) + 65536)) >$cgroup/memory.max
bounce all_there
whole
equal "$(awk '$1 == "oom_kill" { print $2 }' $cgroup/memory.events)" 0 "the number of OOM kills"

step "it is killed by the OOM killer in the middle of a job"
begin "${target_pid[t]}" --from $at --to $((1 - at)) --max-rate 256Ki --batch-pages 32
echo "map anon 65536 0" >&"${target_in[t]}"
until_true "the end of the target" test ! -e "/proc/${target_pid[t]}"
equal "$(awk '$1 == "oom_kill" { print $2 }' $cgroup/memory.events)" 1 "the number of OOM kills"
finish
took
equal "$outcome" target-gone "the outcome"
summed 64
unset "target_pid[t]"
ended
empty()
{
	[ ! -s $cgroup/cgroup.procs ] && rmdir $cgroup
}
until_true "the cgroup is empty" empty
swapoff $swap
remove $swap_module
