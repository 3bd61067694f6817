# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the soak does to the daemon, and through it. Each function is one round;
# it counts what it did.

unit=/sys/fs/cgroup/system.slice/migd.service

# threads N: the daemon has that many; two when it serves. Nothing is forked for it.
threads()
{
	local -a there=()

	{ mapfile -t there <$unit/cgroup.threads; } 2>/dev/null && [ ${#there[@]} -ge "$1" ]
}

# daemon_pid: in $daemon; false while there is none
daemon_pid()
{
	daemon=
	{ read -r daemon <$unit/cgroup.procs; } 2>/dev/null && [ "$daemon" ]
}

served()
{
	soon "the daemon serves" threads 2
}

# by_systemd VERB: it may lose patience on a slow machine, and then tries again itself
by_systemd()
{
	systemctl "$1" migd.service 2>/dev/null || count "daemon: a $1 that took too long"
	[ "$1" = stop ] || served
}

# asked ARGUMENT...: what migctl says, as soon as there is a daemon that answers
asked()
{
	local end=$((SECONDS + patience)) status

	while :; do
		status=0
		migctl "$@" 2>"$dir/err" || status=$?
		if [ $status != 5 ] || [ $SECONDS -ge $end ]; then
			break
		fi
		nap 200
	done
	[ $status = 0 ] || fail "'migctl $*' exits with $status" >&2
}

another_daemon()
{
	daemon_pid && [ "$daemon" != "$last_daemon" ] && threads "$at_least"
}

# killed: ten times in a row, at any moment; every fourth while it starts
last_daemon=
killed()
{
	for _ in {1..10}; do
		at_least=$((RANDOM % 4 ? 2 : 1))
		soon "systemd brings the daemon back" another_daemon
		nap $((RANDOM % 500))
		kill -KILL "$daemon" 2>/dev/null || continue
		last_daemon=$daemon
		count "daemon: killed"
		[ $at_least = 2 ] || count "daemon: killed as it started"
	done
}

# stopped SECONDS: the watchdog ends one that is stopped for ten
stopped()
{
	served
	daemon_pid || return 0
	kill -STOP "$daemon" 2>/dev/null || return 0
	nap $(($1 * 1000))
	kill -CONT "$daemon" 2>/dev/null || true
	count "daemon: stopped for $1 s"
}

stopped_1s()
{
	stopped 1
}

stopped_10s()
{
	stopped 10
}

restarted()
{
	by_systemd restart
	count "daemon: restarted"
}

reloaded()
{
	served
	by_systemd reload
	count "daemon: reloaded"
}

# no_holder: a question that was under way when it was stopped may bring it back
no_holder()
{
	! daemon_pid || by_systemd stop
	[ "$(</sys/module/migd/refcnt)" = 0 ]
}

# Nobody brings it back until the jobs have ended.
abandoned()
{
	: >"$dir/pause"
	by_systemd stop
	soon "the module ends the jobs by itself" no_holder
	by_systemd start
	resume
	count "daemon: gone until the jobs were lost"
}

second_daemon()
{
	local status=0

	served
	"$(systemctl show -P ExecStart migd.service | sed 's/.*path=\([^ ;]*\).*/\1/')" \
		>"$dir/second" 2>&1 || status=$?
	equal $status 1 "the exit code of a second daemon"
	[ -s "$dir/second" ] || fail "a second daemon does not say why it ends"
	count "daemon: a second one"
}

cancelled()
{
	served
	job=$(asked jobs --json | jq -r 'map(select(.state != "done")) | last.id // empty') || return 0
	[ "$job" ] || return 0
	migctl cancel "$job" >/dev/null 2>&1 || return 0
	count "job: cancelled"
}

second_job()
{
	served
	migctl migrate "${target_pid[t]}" --to $((RANDOM % 2)) --quiet >/dev/null 2>&1 || true
	count "job: beside another"
}

atomic_job()
{
	served
	migctl migrate "${target_pid[t]}" --to $((RANDOM % 2)) --quiet --atomic --range \
		"${target_start[t]}-$(printf %x $((0x${target_start[t]} + 64 * 4096)))" \
		>/dev/null 2>&1 || true
	count "job: of an atomic range"
}

# Whoever may nothing changes nothing, nor does who wants the module away.
denied()
{
	served
	expect 4 'may not' setpriv --reuid=65534 --clear-groups \
		migctl migrate "${target_pid[t]}" --to 1
	count "attack: a user"
	! rmmod migd 2>/dev/null || fail "rmmod takes the module away"
	count "attack: rmmod"
}

# Random servers and messages have the module for a while.
fuzzed()
{
	quiesce
	by_systemd stop
	fault/fuzz $RANDOM 10 >"$dir/fuzz" 2>&1 || fail "the fuzzer: $(cat "$dir/fuzz")"
	count "attack: random commands and messages" "$(awk '/ servers, / {
		for (i = 2; i <= NF; i++)
			if ($i ~ /^(commands|netlink)/)
				n += $(i - 1) }
		END { print n + 0 }' "$dir/fuzz")"
	by_systemd start
	resume
}
