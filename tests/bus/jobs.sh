# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Jobs in the background and what is told of them.

[ -v patience ] || . bus/lib.sh

# begin ARGUMENT...: starts `migctl migrate` and returns when pages are moving;
# $job is its id, $migrate its process. What is to be caught in the middle has a rate by
# which it lasts seconds: migctl itself may be a second late on a machine that is busy.
begin()
{
	mkfifo "$dir/job.out"
	"${under[@]}" migctl migrate "$@" >"$dir/job.out" 2>"$dir/job.err" &
	migrate=$!
	children+=("$migrate")
	exec {job_out}<"$dir/job.out"
	rm "$dir/job.out"
	job_said=
	job_says ' moving '
	job=${line#job }
	job=${job%%:*}
	until_true "pages of job $job to be moved" is_so '.moved > 0'
}
under=()

# job_says REGEX: the line of `migctl migrate` is in $line
job_says()
{
	while read -r -t "$patience" -u "$job_out" line; do
		job_said+=$line$'\n'
		[[ ! $line =~ $1 ]] || return 0
	done
	cat "$dir/job.err"
	fail "migctl migrate does not say '$1' but: $job_said"
}

# finish: waits for `migctl migrate`; $status, and $dir/job.json
finish()
{
	while read -r -t "$patience" -u "$job_out" line; do
		job_said+=$line$'\n'
	done
	status=0
	wait "$migrate" || status=$?
	close "$job_out"
	expect 0 '' migctl jobs "$job" --json
	cp "$dir/out" "$dir/job.json"
}

# of_job FILTER: by jq
of_job()
{
	jq -r "$1" "$dir/job.json"
}

# accounted: every page of the job was moved or has a reason
accounted()
{
	of_job 'select(.state != "done" or .total != .moved + ([.left[]] | add // 0))
		| halt_error' >"$dir/why" 2>&1 || fail "job $job does not add up: $(cat "$dir/why")"
}

# is_so FILTER: jq finds that in the job that runs
is_so()
{
	migctl jobs "$job" --json | jq -e "$1" >/dev/null
}

# went NAME NODE: the job has moved all of that target, which finds nothing wrong
went()
{
	finish
	equal "$status" 0 "the exit code"
	equal "$(of_job .outcome)" moved "the outcome"
	accounted
	equal "$(pages_on "$1" "$2")" "${target_pages[$1]}" "the number of pages on node $2"
	ask "$1" check
	equal "$answer" "wrong 0" "what the target says of its memory"
}

# leaves NAME REASON PAGES: what move_pages(2) could move is left when asked for
leaves()
{
	status=0
	migctl migrate "${target_pid[$1]}" --from 0 --to 1 --leave-large --json \
		>"$dir/job.json" || status=$?
	equal $status 3 "the exit code"
	equal "$(of_job ".left.$2")" "$3" "the number of pages left as $2"
	equal "$(of_job .routed)" 0 "the number of pages routed"
	accounted
}

# Of the policy and of the protocol.
deadline_us=500000
grace_us=1000000

# calm NAME: the target's writer found all as it should be, and no stop was longer
# than the deadline and the grace, and what the machine stops everybody for, which
# target beat says
calm()
{
	local stalled wrong machine

	ask "$1" stall
	read -r _ stalled _ wrong _ <<<"$answer"
	equal "$wrong" 0 "the number of wrong words"
	ask beat stall
	machine=${answer#stall }
	echo "        ms: the writer's longest stop $((stalled / 1000)), the machine's $((machine / 1000))"
	[ "$stalled" -le $((deadline_us + grace_us + 2 * machine)) ] ||
		fail "the writer was stopped for $stalled us"
}

# monitor: starts `migctl monitor`; it listens when this returns
monitor()
{
	mkfifo "$dir/monitor"
	migctl monitor >"$dir/monitor" 2>"$dir/monitor.err" &
	monitor=$!
	children+=("$monitor")
	exec {events}<"$dir/monitor"
	rm "$dir/monitor"
	event 'listening to migd'
}

# event REGEX: waits for it; its line is in $line
event()
{
	while read -r -t "$patience" -u "$events" line; do
		[[ ! $line =~ $1 ]] || return 0
	done
	cat "$dir/monitor.err"
	fail "no event '$1' after $patience s"
}
