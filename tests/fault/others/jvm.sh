#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A Java virtual machine whose heap is huge pages arrives whole: collector, compiler
# and program work on meanwhile, and the sums of the program's bytes are right.
#
# machines: amd64
# timeout: 180
set -eu -o pipefail
. bus/jobs.sh

serve
step "a Java program begins"
mkfifo "$dir/in" "$dir/java"
nice -n 5 java -Xms48m -Xmx48m -XX:+UseSerialGC -XX:+AlwaysPreTouch -XX:+UseTransparentHugePages \
	-XX:TieredStopAtLevel=1 -cp /usr/share/java Heap 12 <"$dir/in" >"$dir/java" 2>"$dir/java.err" &
java=$!
children+=("$java")
exec {java_in}>"$dir/in" {java_out}<"$dir/java"
read -r -t 120 -u "$java_out" word pid || fail "java does not start: $(cat "$dir/java.err")"
step "$word $pid"

huge()
{
	awk '/^AnonHugePages:/ { print $2 }' "/proc/$pid/smaps_rollup"
}

# sums_right: the program has come round since, and has seen no wrong sum
sums_right()
{
	echo >&"$java_in"
	read -r -t 120 -u "$java_out" answer || fail "java does not answer: $(cat "$dir/java.err")"
	[[ $answer =~ ^rounds\ [1-9][0-9]*\ wrong\ 0$ ]] || fail "the program says '$answer'"
	step "$answer"
}

migctl migrate "$pid" --to 0 --quiet || true
sums_right
before=$(huge)
[ "$before" -ge $((48 * 1024)) ] || fail "only $before kB of Java's heap are huge"
for to in 1 0; do
	status=0
	migctl migrate "$pid" --from $((1 - to)) --to $to --json >"$dir/job.json" || status=$?
	of_job '"        \(.outcome): \(.moved) of \(.total) moved, \(.routed) in large folios, left \(.left)"'
	[ "$(of_job .routed)" -ge $((before / 4)) ] || fail "not all huge pages have gone whole"
	after=$(huge)
	[ "$after" -ge "$before" ] || fail "AnonHugePages were $before kB and are $after kB"
	sums_right
done
