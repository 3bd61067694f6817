#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A job that runs gets other limits, waits and goes on, also over large folios; what
# migctl and the bus say of it.
#
# machines: amd64 arm64
# timeout: 300
set -eu -o pipefail
. bus/jobs.sh

# nothing_held: no page is locked for a job that waits, once its batch has ended
nothing_held()
{
	migctl stats --json | jq -e '.locked_pages == 0' >/dev/null
}

# it would take minutes
slow=(--max-rate 128Ki --batch-pages 16)

serve
step "waits, gets other limits, goes on"
target t -- move 16 0
begin "${target_pid[t]}" --from 0 --to 1 "${slow[@]}"
expect 4 'user 65534 may not pause or resume jobs' runuser -u nobody -- migctl pause "$job"
expect 4 'user 65534 may not change jobs' runuser -u nobody -- migctl set "$job" --max-rate 1
expect 0 '' migctl pause "$job"
until_true "the job is paused" is_so '.state == "paused" and .paused'
until_true "no page is locked" nothing_held
expect 2 'between 1000 and 60000000' migctl set "$job" --deadline 1us
expect 0 '' migctl set "$job" --max-rate none --deadline 700ms
is_so '.max_rate == 0 and .deadline_usec == 700000 and .state == "paused"' ||
	fail "the limits are not what was asked for"
expect 0 '' migctl resume "$job"
went t 1
expect 1 "job $job has ended already" migctl pause "$job"
expect 1 "job $job has ended already" migctl set "$job" --max-rate none

step "cancelled while it waits"
begin "${target_pid[t]}" --from 1 --to 0 "${slow[@]}"
migctl pause "$job"
until_true "the job is paused" is_so '.state == "paused"'
migctl cancel "$job"
finish
equal "$status" 130 "the exit code"
accounted

step "the daemon dies meanwhile: the job still waits, and then goes on with the next"
migctl migrate "${target_pid[t]}" --to 0 --quiet
begin "${target_pid[t]}" --from 0 --to 1 "${slow[@]}"
migctl pause "$job"
until_true "the job is paused" is_so '.state == "paused"'
kill -KILL "$(systemctl show -P MainPID migd.service)"
until_true "the next daemon knows that it waits" is_so '.state == "paused" and .paused'
migctl set "$job" --max-rate none
migctl resume "$job"
went t 1
drop t

step "the bus"
target t -- move 16 0
begin "${target_pid[t]}" --from 0 --to 1 "${slow[@]}"
at=/org/migd1/job/$job
busctl monitor --json=short --match="path='$at',member='PropertiesChanged'" \
	>"$dir/signals" 2>"$dir/signals.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring bus' "$dir/signals.err"
expect 0 '' busctl call org.migd1 "$at" org.migd1.Job Pause
equal "$(busctl get-property org.migd1 "$at" org.migd1.Job Paused)" "b true" Paused
until_true "PropertiesChanged of State" \
	grep -q '"State":{"type":"s","data":"paused"}' "$dir/signals"
expect 0 '' busctl set-property org.migd1 "$at" org.migd1.Job MaxRate t 0
equal "$(busctl get-property org.migd1 "$at" org.migd1.Job MaxRate)" "t 0" MaxRate
expect 1 'Nice is 0 to 19, not 20' busctl set-property org.migd1 "$at" org.migd1.Job Nice t 20
expect 0 '' busctl set-property org.migd1 "$at" org.migd1.Job Nice t 2
equal "$(busctl get-property org.migd1 "$at" org.migd1.Job Nice)" "t 2" Nice
until_true "PropertiesChanged of Nice" grep -q '"Nice":{"type":"t","data":2}' "$dir/signals"
expect 0 '' busctl call org.migd1 "$at" org.migd1.Job Resume
went t 1
drop t

# share_held LEVEL: the job's work was its share of the time, whatever the machine's
# speed; a twentieth of a second is not rested for, and a tick may be missing
share_held()
{
	is_so ".work_ns > 0 and .elapsed_usec * 1000 + 60000000 >= .work_ns * pow(1.25; $1)" ||
		fail "the job has worked for too much of its time: $(migctl jobs "$job" --json |
			jq -c '{work_ns, elapsed_usec, nice}')"
}

step "its share of a CPU: its own, the policy's, and while it runs"
target t -- move 16 0
expect 0 '' migctl migrate "${target_pid[t]}" --from 0 --to 1 --nice 10 --json
job=$(jq .id "$dir/out")
intact t 1
is_so '.nice == 10' || fail "the job's nice is not what was asked for"
share_held 10
expect 0 '' migctl jobs "$job"
grep -qE '^  work .*[0-9]% of a CPU, nice 10$' "$dir/out" || fail "migctl does not tell of its share"
expect 0 '' migctl policy set nice=10
expect 0 '' migctl migrate "${target_pid[t]}" --from 1 --to 0 --nice 3 --json
job=$(jq .id "$dir/out")
intact t 0
share_held 10
expect 0 '' migctl policy set nice=0
begin "${target_pid[t]}" --from 0 --to 1 --nice 1 "${slow[@]}"
expect 4 'user 65534 may not change jobs' runuser -u nobody -- migctl set "$job" --nice 0
expect 0 '' migctl set "$job" --nice 5 --max-bandwidth none
is_so '.nice == 5 and .max_rate == 0' || fail "the limits are not what was asked for"
went t 1
drop t

step "large folios wait, too"
thp=/sys/kernel/mm/transparent_hugepage/enabled
was=$(sed 's/.*\[\(.*\)\].*/\1/' $thp)
echo always >$thp
target t -- large 16 0
begin "${target_pid[t]}" --from 0 --to 1 --max-rate 1Mi
until_true "the job to come to the large folios" is_so '.state == "routing" and .routed > 0'
migctl pause "$job"
expect 0 '' migctl set "$job" --nice 3
is_so '.state == "routing" and .paused' || fail "the daemon's part of the job is not told to wait"
migctl set "$job" --max-rate none
[ "$(pages_on t 1)" -lt "${target_pages[t]}" ] || fail "all is moved though the job waits"
migctl resume "$job"
went t 1
begin "${target_pid[t]}" --from 1 --to 0 --max-rate 1Mi
until_true "the job to come to the large folios" is_so '.state == "routing" and .routed > 0'
migctl pause "$job"
migctl cancel "$job"
finish
equal "$status" 130 "the exit code"
accounted
echo "$was" >$thp
