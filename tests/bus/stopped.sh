#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The daemon is deaf for longer than the deadline, is stopped and is restarted
# in the middle of a job.
#
# machines: amd64 amd64-debug arm64
# timeout: 180
set -eu -o pipefail
. bus/jobs.sh

serve
target_program=fault/beat target beat --
target t -- move 16 0
pid=${target_pid[t]}
ask t write

# a job lasts until what is to happen to the daemon has happened
slow=(--max-rate 1Mi)

# moved NODE: the job, slow no more, has moved everything in the end
moved()
{
	expect 0 '' migctl set "$job" --max-rate none
	finish
	accounted
	echo "        $(of_job .outcome), $(of_job .moved) of $(of_job .total) pages, $(of_job .rescued) batches rescued"
	equal "$(of_job .outcome)" moved "the outcome"
	equal "$status" 0 "the exit code"
	equal "$(pages_on t "$1")" "${target_pages[t]}" "the number of pages on node $1"
	calm t
}

step "SIGSTOP for longer than deadline and grace"
ask t stall
ask beat stall
begin "$pid" --from 0 --to 1 "${slow[@]}"
systemctl kill -s STOP --kill-who=main migd.service
sleep $(((deadline_us + grace_us) / 1000000 + 1))
systemctl kill -s CONT --kill-who=main migd.service
moved 1
expect 0 '' migctl stats --json
jq -c '[.rescued_deadline, .late]' "$dir/out"
jq -e '.rescued_deadline > 0' "$dir/out" >/dev/null || fail "no batch was in the daemon's hands"
jq -e '.late == 0' "$dir/out" >/dev/null || fail "a batch ended after its deadline and the grace"

step "systemctl restart"
begin "$pid" --from 1 --to 0 "${slow[@]}"
systemctl restart migd.service
moved 0
grep -q 'the daemon has gone' "$dir/job.err" || fail "migctl does not say that the daemon has gone"

step "systemctl stop, and the next question starts it"
begin "$pid" --from 0 --to 1 "${slow[@]}"
systemctl stop migd.service
equal "$(systemctl show -P Result migd.service)" success "the result of migd.service"
! rmmod migd 2>"$dir/err" || fail "rmmod takes the module away from a job"
grep -q 'in use' "$dir/err" || fail "rmmod is refused for another reason"
expect 0 '' migctl status
moved 1

step "systemctl stop, and nobody starts it: the job is lost, and told to be"
module_options+=(server_wait_ms=3000)
serve
begin "$pid" --from 1 --to 0 "${slow[@]}" --daemon-timeout 1s
systemctl stop migd.service
status=0
wait "$migrate" || status=$?
equal $status 5 "the exit code without a daemon"
grep -q 'the daemon has not come back' "$dir/job.err" || fail "migctl does not say what became of it"
close "$job_out"
until_true "the module to end the job by itself" grep -qx 0 /sys/module/migd/refcnt
expect 0 '' migctl jobs "$job" --json
cp "$dir/out" "$dir/job.json"
accounted
equal "$(of_job .outcome)" server-lost "the outcome"
[ "$(of_job '.left.unreached // 0')" -gt 0 ] || fail "no page was left as unreached"
calm t
equal "$(($(pages_on t 0) + $(pages_on t 1)))" "${target_pages[t]}" "the number of pages on both nodes"
