#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A Redis whose client checks every answer: none is wrong, and the values that nobody
# writes stay what they were.
#
# machines: amd64
# timeout: 300
set -eu -o pipefail
. fault/others/compare.sh

mib=24
socket=$dir/socket
check=load/redis-check
of_it=(--socket "$socket" --mib "$mib")

serve
step "a Redis with $mib MiB"
# jemalloc keeps what Redis frees: new pages would be on node 0, whoever moves the old
MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1 "${patient[@]}" redis-server --port 0 --save '' \
	--appendonly no --daemonize no --unixsocket "$socket" --dir "$dir" >"$dir/redis.log" &
redis=$!
children+=("$redis")
until_true "Redis to answer" redis-cli -s "$socket" ping
$check fill "${of_it[@]}" >/dev/null 2>"$dir/err" || fail "redis-check fill"

digest()
{
	$check dump "${of_it[@]}" | sha256sum
}
before=$(digest)
# calls COMMAND: how many of them Redis has served
calls()
{
	redis-cli -s "$socket" info commandstats | sed -n "s/^cmdstat_$1:calls=\([0-9]*\),.*/\1/p"
}
gets=$(calls get) sets=$(calls set)

step "its client begins"
mkfifo "$dir/control"
$check run "${of_it[@]}" --rate 50 <"$dir/control" >"$dir/load" 2>"$dir/load.err" &
client=$!
children+=("$client")
# to read, too: no broken pipe when the client has ended
exec {control}<>"$dir/control"
tell_phase()
{
	echo "phase $1" >&"$control"
}
processes()
{
	echo "$redis"
}
# busy: the client has read and written since, or it has ended
busy()
{
	! kill -0 "$client" || { [ "$(calls get)" -gt "$gets" ] && [ "$(calls set)" -gt "$sets" ]; }
}
healthy()
{
	until_true "the client to read and write" busy
	kill -0 "$client" || fail "the client has ended: $(cat "$dir/load.err")"
	gets=$(calls get) sets=$(calls set)
}
healthy
compare

step "its answers"
echo quit >&"$control"
wait "$client" || fail "the client fails: $(cat "$dir/load.err")"
read -r reads writes wrong errors < <(jq -r '"\(.reads) \(.writes) \(.wrong) \(.errors)"' "$dir/load")
equal "$wrong" 0 "the number of wrong answers"
equal "$errors" 0 "the number of errors"
proved "$reads reads and $writes writes, no wrong answer"
tell_phase()
{
	:
}
judge
equal "$(digest)" "$before" "the digest of what nobody writes"
proved "SHA-256 of what nobody writes is what it was"
jq .phases "$dir/load" >"$dir/latencies.json"
report "Redis" "a read or write of a value of 2 to 6 KiB, from its scheduled start"
