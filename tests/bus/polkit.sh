#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Users who are not root, and Debian's polkitd: each moves its own processes only, and
# only while a rule of the administrator allows it; others' processes and the policy by
# rules of their own; what is wrong is told before polkit is asked.
#
# machines: amd64
# timeout: 900
set -eu -o pipefail
. bus/jobs.sh

rules=/etc/polkit-1/rules.d/50-migd-test.rules
mask=/etc/systemd/system/polkit.service

undo()
{
	rm -f "$rules"
	systemctl stop polkit.service ann.service 2>/dev/null
	ln -sf /dev/null "$mask"
	systemctl daemon-reload
	# by force: the shell has yet to wait for their processes, which are about to be killed
	userdel --force ann 2>/dev/null
	userdel --force bob 2>/dev/null
	userdel --force amy 2>/dev/null
	groupdel numa 2>/dev/null
}

as_ann()
{
	runuser -u ann -- "$@"
}

as_bob()
{
	runuser -u bob -- "$@"
}

# permissions USER: as the daemon tells them
permissions()
{
	runuser -u "$1" -- busctl call org.migd1 /org/migd1 org.migd1.Manager GetPermissions
}

# told USER OWN OTHERS POLICY: that is what the user is told
told()
{
	[ "$(permissions "$1")" = "a{ss} 3 \"org.migd1.migrate-own\" \"$2\" \"org.migd1.migrate-others\" \"$3\" \"org.migd1.manage-policy\" \"$4\"" ]
}

# rule LINE...: all that the administrator allows; polkitd reads it when it notices
rule()
{
	printf '%s\n' "$@" >"$dir/rules"
	mv "$dir/rules" "$rules"
}

# allow USER ACTION: a line of a rule
allow()
{
	echo "polkit.addRule(function(action, subject) {
	    if (action.id == \"org.migd1.$2\" && subject.user == \"$1\")
	        return polkit.Result.YES;
	});"
}

# questions: how often polkit has been asked
questions()
{
	grep -c '"member":"CheckAuthorization"' "$dir/questions"
}

# more_than NUMBER
more_than()
{
	[ "$(questions)" -gt "$1" ]
}

# moves WHO NAME FROM TO: the user may move that target
moves()
{
	expect 0 '' "as_$1" migctl migrate "${target_pid[$2]}" --from "$3" --to "$4"
	intact "$2" "$4"
}

# refused WHO NAME REGEX: the user may not, and nothing has moved
refused()
{
	expect 4 "user $(id -u "$1") may not $3" \
		"as_$1" migctl migrate "${target_pid[$2]}" --from 0 --to 1
	intact "$2" 0
}

# permission WHO LEVEL REGEX: what doctor says of it
permission()
{
	local line

	expect 0 '' "as_$1" migctl doctor --json
	line=$(jq -r '.checks[] | select(.check == "permission") |
		"\(.level) \(.text) \(.fix // "")"' "$dir/out")
	grep -qE -e "^$2 user $(id -u "$1") may $3" <<<"$line" || fail "doctor says '$line'"
}

own='move the memory of its own processes'
others='move the memory of processes that are not its own'
several='move several processes at once that are not all its own'
by_rule='run it as root, or have a rule of polkit allow org.migd1.migrate-own, see migd\(8\)'
by_admin='unless an administrator agrees, who cannot be asked from here: run it as root'
password="with an administrator's password"

serve
# a machine that stands still for the default's half a second is no failure here
expect 0 '' migctl policy set deadline=5s
groupadd numa
useradd --groups numa ann
useradd bob
target a as_ann -- move 8 0
target b as_bob -- move 1 0
target r -- move 1 0

step "polkit cannot be started"
equal "$(systemctl is-active polkit.service || true)" inactive "the state of polkit.service"
refused ann a "$own, as polkit, which could allow it, is not there: .*install polkitd"
permission ann warn 'not move memory or set the policy, as polkit, .*as root'

step "started by the first question, it knows of no rule"
systemctl unmask --quiet polkit.service
equal "$(systemctl is-active polkit.service || true)" inactive "the state of polkit.service"
busctl monitor --json=short --match="type='method_call',member='CheckAuthorization'" \
	>"$dir/questions" 2>"$dir/questions.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring bus' "$dir/questions.err"
refused ann a "$own: $by_rule"
equal "$(systemctl is-active polkit.service)" active "the state of polkit.service"
refused ann b "$others $by_admin"
refused ann r "$others $by_admin"
expect 4 "may not $several $by_admin" \
	as_ann migctl migrate "${target_pid[a]}" "${target_pid[b]}" --from 0 --to 1
expect 4 "may not $own: $by_rule" \
	as_ann migctl migrate "${target_pid[a]}" "${target_pid[a]}" --from 0 --to 1
expect 4 "may not set the policy $by_admin" as_ann migctl policy set batch-pages=64
expect 4 "may not claim engines $by_admin" as_ann migctl engines claim dma0chan0
told ann no password password || fail "ann is told: $(permissions ann)"
permission ann warn "move its own processes: no; those of others: $password; set policy and engines: $password run migctl as root, or have a rule of polkit"
expect 0 '' migctl doctor --json
jq -e '.checks[] | select(.check == "permission" and .level == "ok") | .text |
	endswith("processes: yes; those of others: yes; set policy and engines: yes")' \
	"$dir/out" >/dev/null || fail "doctor does not say that root may all"

step "the rule of migd(8): a group may move what is its own"
# shellcheck disable=SC2016
rule 'polkit.addRule(function(action, subject) {
    if (action.id == "org.migd1.migrate-own" && subject.isInGroup("numa"))
        return polkit.Result.YES;
});'
until_true "polkitd to have read the rule" told ann yes password password
permission ann ok "move its own processes: yes; those of others: $password; set policy"
moves ann a 0 1
equal "$(migctl jobs --json | jq 'last.user')" "$(id -u ann)" "the user of the job"
moves ann a 1 0
refused ann b "$others $by_admin"
refused ann r "$others $by_admin"
refused bob b "$own: $by_rule"
told bob no password password || fail "bob is told: $(permissions bob)"
permission bob warn "move its own processes: no"
expect 4 "may not $others" as_ann migctl migrate $(($(cat /proc/sys/kernel/pid_max) - 1)) --to 1
expect 4 "may not set the policy" as_ann migctl policy set batch-pages=64

step "not all that has the uid is own"
ask a close
refused ann a "$others $by_admin"
ask a open
moves ann a 0 1
moves ann a 1 0

# other NAME COMMAND...: a target of ann's under it, which she may not move
other()
{
	target "$1" as_ann "${@:2}" -- move 1 0
	refused ann "$1" "$others $by_admin"
	drop "$1"
}

with_capability()
{
	setpriv --reuid=ann --regid=ann --init-groups --inh-caps=+net_raw \
		--ambient-caps=+net_raw "$@"
}
target capable with_capability -- move 1 0
equal "$(awk '/^(Uid|CapPrm)/ { print $2 }' "/proc/${target_pid[capable]}/status" | tr '\n' ' ')" \
	"$(id -u ann) 0000000000002000 " "uid and capabilities"
refused ann capable "$others $by_admin"
drop capable
other elsewhere unshare --user
in_group()
{
	runuser -u ann -g numa -- "$@"
}
target grouped in_group -- move 1 0
refused ann grouped "$others $by_admin"
drop grouped
chmod 711 "$dir"
install -m 4755 bus/target "$dir/setuid"
target_program=$dir/setuid
target setuid as_ann -- move 1 0
target_program=bus/target
equal "$(awk '/^Uid/ { print $2, $3 }' "/proc/${target_pid[setuid]}/status")" "$(id -u ann) 0" \
	"real and effective uid"
refused ann setuid "$others $by_admin"
drop setuid
expect 4 "may not $others $by_admin" \
	as_ann unshare --user migctl migrate "${target_pid[a]}" --from 0 --to 1
intact a 0

step "what is wrong is told, and polkit is not asked"
asked=$(questions)
pid=${target_pid[a]}
expect 1 'no node 9' as_ann migctl migrate "$pid" --from 0 --to 9
expect 1 'node 2 has no memory' as_ann migctl migrate "${target_pid[r]}" --from 0 --to 2
expect 1 "no engine 'dma9chan9'" as_ann migctl migrate "$pid" --from 0 --to 1 --engine dma9chan9
expect 2 'batch-pages is 1000000 but' \
	as_bob migctl migrate "$pid" --from 0 --to 1 --batch-pages 1000000
expect 2 'which only root may exceed' \
	as_ann migctl migrate "$pid" --from 0 --to 1 --deadline 6s
expect 1 'no node 9' as_ann migctl migrate "$pid" "${target_pid[r]}" --to 9
expect 2 'is no path of a cgroup' as_ann migctl migrate --cgroup /sys/fs/cgroup/../proc --to 1
expect 1 'no cgroup /nowhere' as_ann migctl migrate --cgroup /nowhere --to 1
expect 1 'no unit nobody-knows.service loaded' as_ann migctl migrate -u nobody-knows --to 1
expect 2 'DeadlineUSec is [0-9]+ to' as_ann migctl policy set deadline=1us
expect 1 "no engine 'dma9chan9'" as_ann migctl policy set default-engine=dma9chan9
expect 1 "no job 999" as_ann migctl cancel 999
expect 1 "has ended already" as_bob migctl cancel "$(migctl jobs --json | jq 'last.id')"
moves ann a 0 1
until_true "the question" more_than "$asked"
equal "$(questions)" $((asked + 1)) "the number of questions"
moves ann a 1 0

step "one's own jobs, and no more of them than a user may have"
# it would take a minute
slow=(--max-rate 128Ki --batch-pages 16)
expect 0 '' migctl policy set jobs-per-user=1
under=(as_ann)
begin "$pid" --from 0 --to 1 "${slow[@]}"
expect 1 "user $(id -u ann) has 1 jobs that run already, which is JobsPerUser= of the policy" \
	as_ann migctl migrate "$pid" --from 0 --to 1
expect 4 "may not cancel jobs of others $by_admin" as_bob migctl cancel "$job"
expect 4 'may not pause or resume jobs of others' as_bob migctl pause "$job"
expect 4 'may not change jobs of others' as_bob migctl set "$job" --max-rate 1M
is_so '.state != "done" and (.paused | not) and .max_rate == 131072' || fail "bob has changed it"
expect 0 '' as_ann migctl pause "$job"
expect 0 '' as_ann migctl set "$job" --max-rate 64Ki
expect 4 'may not set a deadline above the 5000000 us of the policy' \
	as_ann migctl set "$job" --deadline 6s
is_so '.paused and .max_rate == 65536' || fail "ann has not changed it"
expect 0 '' as_ann migctl resume "$job"
expect 0 '' as_ann migctl cancel "$job"
finish
equal "$status" 130 "the exit code"
expect 0 '' migctl policy set jobs-per-user=8
migratepages "$pid" 1 0

step "a unit, a cgroup and a list of own processes"
target_program=$PWD/bus/family
target f systemd-run --quiet --pipe --collect --unit=ann.service --uid=ann -- 2 1 2 0
target_program=bus/target
cgroup=/sys/fs/cgroup/system.slice/ann.service
mapfile -t pids <$cgroup/cgroup.procs
equal "${#pids[@]}" 3 "the number of processes"

# all_own FROM TO ARGUMENT...: ann moves the three
all_own()
{
	expect 0 '' as_ann migctl migrate --from "$1" --to "$2" --json "${@:3}"
	jq -e --argjson user "$(id -u ann)" '.outcome == "moved" and .user == $user and
		([.members[] | select(.state == "done")] | length == 3) and
		.moved > 900' "$dir/out" >/dev/null || fail "the group is: $(cat "$dir/out")"
	ask f check
	equal "$answer" "wrong 0 of 3" "what the processes say of their memory"
}

all_own 0 1 -u ann
all_own 1 0 --cgroup /system.slice/ann.service
all_own 0 1 "${pids[@]}"
all_own 1 0 "${pids[@]}"
expect 4 "user $(id -u bob) may not $several $by_admin" as_bob migctl migrate -u ann --to 1
expect 4 "may not $several" as_ann migctl migrate -u dbus --to 1

step "who joins it and is not own is left"
expect 0 '' as_ann migctl migrate -u ann --from 0 --to 1 --no-block --max-rate 64Ki --batch-pages 16
group=$(head -n 1 "$dir/out")
echo "${target_pid[r]}" >$cgroup/cgroup.procs
group_runs()
{
	migctl groups "$group" --json | jq -e '.state == "running"' >/dev/null
}
until_true "the group to run" group_runs
kill -KILL "$(systemctl show -P MainPID migd.service)"
# the next daemon goes on with it, for own processes as before
until_true "the next daemon" group_runs
job=$(migctl jobs --json | jq 'map(select(.state != "done")) | last.id')
expect 0 '' as_ann migctl set "$job" --max-rate none
group_done()
{
	migctl groups "$group" --json >"$dir/group.json" && jq -e '.state == "done"' "$dir/group.json"
}
until_true "the group to end" group_done
jq -e --argjson r "${target_pid[r]}" '.outcome == "partly" and .left_out.foreign == 1 and
	(.members[] | select(.pid == $r) | .state == "foreign" and .job == 0) and
	(.why | test("process \($r) is not user .* own: run it as root"))' "$dir/group.json" \
	>/dev/null || fail "the group is: $(cat "$dir/group.json")"
intact r 0
expect 4 "may not $several $by_admin" as_ann migctl migrate -u ann --from 1 --to 0
echo "${target_pid[r]}" >"/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$$/cgroup)/cgroup.procs"

step "the rule is taken away while the daemon runs"
daemon=$(systemctl show -P MainPID migd.service)
rm "$rules"
until_true "polkitd to have noticed" told ann no password password
refused ann a "$own: $by_rule"
expect 4 "may not $own: $by_rule" as_ann migctl migrate -u ann --from 1 --to 0

step "others' processes, which is one's own too"
rule "$(allow bob migrate-others)"
until_true "polkitd to have read the rule" told bob yes yes password
permission bob ok "move its own processes: yes; those of others: yes; set policy and engines: $password"
moves bob b 0 1
moves bob a 0 1
moves bob r 0 1
expect 0 '' as_bob migctl migrate -u ann --from 1 --to 0
expect 1 'no process' as_bob migctl migrate $(($(cat /proc/sys/kernel/pid_max) - 1)) --to 1
under=()
begin "$pid" --from 1 --to 0 "${slow[@]}"
expect 0 '' as_bob migctl pause "$job"
expect 4 'may not change jobs of others: run it as root' as_bob migctl set "$job" --max-rate 1M
expect 0 '' as_bob migctl cancel "$job"
finish
equal "$status" 130 "the exit code"
expect 4 "may not set the policy $by_admin" as_bob migctl policy set batch-pages=64
told ann no password password || fail "ann is told: $(permissions ann)"

step "an administrator's password, asked for on the terminal"
rm "$rules"
until_true "polkitd to have noticed" told ann no password password
useradd --groups sudo amy
chpasswd <<<amy:sesame

# silent: what is typed for ann's command is not shown, as the agent reads a password
silent()
{
	local tty

	tty=$(ps -o tty= -C pkttyagent) && stty -F "/dev/$tty" -a | grep -q -e ' -echo '
}

# typed KEYS COMMAND...: by ann on a terminal, with KEYS when a password is asked for;
# $status, and what the terminal shows in $dir/screen
typed()
{
	local keys=$1 in script

	shift
	mkfifo "$dir/keys"
	as_ann script --quiet --return --echo always --command "$*" /dev/null \
		<"$dir/keys" >"$dir/screen" 2>&1 &
	script=$!
	children+=("$script")
	exec {in}>"$dir/keys"
	rm "$dir/keys"
	until_true "the agent to ask for a password" silent
	printf '%b' "$keys" >&"$in"
	status=0
	wait "$script" || status=$?
	close "$in"
	grep -q '^Authenticating as: amy' "$dir/screen" || fail "the terminal shows: $(cat "$dir/screen")"
	! pgrep -x pkttyagent >/dev/null || fail "the agent is still there"
}

# shows REGEX: on the terminal
shows()
{
	grep -qE -e "$1" "$dir/screen" || fail "the terminal shows: $(cat "$dir/screen")"
}

typed 'sesame\n' migctl migrate "${target_pid[r]}" --from 1 --to 0
equal "$status" 0 "the exit code"
shows 'moved: process'
intact r 0
typed 'sesame\n' migctl policy set batch-pages=256
equal "$status" 0 "the exit code"
equal "$(migctl policy | sed -n 's/^batch-pages=//p')" 256 "the policy's pages"
typed 'sesam\n' migctl migrate "${target_pid[r]}" --from 0 --to 1
equal "$status" 4 "the exit code"
shows "user $(id -u ann) may not $others"
intact r 0
typed '\003' migctl migrate "${target_pid[r]}" --from 0 --to 1
equal "$status" 130 "the exit code"
intact r 0

step "the policy and the engines"
rule "$(allow ann manage-policy)"
until_true "polkitd to have read the rule" told ann no password yes
permission ann warn "move its own processes: no; those of others: $password; set policy and engines: yes"
expect 0 '' as_ann migctl policy set batch-pages=64
expect 0 '' as_ann busctl set-property org.migd1 /org/migd1 org.migd1.Policy MaxRate t 33554432
equal "$(migctl policy | grep -E '^(batch-pages|max-rate)' | tr '\n' ' ')" \
	'batch-pages=64 max-rate=33554432 ' "the policy"
expect 0 '' as_ann migctl engines release dma0chan0
expect 0 '' as_ann migctl engines claim dma0chan0
expect 4 "may not set the policy $by_admin" as_bob migctl policy set batch-pages=32
expect 1 "may not set the policy $by_admin" \
	as_bob busctl set-property org.migd1 /org/migd1 org.migd1.Policy MaxRate t 1
equal "$(migctl policy | sed -n 's/^batch-pages=//p')" 64 "the policy's pages"

step "a polkitd that was stopped is started again, with the rule"
systemctl stop polkit.service
expect 0 '' as_ann migctl policy set batch-pages=512
equal "$(systemctl is-active polkit.service)" active "the state of polkit.service"
equal "$(systemctl show -P MainPID migd.service)" "$daemon" "the daemon's pid"
