#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ctrl-C, cancel and --no-block; what monitor tells meanwhile.
#
# machines: amd64 amd64-iommu
# timeout: 180
set -eu -o pipefail
. bus/jobs.sh

serve
target t -- move 16 0
pid=${target_pid[t]}
monitor

# both: no page is lost, and no value
both()
{
	equal "$(($(pages_on t 0) + $(pages_on t 1)))" "${target_pages[t]}" \
		"the number of pages on both nodes"
	ask t check
	equal "$answer" "wrong 0" "what the target says of its memory"
}

# cancelled: as the job and the monitor say
cancelled()
{
	accounted
	equal "$(of_job .outcome)" cancelled "the outcome"
	[ "$(of_job '.left.unreached // 0')" -gt 0 ] || fail "no page was left as unreached"
	event "job $job: done, outcome cancelled"
	both
}

# it takes a minute: whatever is done to it comes before its end
slow=(--max-rate 256Ki --batch-pages 16)

step "SIGINT cancels and waits"
# a job of a shell in the background ignores SIGINT unless it is told not to
under=(env --default-signal=INT)
begin "$pid" --from 0 --to 1 "${slow[@]}"
event "job $job: new"
event "job $job: running"
kill -INT "$migrate"
finish
equal $status 130 "the exit code"
equal "$(grep -c "cancelling job $job and waiting" "$dir/job.err")" 1 "what migctl says of it"
cancelled

step "Ctrl-C on a terminal"
mkfifo "$dir/keys"
script -qefc "stty cols 100; TERM=xterm exec migctl migrate $pid --from 0 --to 1 ${slow[*]}" \
	/dev/null <"$dir/keys" >"$dir/out" 2>&1 &
terminal=$!
children+=("$terminal")
exec {keys}>"$dir/keys"
event 'job [0-9]+: running, [1-9]'
job=${line#* job }
job=${job%%:*}
printf '\003' >&"$keys"
status=0
wait "$terminal" || status=$?
exec {keys}>&-
equal $status 130 "the exit code"
expect 0 '' migctl jobs "$job" --json
cp "$dir/out" "$dir/job.json"
cancelled

step "migctl cancel"
begin "$pid" --from 0 --to 1 "${slow[@]}"
expect 4 'user 65534 may not cancel jobs' runuser -u nobody -- migctl cancel "$job"
expect 0 '' migctl cancel "$job"
finish
equal $status 130 "the exit code"
cancelled
expect 1 "job $job has ended already" migctl cancel "$job"

step "--no-block"
expect 0 '' migctl migrate "$pid" --from 0 --to 1 --max-rate 2Mi --no-block
job=$(grep -oE '[0-9]+' "$dir/out" | head -n 1)
expect 0 '' migctl jobs "$job" --json
jq -e '.state != "done" and .outcome == ""' "$dir/out" >/dev/null ||
	fail "the job has ended before migctl left"
event "job $job: done, outcome moved"
intact t 1

step "the target exits"
begin "$pid" --from 1 --to 0 "${slow[@]}"
drop t
finish
equal $status 1 "the exit code"
equal "$(of_job .outcome)" target-gone "the outcome"
grep -q "process $pid exited" "$dir/job.err" || fail "migctl does not say so"

step "monitor ends when it is told to, and without an error"
kill -TERM "$monitor"
status=0
wait "$monitor" || status=$?
equal $status 0 "the exit code of migctl monitor"
