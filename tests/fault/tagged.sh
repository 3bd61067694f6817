#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory with arm64 tags moves under a job like any other, with its tags: small
# pages, huge ones, and shared memory that another mapping has given the tags.
#
# machines: arm64-mte
# timeout: 240
set -eu -o pipefail
. bus/jobs.sh

target_program=fault/tags

# move FROM TO ROUTED ARGUMENT...: all of it arrives, ROUTED pages or more by
# move_pages(2)
move()
{
	local from=$1 to=$2 routed=$3

	shift 3
	expect 0 '' migctl migrate "${target_pid[t]}" --from "$from" --to "$to" --json "$@"
	cp "$dir/out" "$dir/job.json"
	of_job '"        \(.moved) pages moved, \(.routed) of them by move_pages(2); left \(.left)"'
	equal "$(of_job .outcome)" moved "the outcome"
	accounted
	[ "$(of_job .routed)" -ge "$routed" ] || fail "only $(of_job .routed) pages went with tags"
}

# tags_intact: what the target says of its memory, also of what its writer saw
tags_intact()
{
	ask t check
	equal "$answer" "wrong 0 tags 0" "what the target says of its memory"
}

# written: the target's writer has come round, and saw no wrong value and no wrong tag
written()
{
	ask t rest
	[[ $answer =~ ^resting\ rounds\ [1-9][0-9]*\ wrong\ 0$ ]] || fail "the target says '$answer'"
	echo "        ${answer#resting }"
	tags_intact
}

serve
step "small pages, there and back, under a writer of tags and values"
target t nice -n 5 -- 1024 0
pages=${target_pages[t]}
ask t write
move 0 1 "$pages"
equal "$(pages_on t 1)" "$pages" "the number of pages on node 1"
move 1 0 "$pages" --verify
equal "$(pages_on t 0)" "$pages" "the number of pages on node 0"
written

step "left where they are when asked for"
leaves t tagged "$pages"
move 1 0 0
equal "$(pages_on t 0)" "$pages" "the number of pages on node 0"

step "refused as a part of an atomic range"
expect 2 'MTE tags' migctl migrate "${target_pid[t]}" --from 0 --to 1 --atomic \
	--range "${target_start[t]}-$(printf %x $((0x${target_start[t]} + 65536)))"

step "huge pages with tags stay huge"
ask t "map thp 4096 0"
huge()
{
	awk '/^AnonHugePages:/ { print $2 }' "/proc/${target_pid[t]}/smaps_rollup"
}
before=$(huge)
[ "$before" -ge 4096 ] || fail "only $before kB of the target are huge"
ask t write
move 0 1 $((pages + 1024))
equal "$(huge)" "$before" "AnonHugePages after the job"
move 1 0 $((pages + 1024))
equal "$(huge)" "$before" "AnonHugePages after both jobs"
written

step "a memfd, by its mapping without tags"
ask t "map memfd 512 0"
read -r word start nr <<<"$answer"
equal "$word $nr" "mapped 128" "what the target says"
ask t write
range=$start-$(printf %x $((0x$start + nr * 4096)))
move 0 1 "$nr" --range "$range"
equal "$(of_job .moved)" "$nr" "the number of pages moved"
move 1 0 "$nr" --range "$range"
written

# for a page with tags the kernel also reclaims: more is to go than that finds
step "a node without free memory"
ask t "map small 32768 0"
read -r word start nr <<<"$answer"
equal "$word $nr" "mapped 8192" "what the target says"
target_program=bus/target target hog -- fill 1
status=0
migctl migrate "${target_pid[t]}" --from 0 --to 1 --range \
	"$start-$(printf %x $((0x$start + nr * 4096)))" --json >"$dir/job.json" || status=$?
of_job '"        \(.outcome): \(.moved) of \(.total) moved, left \(.left)"'
case $(of_job .outcome) in
partly) equal $status 3 "the exit code" ;;
failed) equal $status 1 "the exit code" ;;
*) fail "a full node is no reason to leave pages" ;;
esac
of_job '.left["no-memory"] > 0 and .total == .moved + ([.left[]] | add)' | grep -qx true ||
	fail "pages are missing in the account"
drop hog
tags_intact
