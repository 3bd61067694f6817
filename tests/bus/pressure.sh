#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Jobs back off under memory pressure, of the cgroup of the process and of the system:
# slower, told of, ended all the same, and not at all when the policy says so.
#
# machines: amd64
# timeout: 300
set -eu -o pipefail
. bus/jobs.sh

short=/sys/fs/cgroup/migd-short

undo()
{
	umount /proc/pressure/memory 2>/dev/null
	[ -e $short ] || return
	echo 1 >$short/cgroup.kill
	# what is killed ends a moment later
	(until_true "cgroup $short to be empty" rmdir $short)
}

# listens: the daemon has a trigger of the system's memory pressure
listens()
{
	# one that is closed meanwhile is none
	{ readlink /proc/"$(systemctl show -P MainPID migd.service)"/fd/* || true; } >"$dir/fds"
	grep -qx /proc/pressure/memory "$dir/fds"
}

# hogs: tasks in cgroup $short want more memory than it may have, for ever
hogs()
{
	echo $(($(<$short/memory.current) + (4 << 20))) >$short/memory.high
	for _ in 1 2 3 4; do
		(echo "$BASHPID" >$short/cgroup.procs && exec tail /dev/zero) &
		hog+=($!)
	done
}

no_hogs()
{
	{ kill -KILL "${hog[@]}" && wait "${hog[@]}"; } 2>/dev/null || true
	hog=()
}
hog=()

# backs_off WHOSE FROM TO: the job is slowed down because of it, and is as before afterwards
backs_off()
{
	local said

	hogs
	# a bit more than the slowest that a job is made
	begin "${target_pid[t]}" --from "$2" --to "$3" --max-rate 17Mi
	until_true "the job backs off" is_so ".backed_off == \"$1\" and .share == 16777216"
	equal "$(busctl get-property org.migd1 "/org/migd1/job/$job" org.migd1.Job BackedOff)" \
		"s \"$1\"" BackedOff
	# so that it is not done before the pressure is over
	migctl pause "$job"
	migctl jobs "$job" >"$dir/out"
	grep -q "memory pressure of the $1: it backs off" "$dir/out" ||
		fail "migctl jobs $job does not say that it backs off"
	no_hogs
	until_true "it need not any more" is_so '.backed_off == ""'
	migctl set "$job" --max-rate none
	migctl resume "$job"
	went t "$3"
	# each time it is another daemon
	journalctl -o cat "_PID=$(systemctl show -P MainPID migd.service)" "MIGD_JOB=$job" \
		MESSAGE_ID=9632c7dc9d6f44b3a6cda500929d1bba >"$dir/journal"
	for said in "job $job backs off: memory pressure of the $1" "job $job goes on as before"; do
		grep -q "$said" "$dir/journal" || fail "the journal says: $(cat "$dir/journal")"
	done
}

step "memory is short in its cgroup; the system does not tell of itself"
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir $short
: >"$dir/none"
mount --bind "$dir/none" /proc/pressure/memory
serve
expect 0 '' migctl policy set pressure=10ms
target t sh -c "echo \$\$ >$short/cgroup.procs && exec \"\$@\"" sh -- move 160 0
backs_off cgroup 0 1
umount /proc/pressure/memory

step "memory is short elsewhere in the system"
echo "${target_pid[t]}" >/sys/fs/cgroup/cgroup.procs
systemctl restart migd.service
backs_off system 1 0

step "no job backs off when it is not to"
expect 0 '' migctl policy set pressure=none
begin "${target_pid[t]}" --from 0 --to 1 --max-rate 2Mi --batch-pages 16
! listens || fail "the daemon listens for pressure"
expect 0 '' migctl policy set pressure=10ms
until_true "the daemon listens for pressure" listens
expect 0 '' migctl policy set pressure=none
! listens || fail "the daemon listens for pressure"
expect 0 '' migctl policy set pressure=10ms
listens || fail "the daemon does not listen for pressure"
migctl set "$job" --max-rate none
went t 1
! listens || fail "the daemon listens for pressure, and no job runs"
