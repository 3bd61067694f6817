#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The target does to its memory whatever it may while it is moved there and back:
# forks, maps, protects, locks, gives up, handles its own faults; is traced,
# frozen, replaces itself and exits. Nobody ever sees a wrong value.
#
# machines: amd64 amd64-debug arm64
# timeout: 300
set -eu -o pipefail
. fault/lib.sh

mib=4
[ ! "$debug" ] || mib=2
started $mib 0

# CHURN_PAGES of victim.h
churn_pages=128

# churning CHECK CHURN...: a job there and one back while the target does that
churning()
{
	local check=$1

	shift
	begun "$@"
	bounce "$check"
	over "$@"
}

churning all_there mprotect mlock soft-dirty
restless=$((4 * churn_pages))
churning all_there munmap mremap dontneed free
restless=$((3 * churn_pages))
churning all_there uffd-missing uffd-wp uffd-minor
whole
# What the writer writes to while a child has it, too, becomes a page of node 0.
copied()
{
	summed $((passes * (churn_pages + 4 * target_pages[t])))
	[ "$moved" -gt 0 ] || fail "nothing was moved"
}
churning copied fork
# back to where all of it is to begin
at=1
home
whole

step "traced: a debugger looks at it over and over"
mapped anon 128 0
target_program=fault/tracer target d -- "${target_pid[t]}" "$start" "$nr" 1
look()
{
	says d look "wrong 0"
}
meanwhile look look
bounce all_there
enough look

step "traced: moved while a debugger has stopped it"
says t rest resting
says d stop stopped
for order in "${these[@]}"; do
	move $at $((1 - at)) --order "$order"
	at=$((1 - at))
	all_there
	says d words "wrong 0"
done
says d go gone
says t write writing
drop d
whole

step "frozen by its cgroup in the middle of a job, and moved when it is"
cgroup=/sys/fs/cgroup/migd-fault
mkdir $cgroup
echo "${target_pid[t]}" >$cgroup/cgroup.procs
begin "${target_pid[t]}" --from $at --to $((1 - at)) --max-rate 1Mi
echo 1 >$cgroup/cgroup.freeze
until_true "the target is frozen" grep -q '^frozen 1' $cgroup/cgroup.events
finish
took
moved_or_partly
at=$((1 - at))
all_there
move $at $((1 - at)) --order state-first
at=$((1 - at))
all_there
echo 0 >$cgroup/cgroup.freeze
until_true "the target goes on" grep -q '^frozen 0' $cgroup/cgroup.events
whole
nothing_left

step "it replaces itself in the middle of a job"
begin "${target_pid[t]}" --from $at --to $((1 - at)) --max-rate 256Ki
ask t exec
read -r word _ "target_start[t]" "target_pages[t]" <<<"$answer"
equal "$word" ready "the word of the new program"
finish
took
equal "$outcome" target-gone "the outcome"
summed 0
nothing_left
says t write writing
at=0
bounce all_there
whole

step "it exits in the middle of a job"
begin "${target_pid[t]}" --from $at --to $((1 - at)) --max-rate 256Ki
echo exit >&"${target_in[t]}"
until_true "the end of the target" test ! -e "/proc/${target_pid[t]}"
finish
took
equal "$outcome" target-gone "the outcome"
summed 0
unset "target_pid[t]"
rmdir $cgroup
ended
