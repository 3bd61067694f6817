# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# A program that times its own operations is moved by migd and by migrate_pages(2),
# to node 1 and back: . fault/others/compare.sh
#
# What its operations took before, during and after is said and never judged. Judged
# is its own proof of health after each move, and that migd moves what the system
# call moves. The test has
#
#   processes        prints its pids
#   healthy MOVER    fails unless the program is as it should be
#   $dir/times       at the end, a line "BEGIN END" for each operation, in microseconds
#                    since 1970; or else, for a program that counts by phase itself,
#   tell_phase NAME  which tells it, and $dir/latencies.json at the end

[ -v patience ] || . bus/lib.sh
# the machine is busy with the program, too, and may be slow
patience=120

# For tools/migprograms: longer, with no destination filled in vain, no program that
# gives way to who moves it, and what was found as JSON.
seconds=${MIGD_SECONDS:-1}
rounds=${MIGD_ROUNDS:-1}
result=${MIGD_RESULT:-}
patient=(nice -n 5)
if [ "$result" ]; then
	module_options=()
	patient=()
fi

# migratepages(8) without this capability moves what only this process maps, as suits
# a program that shares no memory: what others run, too, costs QEMU its translations.
alone=(setpriv --bounding-set -sys_nice)

tell_phase()
{
	:
}

phase()
{
	echo "${EPOCHREALTIME/./} $1" >>"$dir/phases"
	tell_phase "$1"
}

proofs=()
proved()
{
	echo "        $*"
	proofs+=("$*")
}

by_migd()
{
	local status=0

	migctl migrate "${pids[@]}" --from "$1" --to "$2" "${careful[@]}" --json >"$dir/job.json" \
		2>"$dir/err" || status=$?
	case $status in
	0 | 3) ;;
	# each batch took longer than the deadline: a slow machine
	1) jq -e '.rescued > 0' "$dir/job.json" >"$dir/out" ||
		fail "migctl migrate has moved nothing: $(<"$dir/job.json")" ;;
	*) fail "migctl migrate ${pids[*]} --from $1 --to $2 exits with $status" ;;
	esac
}
careful=()

by_migrate_pages()
{
	local pid

	for pid in "${pids[@]}"; do
		"${alone[@]}" migratepages "$pid" "$1" "$2" 2>"$dir/err" ||
			fail "migratepages $pid $1 $2 exits with $?"
	done
}

# on NODE: pages of the program there
on()
{
	load/frames "$1" "${pids[@]}"
}

# moved MOVER FROM TO: moves it, and adds what has become of it to $dir/moves; $arrived
# and $left are pages
moved()
{
	local mover=$1 from=$2 to=$3 before begun usec job=null

	before=$(on "$to")
	watched "before-$mover"
	begun=${EPOCHREALTIME/./}
	"$stopped" || phase "during-$mover"
	"by_$mover" "$from" "$to"
	usec=$((${EPOCHREALTIME/./} - begun))
	watched "after-$mover"
	"$stopped" || phase between
	arrived=$(on "$to")
	arrived=$((arrived - before))
	left=$(on "$from")
	[ "$mover" != migd ] || job=$(<"$dir/job.json")
	jq -nc --arg by "$mover" --argjson stopped "$stopped" --argjson from "$from" \
		--argjson to "$to" --argjson usec "$usec" --argjson arrived "$arrived" \
		--argjson left "$left" --argjson job "$job" '$ARGS.named' >>"$dir/moves"
	echo "        $mover, $from to $to: $arrived pages arrived, $left left, $((usec / 1000)) ms"
}
stopped=false

# watched PHASE: for a while; a program that is stopped has no operations
watched()
{
	if ! "$stopped"; then
		phase "$1"
		sleep "$seconds"
	fi
}

# compare: to and fro by both, with a check after each move
compare()
{
	local round mover way

	for ((round = 0; round < rounds; round++)); do
		for mover in migd migrate_pages; do
			for way in '0 1' '1 0'; do
				step "by $mover, from and to $way"
				mapfile -t pids < <(processes)
				# shellcheck disable=SC2086 # two nodes
				moved "$mover" $way
				healthy "$mover"
			done
		done
	done
}

# judge: both move the program while it is stopped, as otherwise it makes new pages on
# node 0 meanwhile; a deadline that the machine may miss shall not decide, either
judge()
{
	local from theirs=()

	step "the same while it is stopped"
	mapfile -t pids < <(processes)
	phase during-stop
	kill -STOP "${pids[@]}"
	until_true "all of its threads to stop" all_stopped
	stopped=true
	for from in 0 1; do
		moved migrate_pages "$from" $((1 - from))
		theirs+=("$left")
	done
	careful=(--deadline 60s)
	for from in 0 1; do
		moved migd "$from" $((1 - from))
		[ "$arrived" -gt 0 ] || fail "migd has moved no page to node $((1 - from))"
		all_moved "$from" "${theirs[from]}"
	done
	careful=()
	stopped=false
	kill -CONT "${pids[@]}"
	proved "migd moves all that migrate_pages(2) moves"
}

# all_moved FROM PAGES: no more are left there. What somebody else holds for a moment,
# such as khugepaged, goes with a later job.
all_moved()
{
	local end=$((SECONDS + patience))

	while [ "$left" -gt "$2" ]; do
		[ $SECONDS -lt $end ] ||
			fail "migd leaves $left pages on node $1, migrate_pages(2) $2: $(<"$dir/job.json")"
		moved migd "$1" $((1 - $1))
	done
}

all_stopped()
{
	local pid

	for pid in "${pids[@]}"; do
		awk '/^State:/ && !/\(stopped\)/ { running = 1 } END { exit running }' \
			"/proc/$pid"/task/*/status || return 1
	done
}

# report PROGRAM OPERATION: says what was found
report()
{
	[ -e "$dir/latencies.json" ] ||
		load/latencies "$dir/phases" "$dir/times" >"$dir/latencies.json" 2>"$dir/err" ||
		fail "the times of the operations are not understood"
	step "$1: $2"
	jq -r 'to_entries[] | select(.key | test("^(before|during|after)-(migd|migrate_pages)$")) |
		"        \(.key): " + (.value | if .ops == 0 then "no operation" else
		"p50 \(.p50_ns / 1000 | floor) us, p99 \(.p99_ns / 1000 | floor) us, " +
		"max \(.max_ns / 1000 | floor) us of \(.ops)" end)' "$dir/latencies.json"
	jq -e '[.[].ops] | add > 0' "$dir/latencies.json" >"$dir/out" || fail "no operation was timed"
	[ ! "$result" ] || jq -n --arg program "$1" --arg operation "$2" --argjson rounds "$rounds" \
		--slurpfile phases "$dir/latencies.json" --slurpfile moves "$dir/moves" \
		'{$program, $operation, $rounds, phases: $phases[0], $moves, proofs: $ARGS.positional}' \
		--args "${proofs[@]}" >"$result"
}
