# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the tests of faults begin with: . fault/lib.sh
# The target of all of them is called t, and is on node $at.

. bus/jobs.sh

target_program=fault/victim
# the machine is busy with other things, too, and may be slow
patience=120
at=0
debug=
[ "$MIGD_MACHINE" != amd64-debug ] || debug=1

# Before the target's own command; what CPU time it takes, the tools take first.
before_target=(nice -n 5)

# started ARGUMENT...: modules, daemon and target t are there, its writer writes
started()
{
	still_served || serve
	begun_here=1
	# as nice as the target
	target_program=fault/beat target beat nice -n 5 --
	node1_before=$(node1_used)
	target t "${before_target[@]}" -- "$@"
	says t write writing
}

# The debug kernel is slow: of the tests that start as above, one that went well leaves
# modules and daemon to the next. All others begin with removing them.
kept=/run/migd-kept
begun_here=
late_before=0 late=0

still_served()
{
	local pid

	[ "$debug" ] && [ -e $kept ] || return 1
	read -r pid late_before <$kept
	rm $kept
	if [ "$pid" = 0 ] || [ "$(systemctl show -P MainPID migd.service)" != "$pid" ]; then
		late_before=0
		return 1
	fi
}

left_behind()
{
	if [ "$debug" ] && [ "$begun_here" ]; then
		echo "$(systemctl show -P MainPID migd.service) $late" >$kept
	else
		bare
	fi
}

# change FILE VALUE: a switch of the kernel, until the test ends: the next one has
# what the machine began with
declare -A before_change=()
change()
{
	[ -v "before_change[$1]" ] ||
		before_change[$1]=$(sed 's/.*\[\(.*\)\].*/\1/' "$1")
	echo "$2" >"$1"
}

undo()
{
	local file

	for file in "${!before_change[@]}"; do
		echo "${before_change[$file]}" >"$file"
	done
}

# says NAME COMMAND ANSWER: the target's answer must be this
says()
{
	ask "$1" "$2"
	equal "$answer" "$3" "what target $1 says to '$2'"
}

# clean: nothing is there that a job would need; the counters are in $dir/stats.json
clean()
{
	! grep -qE '^nr_isolated_(anon|file) [^0]' /proc/vmstat &&
		migctl stats --json >"$dir/stats.json" &&
		jq -e '.jobs_active + .locked_pages + .quarantined_pages == 0' "$dir/stats.json"
}

# nothing_left: no job, no page locked, isolated or in quarantine, no batch late
nothing_left()
{
	until_true "nothing is locked, isolated or in quarantine" clean
	late=$(jq .late "$dir/stats.json")
	# nobody is in time on a machine that stops everybody
	[ "$late" = "$late_before" ] || [ "$slowest" -gt $((grace_us / 2)) ] ||
		fail "$((late - late_before)) batches ended too late, on a machine that stops for $slowest us"
}

# The longest stop of the machine that was seen.
slowest=0

# node1_used: pages in use on node 1, where only the targets have any; those on
# the per-CPU lists are free
node1_used()
{
	awk 'FILENAME ~ /meminfo/ { if ($3 == "MemUsed:") n = $4 / 4; next }
		$1 == "Node" { node = $2 }
		$1 == "count:" && node == "1," { n -= $2 }
		END { print n }' /sys/devices/system/node/node1/meminfo /proc/zoneinfo
}

# move FROM TO ARGUMENT...: moves the target; the job is in $dir/job.json. Some of
# its pages may be left.
move()
{
	local from=$1 to=$2

	shift 2
	status=0
	migctl migrate "${target_pid[t]}" --from "$from" --to "$to" --json "$@" \
		>"$dir/job.json" 2>"$dir/err" || status=$?
	took
	moved_or_partly
}

# may_fail: set when somebody else keeps the pages from being moved at all
may_fail=
may_stop=

# moved_or_partly: of a job that begin and finish, or move, have followed
moved_or_partly()
{
	case "$status $outcome" in
	"0 moved" | "3 partly") ;;
	"1 failed") [ "$may_fail" ] || fail "nothing was moved: $(cat "$dir/job.json")" ;;
	*) fail "the job ended as '$outcome', exit code $status: $(cat "$dir/job.json")" ;;
	esac
}

# took: what became of the job in $dir/job.json, in variables and in a line
took()
{
	local line

	read -r job outcome moved total left passes locking blackout line < <(of_job '([.left[]] | add // 0) as $n |
		"\(.id) \(.outcome) \(.moved) \(.total) \($n) \(.passes) \(.lock.max_ns / 1000 | floor) " +
		"\(.blackout.max_ns / 1000 | floor) \(.order) \(.from) to \(.to), \(.outcome): " +
		"\(.moved) of \(.total) moved, left \(.left), \(.batches) batches, \(.rescued) rescued"')
	[ "$line" ] || fail "this is no job: $(cat "$dir/job.json")"
	echo "        $line"
}

# summed MOST: total is what was moved and what was left, but for at most MOST
# pages that the target took or gave back meanwhile
summed()
{
	local difference=$((total - moved - left))

	[ "${difference#-}" -le "$1" ] ||
		fail "the job does not add up, by $difference pages (at most $1): $(cat "$dir/job.json")"
}

# reset: stops are measured from now on
reset()
{
	ask t stall
	ask beat stall
}

# in_time: the target's writer found all as it should be, and no stop was longer than
# the deadline and the grace, and what the machine stops everybody for
in_time()
{
	local stalled bad machine limit

	ask t stall
	read -r _ stalled _ bad _ <<<"$answer"
	equal "$bad" 0 "the number of wrong words"
	ask beat stall
	machine=${answer#stall }
	slowest=$((machine > slowest ? machine : slowest))
	echo "        ms: the writer's longest stop $((stalled / 1000)), locking" \
		"$((locking / 1000)), blackout $((blackout / 1000)), the machine's $((machine / 1000))"
	limit=$((deadline_us + grace_us + 2 * machine))
	# may_stop: beside another mover, which stops the writer, too, and has no deadline
	[ -n "$may_stop" ] || [ "$stalled" -le $limit ] ||
		fail "the writer was stopped for $stalled us"
	[ "$blackout" -le $limit ] || fail "a batch had a blackout of $blackout us"
}

# home: back to node 0
home()
{
	[ $at = 0 ] || move 1 0
	at=0
}

# turn: $these are the orders of the next jobs, both of them, each time the other way
# round. The debug kernel is slow: one of them.
orders=(state-first copy-first)
turn()
{
	orders=("${orders[1]}" "${orders[0]}")
	these=("${orders[@]:0:${debug:-2}}")
}
turn

# bounce CHECK ARGUMENT...: a job there in one order and one back in the other, or on
# the debug kernel one way only; CHECK is run after each, and $beforehand before
beforehand=
bounce()
{
	local check=$1 order

	shift
	for order in "${these[@]}"; do
		[ -z "$beforehand" ] || $beforehand $at $((1 - at)) --order "$order" "$@"
		reset
		move $at $((1 - at)) --order "$order" "$@"
		at=$((1 - at))
		in_time
		$check
	done
	turn
	nothing_left
}

# all_there: the job adds up, and what was not left is where it should be. In each
# pass up to $restless pages may be others than those at the beginning.
restless=0
all_there()
{
	summed $((restless * passes))
	# what somebody else is migrating is on no node for a moment
	until_true "all of the target to be on node $at, but $left pages" there_again
}

there_again()
{
	[ $(($(pages_on t $at) + left)) -ge "${target_pages[t]}" ]
}

# begun CHURN...: the target does that, over and over
begun()
{
	local name

	step "$*"
	for name; do
		says t "begin $name" begun
	done
}

# over CHURN...: it did so during the jobs, and saw no wrong word
over()
{
	local name word rounds bad

	for name; do
		ask t "end $name"
		read -r word _ rounds _ bad <<<"$answer"
		equal "$word $bad" "ended 0" "the number of wrong words of $name"
		[ "$rounds" -gt 0 ] || fail "$name was not done once during the jobs"
		echo "        $name: $rounds rounds meanwhile"
	done
}

# mapped KIND KIB NODE: a new mapping, $start with $nr pages, and its $range
mapped()
{
	local word

	ask t "map $*"
	read -r word start nr <<<"$answer"
	equal "$word" mapped "the answer to 'map $*'"
	range=$start-$(printf %x $((0x$start + nr * 4096)))
}

# main: the target's writer's pages, as --range wants them
main()
{
	echo "${target_start[t]}-$(printf %x $((0x${target_start[t]} + target_pages[t] * 4096)))"
}

# watch PID: DAMON looks at its memory once $damon/state is on
damon=/sys/kernel/mm/damon/admin/kdamonds/0
damon_context=$damon/contexts/0
watch()
{
	echo 1 >${damon%/0}/nr_kdamonds
	echo 1 >$damon/contexts/nr_contexts
	echo vaddr >$damon_context/operations
	echo 1000 >$damon_context/monitoring_attrs/intervals/sample_us
	echo 20000 >$damon_context/monitoring_attrs/intervals/aggr_us
	echo 100000 >$damon_context/monitoring_attrs/intervals/update_us
	echo 1 >$damon_context/targets/nr_targets
	echo "$1" >$damon_context/targets/0/pid_target
}

unwatch()
{
	echo off >$damon/state
	echo 0 >${damon%/0}/nr_kdamonds
}

# whole: every word of the target is what it should be
whole()
{
	says t rest resting
	says t check "wrong 0"
	says t verify "wrong 0"
	says t write writing
}

# meanwhile NAME COMMAND...: runs it over and over, until enough NAME
declare -A loops=()
meanwhile()
{
	local name=$1

	shift
	: >"$dir/$name.rounds"
	{
		# the tools come first, on a slow machine
		renice -n 5 $BASHPID >/dev/null
		while [ ! -e "$dir/$name.stop" ]; do
			"$@" >"$dir/$name.out" 2>&1 || break
			echo >>"$dir/$name.rounds"
		done
		[ -e "$dir/$name.stop" ]
	} &
	loops[$name]=$!
	children+=($!)
	until_true "the first round of $name" test -s "$dir/$name.rounds"
	: >"$dir/$name.rounds"
}

# enough NAME: it must have run, and run well, since meanwhile
enough()
{
	: >"$dir/$1.stop"
	wait "${loops[$1]}" || fail "$1 failed: $(cat "$dir/$1.out")"
	[ -s "$dir/$1.rounds" ] || fail "$1 was not done once during the jobs"
	echo "        $1: $(wc -l <"$dir/$1.rounds") rounds meanwhile"
}

# ended: the target has gone; no page is left on node 1 that was not there before
ended()
{
	nothing_left
	until_true "node 1 is as it was, $node1_before pages" node1_is_as_before
	echo "        pages used on node 1: $node1_before before, $(node1_used) now"
}

# Up to 1 MiB of the kernel's own, such as page tables and slabs.
node1_is_as_before()
{
	[ "$(node1_used)" -le $((node1_before + 256)) ]
}
