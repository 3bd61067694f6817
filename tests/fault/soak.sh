#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# soak.sh SECONDS SEED: jobs back and forth under a checking writer while, at
# random moments, the daemon is killed, stopped or restarted, the engines fail
# in every way that their switches know, the target changes its memory, and the
# kernel works on the same pages. tests/soak runs it and reads its last line.
set -eu -o pipefail
. fault/lib.sh

seconds=$1
RANDOM=$2
patience=120
declare -A survived=() outcomes=()
pages_moved=0
pages_put_back=0
jobs=0

churns=(mprotect mlock soft-dirty munmap mremap dontneed free uffd-missing uffd-wp fork)
# switch, value that hurts, value at rest
switches=('fail_after 0 -1' 'hold 1 0' 'late_write 1 0' 'lose_irq 1 0' 'prep_null 3 0'
	'submit_fail 1 0' 'reorder 1 0' 'intr_only 1 0' 'prep_room 2 0' 'latency_us 20000 0')

# among WORD...: one of them, in $one
among()
{
	local -a words=("$@")

	one=${words[RANDOM % ${#words[@]}]}
}

daemon_pid()
{
	systemctl show -P MainPID migd.service
}

# set_switches NAME VALUE: of every device
set_switches()
{
	local file

	for file in /sys/kernel/debug/migd_lsi/*/"$1"; do
		echo "$2" >"$file"
	done
}

# Faults: each happens while a job runs, and is over when its function returns.

killed()
{
	kill -KILL "$(daemon_pid)" 2>/dev/null || true
}

stopped()
{
	local pid

	pid=$(daemon_pid)
	kill -STOP "$pid" 2>/dev/null || return 0
	# the fault is that it lasts
	sleep "$1"
	kill -CONT "$pid" 2>/dev/null || true
}

stopped_1s()
{
	stopped 1
}

stopped_10s()
{
	stopped 9.5
}

restarted()
{
	systemctl restart migd.service
}

cancelled()
{
	migctl cancel "$job" >/dev/null 2>&1 || true
}

engine()
{
	local name bad good

	among "${switches[@]}"
	read -r name bad good <<<"$one"
	what="engine $name"
	set_switches "$name" "$bad"
	# longer than the deadline, for those that keep the engine from answering
	sleep 0.7
	set_switches "$name" "$good"
}

churn()
{
	local word bad

	among "${churns[@]}"
	what="target $one"
	says t "begin $one" begun
	sleep 0.3
	ask t "end $one"
	read -r word _ _ _ bad <<<"$answer"
	equal "$word $bad" "ended 0" "the number of wrong words of $one"
}

compaction()
{
	echo 1 >/proc/sys/vm/compact_memory
}

migratepages_too()
{
	migratepages "${target_pid[t]}" 0 1
	migratepages "${target_pid[t]}" 1 0
}

second_job()
{
	migctl migrate "${target_pid[t]}" --to $((RANDOM % 2)) --quiet >/dev/null 2>&1 || true
}

faults=(killed killed killed stopped_1s restarted cancelled engine engine engine engine
	churn churn churn compaction migratepages_too second_job)

# One job with one fault in it.
round()
{
	local order engine fault outcome

	among copy-first copy-first state-first
	order=$one
	among auto dma cpu
	engine=$one
	among "${faults[@]}"
	fault=$one
	# seldom: each takes ten seconds
	[ "$fault" != stopped_1s ] || [ $((RANDOM % 20)) != 0 ] || fault=stopped_10s

	reset
	status=0
	migctl migrate "${target_pid[t]}" --from $at --to $((1 - at)) --order "$order" \
		--engine "$engine" --max-rate $((4 + RANDOM % 12))Mi --daemon-timeout 60s --json \
		>"$dir/job.json" 2>"$dir/err" &
	migrate=$!
	children+=("$migrate")
	# it is there a moment later, or has ended already: both are fine for a fault
	job=$(migctl jobs --json | jq -r 'last.id // 0')
	what=$fault
	"$fault"
	survived[$what]=$((${survived[$what]:-0} + 1))
	wait "$migrate" || status=$?
	unset 'children[-1]'

	jobs=$((jobs + 1))
	outcome=$(of_job .outcome 2>/dev/null) || outcome=
	case "$status $outcome" in
	'0 moved' | '3 partly' | '1 failed' | '130 cancelled' | '3 server-lost' | '1 server-lost') ;;
	*) fail "job $job with $what ends with $status, '$outcome': $(cat "$dir/err")" ;;
	esac
	outcomes[$outcome]=$((${outcomes[$outcome]:-0} + 1))
	pages_moved=$((pages_moved + $(of_job .moved)))
	pages_put_back=$((pages_put_back + $(of_job '.left["put-back"] // 0')))
	locking=$(of_job '.lock.max_ns / 1000 | floor')
	blackout=$(of_job '.blackout.max_ns / 1000 | floor')
	in_time >/dev/null
	[ "$(pages_on t $((1 - at)))" -lt "$(pages_on t $at)" ] || at=$((1 - at))
}

started 8 0
[ -e /sys/kernel/debug/migd_lsi ] || mount -t debugfs none /sys/kernel/debug
end=$((SECONDS + seconds))
told=$SECONDS
while [ $SECONDS -lt $end ]; do
	round
	if [ $((SECONDS - told)) -ge 30 ]; then
		told=$SECONDS
		step "$jobs jobs, $pages_moved pages moved, $((end - SECONDS)) s to go"
	fi
done

whole
clean_engines()
{
	migctl engines --json | jq -e 'all(.in_flight == 0 and .quarantined == 0)'
}
until_true "the engines to be idle" clean_engines
nothing_left
ask t stall
read -r _ _ _ bad _ written <<<"$answer"
equal "$bad" 0 "the number of wrong words"
drop t
ended

printf 'jobs %d:' "$jobs"
for one in "${!outcomes[@]}"; do
	printf ' %s %d,' "$one" "${outcomes[$one]}"
done
printf ' pages moved %d, put back %d\n' "$pages_moved" "$pages_put_back"
for one in "${!survived[@]}"; do
	printf 'survived %s: %d times\n' "$one" "${survived[$one]}"
done | sort
echo "soak: $seconds s, $jobs jobs, 0 wrong words, the writer went $written rounds over its memory"
