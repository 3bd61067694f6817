#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who may nothing gets nothing, while a job runs: a user, one who has every
# capability in a user namespace of its own, and root there. Nobody gets writable
# descriptors, a pid that has changed hands, a kernel's address or the content of
# a page.
#
# machines: amd64 amd64-debug
# timeout: 300
set -eu -o pipefail
. bus/lib.sh

marker=content-of-a-page-$RANDOM$RANDOM

# scan_text FILE...: no marker and no address, in hex or decimal
scan_text()
{
	! grep -anE "$marker|(^|[^0-9a-fA-F])(0x)?[fF]{4}[0-9a-fA-F]{12}([^0-9a-fA-F]|$)|1844[67][0-9]{15}" "$@"
}

step "the scanners find what is there"
printf 'x %s y\n' "$marker" >"$dir/text"
! scan_text "$dir/text" >/dev/null || fail "the marker is not found"
for address in ffff888012345678 0xffffffffc0de1234 18446612682702848000; do
	echo "at $address." >"$dir/text"
	! scan_text "$dir/text" >/dev/null || fail "$address is not found"
done
echo "job 1844, 0xffff of ffffffff" >"$dir/text"
scan_text "$dir/text" || fail "what is no address is taken for one"
printf '1234\x78\x56\x34\x12\x80\x88\xff\xff' >"$dir/binary"
! fault/insider scan "$marker" "$dir/binary" >/dev/null || fail "no address in binary is found"
printf '1234%s' "$marker" >"$dir/binary"
! fault/insider scan "$marker" "$dir/binary" >/dev/null || fail "no marker in binary is found"
printf '\x08\x00\x05\x00\xff\xff\xff\xff1234' >"$dir/binary"
fault/insider scan "$marker" "$dir/binary" || fail "a node of -1 is taken for an address"

journal_cursor=$(journalctl -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p')
serve
target t -- move 24 0
pid=${target_pid[t]}
daemon=$(systemctl show -P MainPID migd.service)
busctl monitor --json=short >"$dir/bus" 2>"$dir/bus.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring' "$dir/bus.err"

step "pages with a marker are moved, in both orders"
coproc holder { exec fault/insider hold 2 "$marker"; }
holder_pid=$!
children+=("$holder_pid")
read -r -t $patience _ held range <&"${holder[0]}"
expect 0 '' migctl migrate "$held" --from 0 --to 1 --range "$range"
expect 0 '' migctl migrate "$held" --from 1 --to 0 --range "$range" --order state-first
expect 0 '' migctl migrate "$held" --from 0 --to 1 --range "$range" --engine cpu

step "a job that runs meanwhile"
policy=$(migctl policy)
expect 0 '' migctl migrate "$pid" --from 0 --to 1 --max-rate 64Ki --batch-pages 2 --no-block
job=$(grep -oE '[0-9]+' "$dir/out" | head -n 1)
# of_job FILTER: whether jq's filter is true for it
of_job()
{
	migctl jobs "$job" --json | jq -e "$1" >/dev/null
}
until_true "its pages move" of_job '.state == "running" and .moved > 0'
start=$(cut -d ' ' -f 22 "/proc/$pid/stat")

# outsider WORDS COMMAND...: what that user and namespace get
outsider()
{
	local words=$1 probe in out line

	shift
	step "$words: device, family, events, daemon"
	mkfifo "$dir/probe.in" "$dir/probe.out"
	"$@" fault/outsider "$pid" "$start" "$job" "$daemon" <"$dir/probe.in" \
		>"$dir/probe.out" 2>&1 &
	probe=$!
	exec {in}>"$dir/probe.in" {out}<"$dir/probe.out"
	rm "$dir/probe.in" "$dir/probe.out"
	while read -r -t $patience -u "$out" line; do
		echo "        $line"
		[ "$line" != listening ] || break
	done
	[ "$line" = listening ] || fail "$words: the probe has failed"
	# as many as root hears while the other one listens, too
	timeout $patience fault/insider listen 3 || fail "root hears no event"
	close "$in"
	wait "$probe" || fail "$words: $(cat <&"$out")"
	close "$out"
}

nobody=(runuser -u nobody --)
outsider "a user" "${nobody[@]}"
outsider "a user with a user namespace" "${nobody[@]}" unshare -Ur
outsider "a user with a network namespace" "${nobody[@]}" unshare -Urn
outsider "root in a user namespace" unshare -Ur
outsider "root in a network namespace" unshare -Urn

step "sockets that are lent"
fault/insider lent

# denied COMMAND...: of the bus; the sentence depends on who says it
denied()
{
	local status=0

	"$@" >"$dir/out" 2>"$dir/err" || status=$?
	[ $status != 0 ] || fail "'$*' is allowed"
	grep -qE 'may not|denied|not allowed|Permission|AccessDenied' "$dir/err" ||
		fail "'$*' is refused for another reason"
}

root=/org/migd1
for who in "" "unshare -Ur" "unshare -Urn"; do
	# shellcheck disable=SC2206 # words
	as=("${nobody[@]}" $who)
	step "${as[*]}: what changes something on the bus"
	denied "${as[@]}" busctl call -- org.migd1 $root org.migd1.Manager MigrateProcess \
		'uiia{sv}' "$pid" 0 1 0
	denied "${as[@]}" busctl call org.migd1 $root/job/"$job" org.migd1.Job Cancel
	denied "${as[@]}" busctl set-property org.migd1 $root org.migd1.Policy DefaultEngine s cpu
	denied "${as[@]}" busctl set-property org.migd1 $root org.migd1.Policy DeadlineUSec t 1000
	denied "${as[@]}" busctl set-property org.migd1 $root org.migd1.Policy BatchPages t 1
	denied "${as[@]}" busctl set-property org.migd1 $root org.migd1.Policy MaxRate t 1
	denied "${as[@]}" busctl call org.freedesktop.DBus /org/freedesktop/DBus \
		org.freedesktop.DBus RequestName su org.migd1 7
done
# one's own memory, too
setpriv --reuid=nobody --clear-groups sleep 60 &
own=$!
children+=("$own")
denied "${nobody[@]}" busctl call -- org.migd1 $root org.migd1.Manager MigrateProcess \
	'uiia{sv}' "$own" 0 1 0
equal "$(migctl policy)" "$policy" "the policy"
equal "$(systemctl show -P MainPID migd.service)" "$daemon" "the daemon's pid"

step "the job has not noticed"
of_job '.state == "running"' || fail "it does not run any more"
expect 0 '' migctl cancel "$job"
until_true "the end of the job" of_job '.outcome == "cancelled"'

step "a pid that has changed hands"
fault/insider reuse

step "the descriptors of the daemon"
fault/descriptors "$daemon" "$dir/descriptors"
expect 0 '' migctl migrate "$pid" --to 0

step "everything there is to read"
fault/insider netlink "$dir/netlink"
for method in Describe GetStats ListJobs ListEngines; do
	call $method >"$dir/$method"
done
for verb in status jobs engines stats policy; do
	migctl $verb --json >"$dir/$verb.json"
	migctl $verb >"$dir/$verb.txt"
done
journalctl --after-cursor "$journal_cursor" -o export >"$dir/journal"
grep -q migd "$dir/journal" || fail "the journal says nothing of migd"
grep -q MigrateProcess "$dir/bus" || fail "nothing was seen on the bus"
scan_text "$dir"/{journal,bus,Describe,GetStats,ListJobs,ListEngines} "$dir"/*.{json,txt} ||
	fail "a kernel address, or the content of a page"
fault/insider scan "$marker" "$dir/netlink" "$dir/descriptors" ||
	fail "a kernel address, or the content of a page"

step "descriptors of one's own"
systemctl stop migd.service
fault/descriptors 0 /dev/null
eval "exec ${holder[1]}>&-"
wait "$holder_pid" || fail "the pages with the marker have changed"
intact t 0
