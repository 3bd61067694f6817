#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Large folios arrive whole, under the same job: transparent huge pages, mTHP
# and hugetlb, with the job's rate and its cancel, and across a dead daemon.
#
# machines: amd64 arm64
# timeout: 180
set -eu -o pipefail
. bus/jobs.sh

thp=/sys/kernel/mm/transparent_hugepage
hugetlb=hugepages/hugepages-2048kB
mib=16

# huge NAME: kB of its memory that are mapped by huge PMDs
huge()
{
	awk '/^AnonHugePages:/ { print $2 }' "/proc/${target_pid[$1]}/smaps_rollup"
}

# move NAME FROM TO ARGUMENT...: all of it arrives
move()
{
	local name=$1 from=$2 to=$3

	shift 3
	expect 0 '' migctl migrate "${target_pid[$name]}" --from "$from" --to "$to" --json "$@"
	cp "$dir/out" "$dir/job.json"
	equal "$(of_job .outcome)" moved "the outcome"
	accounted
	[ "$(of_job .routed)" -ge "${target_pages[$name]}" ] ||
		fail "only $(of_job .routed) pages went in large folios"
}

undo()
{
	echo always >$thp/enabled
	echo inherit >$thp/hugepages-2048kB/enabled
	echo never >$thp/hugepages-64kB/enabled
	echo 0 >/sys/devices/system/node/node0/$hugetlb/nr_hugepages
	echo 0 >/sys/devices/system/node/node1/$hugetlb/nr_hugepages
}

serve
grep -q '\[always\]' $thp/enabled || step "THP was not always: now it is, Debian's default"
undo

step "transparent huge pages, there and back, under a writer"
target t -- large $mib 0
before=$(huge t)
[ "$before" -ge $((mib * 1024)) ] || fail "only $before kB of the target are huge"
ask t write
move t 0 1
equal "$(pages_on t 1)" "${target_pages[t]}" "the number of pages on node 1"
equal "$(huge t)" "$before" "AnonHugePages after the job"
move t 1 0 --order state-first
equal "$(huge t)" "$before" "AnonHugePages after both jobs"
grep -q whole <(migctl jobs "$(of_job .id)") || fail "migctl does not tell how they went"

step "left where they are when asked for"
leaves t huge $((before / 4))
migctl migrate "${target_pid[t]}" --from 1 --to 0 --quiet

step "at the job's rate, and cancelled"
begin "${target_pid[t]}" --from 0 --to 1 --max-rate 2Mi
until_true "the job to come to the large folios" \
	sh -c "migctl jobs $job --json | jq -e '.state == \"routing\" and .routed > 0'"
migctl cancel "$job"
finish
equal "$status" 130 "the exit code"
accounted
[ "$(of_job .routed)" -lt "${target_pages[t]}" ] || fail "cancelled, and yet all was moved"
equal "$(huge t)" "$before" "AnonHugePages after a cancelled job"

step "the daemon dies over them: the next one goes on"
migctl migrate "${target_pid[t]}" --to 0 --quiet
begin "${target_pid[t]}" --from 0 --to 1 --max-rate 2Mi
until_true "the job to come to the large folios" \
	sh -c "migctl jobs $job --json | jq -e '.state == \"routing\" and .routed > 0'"
kill -KILL "$(systemctl show -P MainPID migd.service)"
finish
equal "$status" 0 "the exit code"
equal "$(of_job .outcome)" moved "the outcome"
accounted
equal "$(pages_on t 1)" "${target_pages[t]}" "the number of pages on node 1"
equal "$(huge t)" "$before" "AnonHugePages"
[ "$(of_job '.elapsed_usec / 1000000 | floor')" -ge 1 ] || fail "it did not keep to its rate"
ask t stall
read -r _ _ _ wrong _ <<<"$answer"
equal "$wrong" 0 "the number of wrong words"
drop t

step "mTHP"
if [ -e $thp/hugepages-64kB/stats/nr_anon ]; then
	echo never >$thp/hugepages-2048kB/enabled
	echo madvise >$thp/hugepages-64kB/enabled
	target m -- large $mib 0
	before=$(cat $thp/hugepages-64kB/stats/nr_anon)
	[ "$before" -ge $((mib * 16)) ] || fail "there are only $before folios of 64 kB"
	move m 0 1
	intact m 1
	equal "$(cat $thp/hugepages-64kB/stats/nr_anon)" "$before" "the number of 64 kB folios"
	drop m
else
	fail "this kernel has no mTHP of 64 kB"
fi
undo

step "hugetlb, also to a node that has none free"
echo 4 >/sys/devices/system/node/node0/$hugetlb/nr_hugepages
target h -- hugetlb 8 0
for to in 1 0; do
	move h $((1 - to)) $to
	ask h check
	equal "$answer" "wrong 0" "what the target says of its memory"
	grep -q "^${target_start[h]} .* N$to=4 kernelpagesize_kB=2048" \
		"/proc/${target_pid[h]}/numa_maps" || fail "not all hugetlb pages are on node $to"
done
drop h
undo

step "a Redis with THP, Debian's default, arrives whole"
redis-server --port 0 --unixsocket "$dir/redis" --save '' --disable-thp no --daemonize no \
	>"$dir/redis.log" &
target_pid[r]=$!
until_true "redis to answer" redis-cli -s "$dir/redis" ping
redis-cli -s "$dir/redis" eval \
	"for i = 1, 40000 do redis.call('set', i, string.rep(i, 100)) end" 0 >/dev/null
digest=$(redis-cli -s "$dir/redis" debug digest)
migctl migrate "${target_pid[r]}" --to 0 --quiet || true
before=$(huge r)
[ "$before" -ge 8192 ] || fail "Redis has only $before kB of huge pages"
status=0
migctl migrate "${target_pid[r]}" --from 0 --to 1 --json >"$dir/job.json" || status=$?
of_job '"        \(.moved) pages moved, \(.routed) in large folios; left \(.left)"'
equal $status 0 "the exit code"
# no account to the page: Redis gives memory back meanwhile
# it may get more of them meanwhile
after=$(huge r)
[ "$after" -ge "$before" ] || fail "AnonHugePages of Redis were $before kB and are $after kB"
equal "$(redis-cli -s "$dir/redis" debug digest)" "$digest" "the digest of Redis' data"
