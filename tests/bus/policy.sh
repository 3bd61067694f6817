#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The policy is read, set, obeyed and kept; jobs that ended are kept up to a cap.
#
# machines: amd64 amd64-iommu arm64
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

serve
target t -- move 1 0
pid=${target_pid[t]}

policy()
{
	busctl get-property org.migd1 /org/migd1 org.migd1.Policy "$1"
}

nothing_runs()
{
	migctl stats --json | jq -e '.jobs_active == 0' >/dev/null
}

step "defaults"
expect 0 '' migctl policy
equal "$(tr '\n' ' ' <"$dir/out")" \
	'default-engine=auto deadline=500000us batch-pages=512 max-rate=none total-rate=none nice=0 jobs-per-user=8 pressure=200000us ' "the policy"
equal "$(policy DefaultEngine)" 's "auto"' DefaultEngine

step "set, told, obeyed"
busctl monitor --json=short --match="path='/org/migd1',member='PropertiesChanged'" \
	>"$dir/signals" 2>"$dir/signals.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring bus' "$dir/signals.err"
expect 0 '' migctl policy set default-engine=cpu deadline=300ms batch-pages=64 max-rate=64Mi
busctl set-property org.migd1 /org/migd1 org.migd1.Policy MaxRate t 33554432
until_true "PropertiesChanged of MaxRate" grep -q '"MaxRate":{"type":"t","data":33554432}' \
	"$dir/signals"
until_true "PropertiesChanged of DefaultEngine" \
	grep -q '"DefaultEngine":{"type":"s","data":"cpu"}' "$dir/signals"
expect 0 '' migctl migrate "$pid" --from 0 --to 1 --json
jq -e '.engine == "cpu" and .batch_pages == 64 and .deadline_usec == 300000 and
	.max_rate == 33554432 and .batches >= 4' "$dir/out" >/dev/null ||
	fail "the job does not obey the policy: $(cat "$dir/out")"
expect 0 '' migctl migrate "$pid" --from 1 --to 0 --engine dma --max-rate none --json
jq -e '.engine == "dma" and .batch_pages == 64 and .max_rate == 0' "$dir/out" >/dev/null ||
	fail "the job does not obey its options"

step "kept over a restart"
systemctl restart migd.service
expect 0 '' migctl policy
equal "$(tr '\n' ' ' <"$dir/out")" \
	'default-engine=cpu deadline=300000us batch-pages=64 max-rate=33554432 total-rate=none nice=0 jobs-per-user=8 pressure=200000us ' "the policy"
equal "$(stat -c %U /var/lib/migd/policy.conf)" migd "the owner of policy.conf"
# what is printed is what set takes
mapfile -t words <"$dir/out"
expect 0 '' migctl policy set "${words[@]}"

step "all jobs together, also those that run"
# share JOB ASKED HAS: bytes per second
share()
{
	migctl jobs "$1" --json | jq -e ".max_rate == $2 and .share == $3" >/dev/null
}
# begin TARGET RATE: its id in $job
begin()
{
	target "$1" -- move 8 0
	migctl migrate "${target_pid[$1]}" --from 0 --to 1 --batch-pages 16 --max-rate "$2" \
		--no-block >"$dir/out"
	job=$(migctl jobs --json | jq 'last.id')
}
migctl policy set total-rate=128Ki
begin a none
first=$job
share "$first" 0 131072 || fail "the first has not all of it: $(migctl jobs "$first" --json)"
begin b 32Ki
second=$job
share "$first" 0 98304 || fail "the first does not make room: $(migctl jobs "$first" --json)"
share "$second" 32768 32768 || fail "the second has not what it asks for"
migctl pause "$first"
migctl set "$second" --max-rate none
share "$second" 0 131072 || fail "the second has not what the first leaves"
kill -KILL "$(systemctl show -P MainPID migd.service)"
until_true "the next daemon to know what was asked for" share "$second" 0 131072
migctl resume "$first"
share "$second" 0 65536 || fail "the second does not make room"
share "$first" 0 65536 || fail "the first has no share"
migctl cancel "$second"
until_true "the first to have all of it again" share "$first" 0 131072
migctl policy set total-rate=none
share "$first" 0 0 || fail "the first is kept to a share of nothing"
until_true "the first to end" nothing_runs

step "jobs that ended are kept up to KeepFinishedJobs=, and the newest"
conf=/etc/migd/migd.conf
cp $conf "$dir/migd.conf"
sed -i 's/^#KeepFinishedJobs=.*/KeepFinishedJobs=3/' $conf
systemctl reload migd.service
for to in 1 0 1 0 1; do
	expect 0 '' migctl migrate "$pid" --to $to --max-rate none --json
	last=$(jq .id "$dir/out")
done
cp "$dir/migd.conf" $conf
equal "$(migctl jobs --json | jq -c 'map(.id)')" "[$((last - 2)),$((last - 1)),$last]" \
	"the jobs that are kept"
expect 1 "no job $((last - 3))" migctl jobs $((last - 3))
busctl tree --list org.migd1 >"$dir/tree"
equal "$(grep -c '^/org/migd1/job/' "$dir/tree")" 3 "the number of jobs in the tree"
systemctl reload migd.service
