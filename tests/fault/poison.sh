#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The memory of some pages is said to be broken, before a job and while it moves
# them: the process finds its own bytes or is told by SIGBUS, and never gets
# anything else.
#
# machines: amd64 amd64-debug arm64
# timeout: 300
set -eu -o pipefail
. fault/broken.sh

started 2 0
mapped anon 1024 0

step "broken before the job"
for page in 0 1 100 255; do
	ask t "poison $page"
	broken+=("${answer#poisoned }")
done
touched
equal "$bus" 4 "the number of broken pages"
restless=0
bounce all_there
touched
equal "$bus" 4 "the number of broken pages"

# A page that the process loses meanwhile is nowhere in the end.
step "broken while they are moved"
page=2
for order in copy-first state-first; do
	begin "${target_pid[t]}" --from $at --to $((1 - at)) --order "$order" --batch-pages 16 \
		--max-rate 256Ki --range "$range"
	for _ in {1..12}; do
		page=$((page + 7))
		! frame_of $page || break_frame "$answer"
	done
	finish
	took
	moved_or_partly
	at=$((1 - at))
	summed "$nr"
	touched
	nothing_left
done
[ "$bus" -lt "$nr" ] || fail "no page is left"

step "afterwards"
home
touched
drop t
nothing_left
repaired
