#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rate, total and deadline hold: over any two seconds, and for a thousand batches.
#
# machines: amd64
# timeout: 200
set -eu -o pipefail
. bus/rates.sh

serve

# moved_pages N: so many of them by now
moved_pages()
{
	is_so ".moved >= $1"
}

step "no two seconds see more than the rate: paused, and faster"
slow_rate=$((4 << 20))
fast_rate=$((8 << 20))
target t -- move 32 0
quarter=$((target_pages[t] / 4))
watch_rates
begin "${target_pid[t]}" --from 0 --to 1 --max-rate $slow_rate
until_true "a quarter to be moved" moved_pages $quarter
migctl pause "$job"
until_true "the job is paused" is_so '.state == "paused"'
# what is not moved in this second is not made up for
waited=$(migctl jobs "$job" --json | jq .elapsed_usec)
until_true "a second of the job to pass" is_so ".elapsed_usec >= $waited + 1000000"
migctl resume "$job"
until_true "more to be moved" moved_pages $((quarter * 3 / 2))
migctl set "$job" --max-rate $fast_rate
went t 1
rates_seen
# pause and resume are changes, too
held "${target_pages[t]}" $slow_rate $slow_rate $slow_rate $fast_rate

step "no blackout beyond the deadline, of a thousand"
deadline_ms=250
target_program=fault/beat target beat --
begin "${target_pid[t]}" --from 1 --to 0 --batch-pages 8 --deadline ${deadline_ms}ms --max-rate 8Mi
went t 0
ask beat stall
read -r batches p999 limit < <(of_job "\"\(.batches) \(.blackout.p999_ns / 1000 | floor) \" +
	\"\($deadline_ms * 1000 + 2 * ${answer#stall })\"")
echo "        $batches batches, p99.9 of the blackout $p999 us, stall of the machine ${answer#stall } us"
[ "$batches" -ge 1000 ] || fail "too few for that percentile"
[ "$p999" -le "$limit" ] || fail "that is more than $limit us"
drop t

none_runs()
{
	migctl stats --json | jq -e '.jobs_active == 0' >/dev/null
}

step "nor two jobs together more than the total"
migctl policy set total-rate=$slow_rate
target t -- move 8 0
target u -- move 16 0
watch_rates
migctl migrate "${target_pid[u]}" --from 0 --to 1 --no-block
begin "${target_pid[t]}" --from 0 --to 1
went t 1
until_true "the end of the other" none_runs
rates_seen
intact u 1
held $((target_pages[t] + target_pages[u])) $slow_rate
migctl policy set total-rate=none
