#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Several processes as one group: a unit whose processes share memory, what they
# fork meanwhile, a slice, a cgroup, a list; processes that die or may not move,
# cancel, a daemon that is killed; a unit that is bound to where it has moved, and
# what somebody takes back.
#
# machines: amd64 arm64
# timeout: 300
set -eu -o pipefail
. bus/lib.sh

target_program=$PWD/bus/family

# family NAME SHARED PRIVATE CHILDREN [OPTION...]: as NAME.service, on node 0
family()
{
	target "$1" systemd-run --quiet --pipe --collect --unit="$1.service" "${@:5}" -- \
		"$2" "$3" "$4" 0
}

# on_node NODE CGROUP: pages there of what is shared, and of what each child has;
# those of stacks and the like are copied at forks, to where the process runs
on_node()
{
	local procs pids

	mapfile -t procs < <(find "/sys/fs/cgroup/$2" -name cgroup.procs)
	mapfile -t pids < <(cat "${procs[@]}")
	pids=("${pids[@]/#//proc/}")
	awk -v key="N$1=" '/file=\/memfd:/ || (/ anon=[0-9][0-9][0-9]/ && !/file=/) {
			for (i = 2; i <= NF; i++)
				if (index($i, key) == 1)
					n += substr($i, length(key) + 1)
		}
		END { print n + 0 }' "${pids[@]/%//numa_maps}"
}

# group ARGUMENT...: the move ends well; $dir/group.json
group()
{
	expect 0 '' migctl migrate --from 0 --to 1 --json "$@"
	cp "$dir/out" "$dir/group.json"
	of_group 'select(.state != "done" or .outcome != "moved" or .progress != 1000 or
		.total != .moved + ([.left[]] | add // 0)) | halt_error' >"$dir/why" 2>&1 ||
		fail "the group is not what it should be: $(cat "$dir/why")"
}

of_group()
{
	jq -r "$1" "$dir/group.json"
}

# back CGROUP...: to node 0 again, by the kernel
back()
{
	local pid

	while read -r pid; do
		migratepages "$pid" 1 0
	done < <(cat "${@/%//cgroup.procs}")
}

# begin ARGUMENT...: starts a group and returns when it moves; $group is its id
begin()
{
	mkfifo "$dir/group.out"
	migctl migrate --from 0 --to 1 "$@" >"$dir/group.out" 2>"$dir/group.err" &
	migrate=$!
	children+=("$migrate")
	exec {group_out}<"$dir/group.out"
	rm "$dir/group.out"
	group_said=
	group_says ' moving '
	group=${line#group }
	group=${group%%:*}
}

# group_says REGEX
group_says()
{
	while read -r -t "$patience" -u "$group_out" line; do
		group_said+=$line$'\n'
		[[ ! $line =~ $1 ]] || return 0
	done
	cat "$dir/group.err"
	fail "migctl migrate does not say '$1' but: $group_said"
}

# finish: waits for it; $status, and $dir/group.json
finish()
{
	while read -r -t "$patience" -u "$group_out" line; do
		group_said+=$line$'\n'
	done
	status=0
	wait "$migrate" || status=$?
	close "$group_out"
	expect 0 '' migctl groups "$group" --json
	cp "$dir/out" "$dir/group.json"
}

# well NAME PROCESSES: nobody's memory has changed
well()
{
	ask "$1" check
	equal "$answer" "wrong 0 of $2" "what the processes of $1 say of their memory"
}

# takes NAME NODE: what its first process takes now is there
takes()
{
	ask "$1" "more 1"
	[[ $answer =~ ^took\ ([0-9a-f]+)$ ]] || fail "$1 answers '$answer'"
	grep -q "^${BASH_REMATCH[1]} .* anon=256 .*N$2=256 " "/proc/${target_pid[$1]}/numa_maps" ||
		fail "not on node $2: $(grep "^${BASH_REMATCH[1]} " "/proc/${target_pid[$1]}/numa_maps")"
}

moves()
{
	migctl groups "$group" --json | jq -e '.moved > 0'
}

# it takes a minute: whatever is done to it comes before its end
slow=(--max-rate 256Ki --batch-pages 16)

serve
# a machine that stands still for the default's half a second is no failure here
expect 0 '' migctl policy set deadline=5s

step "a unit: all that its processes have, and what they share once"
family a 8 1 3
unit=/sys/fs/cgroup/system.slice/a.service
group -u a
equal "$(on_node 0 system.slice/a.service)" 0 "the number of pages that stayed"
well a 4
equal "$(of_group '"\(.kind) \(.target) \(.processes) \(.visited)"')" "unit a.service 4 4" \
	"kind, target, processes and visited"
moved=$(of_group .moved)
least=$((2048 + 3 * 256))
if [ "$moved" -lt $least ] || [ "$moved" -ge $((least + 1536)) ]; then
	fail "$moved pages moved, of $least and what else four processes have"
fi
equal "$(of_group '[.members[] | select(.state == "done" and .job > 0)] | length')" 4 \
	"the number of processes that had a job"

step "again: there is nothing left"
group -u a.service
[ "$(of_group .moved)" -lt 64 ] || fail "$(of_group .moved) pages moved a second time"

step "what is forked meanwhile is moved, too"
back $unit
begin -u a --max-rate 3Mi
ask a "fork 5"
finish
equal $status 0 "the exit code"
equal "$(of_group .outcome)" moved "the outcome"
[ "$(of_group .processes)" = 9 ] || fail "$(of_group .processes) processes, not 9"
equal "$(on_node 0 system.slice/a.service)" 0 "the number of pages that stayed"
well a 9

step "one dies meanwhile"
back $unit
begin -u a --max-rate 4Mi
ask a kill
finish
equal $status 0 "the exit code"
equal "$(of_group .left_out.exited)" 1 "the number of processes that exited"
equal "$(on_node 0 system.slice/a.service)" 0 "the number of pages that stayed"
well a 8

step "the daemon is killed in the middle: the next one goes on"
back $unit
daemon=$(systemctl show -P MainPID migd.service)
begin -u a --max-rate 2Mi
# at once: systemctl takes longer on a slow machine than the group
kill -KILL "$daemon"
finish
equal $status 0 "the exit code"
equal "$(grep -c "the daemon has gone, group $group goes on" "$dir/group.err")" 1 \
	"how often migctl says that the daemon has gone"
[ "$(systemctl show -P MainPID migd.service)" != "$daemon" ] || fail "it was not killed"
equal "$(of_group '"\(.outcome) \(.processes)"')" "moved 8" "the outcome, and processes"
equal "$(on_node 0 system.slice/a.service)" 0 "the number of pages that stayed"
well a 8
[ "$(of_group '.total - .moved - ([.left[]] | add // 0)')" = 0 ] ||
	fail "the group does not add up: $(cat "$dir/group.json")"

step "cancelled"
back $unit
begin -u a "${slow[@]}"
until_true "pages to move" moves
expect 4 'user 65534 may not cancel groups' runuser -u nobody -- migctl groups cancel "$group"
expect 0 '' migctl groups cancel "$group"
finish
equal $status 130 "the exit code"
equal "$(of_group .outcome)" cancelled "the outcome"
[ "$(of_group .left_out.unvisited)" -gt 0 ] || fail "every process was visited"
expect 1 "group $group has ended already" migctl groups cancel "$group"
well a 8

step "the daemon is stopped and started: it has no groups, and migctl says so"
begin -u a "${slow[@]}"
until_true "pages to move" moves
systemctl stop migd.service
systemctl start migd.service
while read -r -t "$patience" -u "$group_out" line; do
	:
done
status=0
wait "$migrate" || status=$?
close "$group_out"
equal $status 3 "the exit code"
grep -q "does not know group $group" "$dir/group.err" || fail "migctl says: $(cat "$dir/group.err")"
job=$(migctl jobs --json | jq 'map(select(.state != "done").id) | first // empty')
[ ! "$job" ] || migctl cancel "$job"

step "a slice with two services, one of which may not go"
drop a
family b 1 1 1 --slice=pair.slice
family c 1 1 1 --slice=pair.slice -p AllowedMemoryNodes=0
expect 3 '' migctl migrate -u pair.slice --from 0 --to 1 --json
cp "$dir/out" "$dir/group.json"
equal "$(of_group '"\(.outcome) \(.left_out.forbidden) \(.processes)"')" "partly 2 4" \
	"outcome, processes forbidden and all"
[[ $(of_group .why) =~ "allows it nodes 0 only" ]] || fail "why is '$(of_group .why)'"
equal "$(on_node 0 pair.slice/b.service)" 0 "the number of pages of b that stayed"
[ "$(on_node 0 pair.slice/c.service)" -ge 512 ] || fail "c has moved"
expect 1 'no process of c.service can be moved: .*nodes 0 only' \
	migctl migrate -u c --from 0 --to 1
well b 2
well c 2

step "a cgroup, and a list, with what it forks"
systemctl set-property --runtime c.service AllowedMemoryNodes=0-1
back /sys/fs/cgroup/pair.slice/{b,c}.service
group --cgroup /pair.slice
equal "$(of_group '"\(.kind) \(.target) \(.processes)"')" "cgroup /pair.slice 4" \
	"kind, target and processes"
equal "$(on_node 0 pair.slice)" 0 "the number of pages that stayed"
back /sys/fs/cgroup/pair.slice/{b,c}.service
mapfile -t pids < <(cat /sys/fs/cgroup/pair.slice/{b,c}.service/cgroup.procs)
begin "${pids[@]}" --max-rate 1Mi
ask b "fork 2"
finish
equal $status 0 "the exit code"
equal "$(of_group '"\(.kind) \(.processes)"')" "processes 6" "kind and processes"
equal "$(on_node 0 pair.slice)" 0 "the number of pages that stayed"
well b 4
well c 2

step "bound to where it has moved, and counted again"
cpu=$(sed 's/[-,].*//' /sys/devices/system/node/node0/cpulist)
family d 1 1 1 -p CPUAffinity="$cpu"
unit=/sys/fs/cgroup/system.slice/d.service
takes d 0
group -u d --bind --recount 200ms
equal "$(of_group '"\(.bound.unit) \(.bound.node)"')" "d.service 1" "what was bound"
undo=$(of_group .bound.undo)
equal "$(of_group '"\(.recount.back) \(.recount.causes)"')" "0 []" "what is back, and why"
equal "$(cat $unit/cpuset.mems)" 1 "cpuset.mems of the unit"
takes d 1
well d 2
expect 1 'no process of d.service can be moved: .*nodes 1 only' \
	migctl migrate -u d --from 1 --to 0

step "no more bound; what somebody takes back is found"
eval "$undo"
back $unit
takes d 0
begin -u d --recount 600s
group_says 'interrupt to count at once'
back $unit
kill -TERM "$migrate"
finish
equal $status 3 "the exit code"
[[ $group_said =~ after\ [^:]*:\ ([0-9]+)\ of\ ([0-9]+)\ moved\ pages\ are\ back\ on\ node\ 0 ]] ||
	fail "no count of what is back: $group_said"
taken=${BASH_REMATCH[1]}
# at least most of what is shared, of the child, and of what the first has taken
if [ "$taken" -lt $((4 * 256)) ] || [ "$taken" -gt "${BASH_REMATCH[2]}" ]; then
	fail "$taken of ${BASH_REMATCH[2]} pages are said to be back"
fi
grep -q 'find out who calls migrate_pages(2)' "$dir/group.err" ||
	fail "migctl does not say why: $(cat "$dir/group.err")"
well d 2
drop d

step "a dry run: who is there, and with what"
expect 0 '' migctl migrate -u pair.slice --from 1 --to 0 --dry-run --json
jq -e 'length == 6 and all(.[]; .moves and .shared == 256) and
	([.[] | select(.own >= 256)] | length == 4)' "$dir/out" >/dev/null ||
	fail "the dry run says: $(cat "$dir/out")"
expect 1 'none of [0-9]+ processes can be moved' migctl migrate -u migd --to 1 --dry-run
grep -q "is migd's own" "$dir/out" || fail "the daemon is not told of: $(cat "$dir/out")"

step "what is refused"
before=$(migctl stats --json | jq -c '[.jobs, .moved]')
expect 1 'no unit nobody-knows.service loaded' migctl migrate -u nobody-knows --to 1
expect 2 'no service, scope or slice' migctl migrate -u dbus.socket --to 1
expect 1 'unit systemd-tmpfiles-setup.service has no process' \
	migctl migrate -u systemd-tmpfiles-setup --to 1
expect 2 'migd.service is the daemon itself' migctl migrate -u migd --to 1
expect 1 'no cgroup /nowhere' migctl migrate --cgroup /nowhere --to 1
expect 2 "is no path of a cgroup" migctl migrate --cgroup /sys/fs/cgroup/../../../proc --to 1
expect 1 'no node 9' migctl migrate -u b --to 9
expect 1 'node 2 has no memory' migctl migrate --cgroup /pair.slice --to 2
expect 4 'user 65534 may not move' runuser -u nobody -- migctl migrate -u b --to 1
expect 1 'no process 999999' migctl migrate "${pids[0]}" 999999 --to 1
expect 1 'ranges are addresses of one process' \
	call MigrateUnit 'siia{sv}' b.service 0 1 1 ranges 'a(tt)' 1 4096 8192
equal "$(migctl stats --json | jq -c '[.jobs, .moved]')" "$before" "jobs and moved pages"

step "what is there, over D-Bus"
expect 0 '' migctl groups
expect 0 '' call ListGroups
expect 0 '' busctl get-property org.migd1 "/org/migd1/group/$group" org.migd1.Group \
	Jobs LeftOut Processes
