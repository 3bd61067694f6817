# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the soak's targets do to their memory: t, which lives for all of it, and
# others, called v, for what a process does not survive or should not be stopped
# for.

# churn NAME: t does it for a while
churn()
{
	local word bad

	says t "begin $1" begun
	nap 700
	ask t "end $1"
	read -r word _ _ _ bad <<<"$answer"
	equal "$word $bad" "ended 0" "the number of wrong words of $1"
	count "target: $1"
}

# another ARGUMENT...: v is there, is written to, and a job moves it
another()
{
	target_program=fault/victim target v "${before_v[@]}" -- 1 "$((RANDOM % 2))"
	says v write writing
	[ $# = 0 ] || { ask v "$*" && [[ $answer == mapped* ]]; } || fail "v: $answer"
	move_v
}

move_v()
{
	migctl migrate "${target_pid[v]}" --to $((RANDOM % 2)) --max-rate 2Mi --no-block --quiet \
		>/dev/null 2>&1 || true
}

# right: v has what it should have
right()
{
	says v rest resting
	says v check "wrong 0"
	says v verify "wrong 0"
}

# vanished: v has gone by itself
vanished()
{
	until_true "the end of v" test ! -e "/proc/${target_pid[v]}"
	close "${target_in[v]}"
	close "${target_out[v]}"
	unset 'target_pid[v]'
}

exits()
{
	another
	nap $((RANDOM % 300))
	echo exit >&"${target_in[v]}"
	vanished
	count "target: exits"
}

execs()
{
	another
	nap $((RANDOM % 300))
	ask v exec
	[[ $answer == ready* ]] || fail "v after exec: $answer"
	right_after_exec
	drop v
	count "target: exec"
}

right_after_exec()
{
	says v write writing
	nap 200
	right
}

# in_cgroup: v is in one of its own
v_cgroup=/sys/fs/cgroup/migd-soak-v
before_v=()
in_cgroup()
{
	mkdir -p $v_cgroup
	before_v=(sh -c "echo \$\$ >$v_cgroup/cgroup.procs && exec \"\$@\"" sh)
	another
	before_v=()
}

empty_cgroup()
{
	rmdir $v_cgroup 2>/dev/null
}

frozen()
{
	in_cgroup
	echo 1 >$v_cgroup/cgroup.freeze
	nap 1000
	echo 0 >$v_cgroup/cgroup.freeze
	right
	drop v
	until_true "the cgroup is empty" empty_cgroup
	count "target: frozen"
}

killed_for_memory()
{
	mkdir -p $v_cgroup
	echo 16M >$v_cgroup/memory.max
	echo 0 >$v_cgroup/memory.swap.max
	in_cgroup
	echo "map anon 65536 0" >&"${target_in[v]}"
	vanished
	until_true "the cgroup is empty" empty_cgroup
	count "target: killed by the OOM killer"
}

traced()
{
	local word start nr

	another map anon 128 0
	read -r word start nr <<<"$answer"
	target_program=fault/tracer target d -- "${target_pid[v]}" "$start" "$nr" 1
	for _ in {1..5}; do
		says d look "wrong 0"
	done
	drop d
	right
	drop v
	count "target: traced"
}

pinned()
{
	another map anon 512 0
	says v pin pinned
	move_v
	nap 500
	says v pinned-io "wrong 0"
	says v unpin unpinned
	right
	drop v
	count "target: pinned by a fixed buffer"
	another map anon 128 0
	says v "splice 16" spliced
	move_v
	nap 500
	says v drain "wrong 0"
	right
	drop v
	count "target: pages in a pipe"
}

# Half of what t has fits, the rest is in swap.
pressed()
{
	echo $(($(<"$t_cgroup/memory.current") * 3 / 4)) >"$t_cgroup/memory.max"
	nap 1500
	echo max >"$t_cgroup/memory.max"
	count "target: at its memory limit, swapped"
}
