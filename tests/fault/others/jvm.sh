#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A Java virtual machine whose heap is huge pages arrives whole: collector, compiler
# and program work on meanwhile, and the sums of the program's bytes are right.
#
# machines: amd64
# timeout: 300
set -eu -o pipefail
. bus/jobs.sh
. fault/others/compare.sh

serve
step "a Java program begins"
mkfifo "$dir/in" "$dir/java"
"${patient[@]}" java -Xms48m -Xmx48m -XX:+UseSerialGC -XX:+AlwaysPreTouch \
	-XX:+UseTransparentHugePages -XX:TieredStopAtLevel=1 -cp /usr/share/java \
	Heap 4 50 "$dir/requests" <"$dir/in" >"$dir/java" 2>"$dir/java.err" &
java=$!
children+=("$java")
exec {java_in}>"$dir/in" {java_out}<"$dir/java"
# said REGEX: what it answers
said()
{
	read -r -t $patience -u "$java_out" answer || fail "java does not answer: $(cat "$dir/java.err")"
	[[ $answer =~ ^$1$ ]] || fail "the program says '$answer'"
}
said 'ready [0-9]+'
pid=${answer#ready }
step "$answer"

huge()
{
	awk '/^AnonHugePages:/ { print $2 }' "/proc/$pid/smaps_rollup"
}

processes()
{
	echo "$pid"
}

# healthy [MOVER]: the program has checked all of its heap since, and has seen no wrong
# sum; migd leaves no huge page behind and splits none
before=0
healthy()
{
	local after

	echo >&"$java_in"
	said 'requests [1-9][0-9]* wrong 0'
	after=$(huge)
	echo "        $answer, $after kB in huge pages"
	if [ "$*" = migd ]; then
		[ "$after" -ge "$before" ] || fail "AnonHugePages were $before kB and are $after kB"
		[ "$(of_job .routed)" -ge $((before / 4)) ] ||
			fail "not all huge pages have gone whole"
	fi
	# what migrate_pages(2) has split is no longer asked for
	before=$((after < before ? after : before))
}

migctl migrate "$pid" --to 0 --quiet || true
healthy
before=$(huge)
[ "$before" -ge $((48 * 1024)) ] || fail "only $before kB of Java's heap are huge"
compare
proved "migd has moved its huge pages whole"
judge
healthy
read -r _ n _ <<<"$answer"
proved "$n blocks of the heap were checked, no sum is wrong"
# the last line may be half written
head -n -1 "$dir/requests" >"$dir/times"
report "Java" "a request that checks 64 KiB and writes them anew, from its scheduled start"
