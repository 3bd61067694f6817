#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# There and back by migctl, with every kind of engine, in both orders.
#
# machines: amd64 amd64-iommu arm64
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

serve
# a machine that stands still for the default's half a second is no failure here
expect 0 '' migctl policy set deadline=5s
target t -- move 8 0
pid=${target_pid[t]}
intact t 0

engines()
{
	migctl engines --json
}

# copied FILTER: pages that the engines of this filter copied for the last job
copied()
{
	jq -s "(.[1] | map(select($1).pages) | add) - (.[0] | map(select($1).pages) | add)" \
		"$dir/before" "$dir/after"
}

# move FROM TO ENGINE ORDER FILTER: all is moved, by these engines and no other
move()
{
	local moved

	expect 0 '' migctl migrate "$pid" --from "$1" --to "$2" --engine "$3" --order "$4" --json
	cp "$dir/out" "$dir/job"
	jq -e --arg engine "$3" --arg order "$4" --argjson pid "$pid" \
		--argjson from "$1" --argjson to "$2" \
		'.state == "done" and .outcome == "moved" and .engine == $engine and
		.order == $order and .pid == $pid and .comm == "target" and
		.from == $from and .to == $to and .bytes == .moved * 4096 and
		.total == .moved + ([.left[]] | add // 0) and .passes > 0 and
		.batches > 0 and .rescued == 0 and .blackout.count > 0 and
		.blackout.p50_ns <= .blackout.p99_ns and
		.blackout.p99_ns <= .blackout.max_ns and
		.submitted_usec > 0 and .elapsed_usec > 0' "$dir/job" >/dev/null ||
		fail "the job is not what it should be: $(cat "$dir/job")"
	moved=$(jq .moved "$dir/job")
	[ "$moved" -ge "${target_pages[t]}" ] || fail "only $moved pages were moved"
	intact t "$2"
	engines >"$dir/after"
	equal "$(copied true)" "$moved" "the number of pages copied by all engines"
	equal "$(copied "$5")" "$moved" "the number of pages copied by $3"
	mv "$dir/after" "$dir/before"
}

engines >"$dir/before"
channel=$(jq -r 'map(select(.name != "cpu").name) | first' "$dir/before")
from=0
# in the second order each engine goes the other way
while read -r order engine filter; do
	step "$order, $engine, from node $from"
	move $from $((1 - from)) "$engine" "$order" "$filter"
	from=$((1 - from))
done <<-EOT
	copy-first cpu .name == "cpu"
	copy-first dma .name != "cpu"
	copy-first auto true
	copy-first $channel .name == "$channel"
	state-first dma .name != "cpu"
	state-first cpu .name == "cpu"
	state-first $channel .name == "$channel"
	state-first auto true
EOT
equal "$(jq '[.[] | select(.name != "cpu" and .pages == 0)] | length' "$dir/before")" 0 \
	"the number of channels that copied nothing"
equal "$(jq 'map(.errors + .in_flight + .quarantined) | add' "$dir/before")" 0 \
	"the number of errors, COPYs in flight and pages in quarantine"

step "what is there already is not moved again"
expect 0 '' migctl migrate "$pid" --from 1 --to 0 --json
equal "$(jq -r '"\(.outcome) \(.moved)"' "$dir/out")" "moved 0" "outcome and pages"

step "from every other node, in words"
# of a job that has not ended before anybody hears of it
expect 0 '' migctl migrate "$pid" --to 1 --max-rate 4Mi
grep -qE "^job [0-9]+: moving process $pid \(target\) from every other node to node 1, copy-first, engine auto$" \
	"$dir/out" || fail "the first line does not name the job"
grep -qE '^job [0-9]+: [0-9]+%, [0-9]+ of [0-9]+ pages' "$dir/out" || fail "there is no progress"
grep -qE '^job [0-9]+ moved: ' "$dir/out" || fail "there is no summary"
grep -qE '^  moved    [0-9]+ of [0-9]+ pages' "$dir/out" || fail "it does not say how much"
intact t 1
expect 0 '' migctl migrate "$pid" --to 0 --quiet
[ ! -s "$dir/out" ] || fail "--quiet prints something"
intact t 0

step "a range, and small batches"
start=${target_start[t]}
end=$(printf %x $((0x$start + 64 * 4096)))
expect 0 '' migctl migrate "$pid" --from 0 --to 1 --range "$start-$end" --batch-pages 10 --json
# one that is busy for a moment is in a batch of its own
jq -e '.moved == 64 and .batches >= 7' "$dir/out" >/dev/null ||
	fail "these are not 64 pages in batches of 10: $(cat "$dir/out")"
equal "$(pages_on t 1)" 64 "the number of pages on node 1"

step "the bar, on a terminal"
# as slow as that one
script -qec "stty cols 100; TERM=xterm migctl migrate $pid --from 0 --to 1 --max-rate 4Mi" /dev/null \
	>"$dir/out" </dev/null || fail "migctl on a terminal fails"
grep -qE 'job [0-9]+ \[#+\.*\] +[0-9]+%  [0-9]+/[0-9]+ pages' "$dir/out" || fail "there is no bar"
intact t 1

step "counters"
expect 0 '' migctl stats --json
jq -e '.moved > 0 and .late == 0 and .rescued_deadline == 0 and .rescued_server == 0 and
	.locked_pages == 0 and .quarantined_pages == 0 and .jobs_active == 0' "$dir/out" \
	>/dev/null || fail "the counters are not what they should be"
expect 0 '' migctl stats
expect 0 '' migctl jobs
equal "$(wc -l <"$dir/out")" $(($(migctl jobs --json | jq length) + 1)) "the lines of migctl jobs"
for verb in status migrate jobs cancel engines stats policy monitor; do
	expect 0 '' migctl $verb --help
	grep -q "^Usage: migctl $verb" "$dir/out" || fail "migctl $verb --help does not help"
done
