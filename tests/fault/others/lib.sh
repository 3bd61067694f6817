# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Other people's programs, moved to and fro: . fault/others/lib.sh

. bus/lib.sh

jobs_done=0 pages_moved=0 node=1
declare -A outcomes=()

# What is moved gives way to who moves it: there are two CPUs.
patient=(nice -n 10)

# begin_move PID: to node $node, beside the others
begin_move()
{
	migctl migrate "$1" --to "$node" --json >"$dir/job.$1" 2>"$dir/err.$1" &
	moving[$1]=$!
}
declare -A moving=()

# end_move PID: a program may have ended meanwhile, and of some nothing can be
# moved; everything else is a failure
end_move()
{
	local pid=$1 status=0 job outcome

	wait "${moving[$pid]}" || status=$?
	unset "moving[$pid]"
	case $status in
	0 | 1 | 3) ;;
	*) fail "migctl migrate $pid --to $node exits with $status: $(cat "$dir/err.$pid")" ;;
	esac
	job=$(<"$dir/job.$pid")
	if [ ! "$job" ]; then
		# it was refused; then it must be gone
		grep -qE 'no process|exited|exiting|changed hands' "$dir/err.$pid" ||
			fail "process $pid was refused: $(cat "$dir/err.$pid")"
		return 0
	fi
	[[ $job =~ \"outcome\":\ \"([a-z-]+)\" ]] || fail "a job without outcome: $job"
	outcome=${BASH_REMATCH[1]}
	case $outcome in
	moved | partly | failed | target-gone) ;;
	*) fail "the job for process $pid ended as '$outcome'" ;;
	esac
	[[ $job =~ \"moved\":\ ([0-9]+) ]] || fail "a job without pages: $job"
	jobs_done=$((jobs_done + 1))
	pages_moved=$((pages_moved + BASH_REMATCH[1]))
	outcomes[$outcome]=$((${outcomes[$outcome]:-0} + 1))
}

# move_at_once COMMAND...: moves those that COMMAND prints, and back the next time
move_at_once()
{
	local pid

	for pid in $("$@"); do
		begin_move "$pid"
	done
	for pid in "${!moving[@]}"; do
		end_move "$pid"
	done
	node=$((1 - node))
}

# bounce PID COMMAND...: while process PID lives, moves those that COMMAND prints
bounce()
{
	local main=$1

	shift
	while kill -0 "$main" 2>/dev/null; do
		move_at_once "$@"
	done
}

target_program=fault/beat target beat --

# in_time: no page was locked for longer than deadline and grace, and what the
# machine itself lost, on its busy host
in_time()
{
	local stall limit blackout line
	local deadline_ms=500 grace_ms=1000

	ask beat stall
	stall=${answer#stall }
	expect 0 '' migctl stats --json
	read -r blackout limit line < <(jq -r --argjson more $((deadline_ms + grace_ms)) \
		"(\$more + 2 * $stall / 1000 | floor) as \$limit |
		\"\(.blackout.max_ns / 1e6 | floor) \(\$limit) \" +
		\"\(.batches) batches, \(.rescued_deadline) rescued, \(.late) late\"" "$dir/out")
	echo "        $line; longest blackout $blackout ms, stall of the machine $((stall / 1000)) ms"
	[ "$blackout" -le "$limit" ] || fail "that is more than $limit ms"
}

settled()
{
	migctl stats --json |
		jq -e '.jobs_active + .locked_pages + .quarantined_pages == 0' &&
		! grep -E '^nr_isolated_(anon|file) [^0]' /proc/vmstat
}

# moved_well LEAST: at least so many pages, and nothing is left behind
moved_well()
{
	local outcome

	echo "        $jobs_done jobs, $pages_moved pages moved"
	for outcome in "${!outcomes[@]}"; do
		echo "        $outcome: ${outcomes[$outcome]}"
	done
	[ "$pages_moved" -ge "$1" ] || fail "that is less than $1 pages"
	until_true "nothing is locked, isolated or in quarantine" settled
	in_time
}
