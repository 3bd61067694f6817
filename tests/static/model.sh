#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The protocol's model holds what it promises, each broken variant of it does
# not, and its table of transitions is that of kmod/batch.c.
#   tests/static/model.sh NAME...   only these searches
# timeout: 900
# shellcheck disable=SC2154,SC2094 # top is of lib.sh; nothing is written there
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
model=$top/tests/model
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "FROM TO" of every legal edge, from the code and from the model.
code_edges()
{
	perl -0777 -ne '
		s{/\*.*?\*/}{}gs;
		/legal\[MIGD_BATCH_STATES\] = \{(.*?)\n\};/s or exit 1;
		for (split /,\s*(?=\[|$)/, $1) {
			/\[MIGD_BATCH_(\w+)\] =(.*)/s or next;
			my ($from, $to) = ($1, $2);
			print "$from $1\n" while $to =~ /BIT\(MIGD_BATCH_(\w+)\)/g;
		}' "$1" | sort
}

model_edges()
{
	perl -ne '
		/^#define LEGAL_(\w+)\s(.*)/ or next;
		my ($from, $to) = ($1, $2);
		print "$from $1\n" while $to =~ /BIT\((\w+)\)/g;' "$1" | sort
}

# same A B WHAT: complains when two lists of edges differ or are empty
same()
{
	[[ -s $1 ]] && diff -u --label "$3" --label tests/model/table.pml "$1" "$2"
}

code_edges kmod/batch.c >"$work/code"
model_edges "$model/table.pml" >"$work/table"
if ! same "$work/code" "$work/table" kmod/batch.c; then
	echo "the tables of transitions differ: the model no longer is the code's"
	exit 1
fi
# The comparison sees each edge that one of them loses.
while read -r from to; do
	sed "s/BIT(MIGD_BATCH_$to)/0/" kmod/batch.c >"$work/batch.c"
	sed "/LEGAL_$from/s/BIT($to)/0/" "$model/table.pml" >"$work/table.pml"
	code_edges "$work/batch.c" >"$work/a"
	model_edges "$work/table.pml" >"$work/b"
	if cmp -s "$work/a" "$work/table" || cmp -s "$work/code" "$work/b"; then
		echo "$from -> $to could go unnoticed: mend code_edges() or model_edges()"
		exit 1
	fi
done <"$work/code"
# Nobody makes a transition by another way.
if grep -nE -- '->state = (MIGD_BATCH_|to;)' kmod/*.c | grep -v '^kmod/batch.c:'; then
	echo "a batch's state is written outside of migd_batch_state()"
	exit 1
fi

# search DIRECTORY PROPERTY DEFINES...: what spin says of it, in DIRECTORY/out
search()
{
	local dir=$1 property=$2
	shift 2
	# The optimizer takes longer than all but the large searches.
	local compile=(-O0 -DSAFETY -DNOCLAIM) run=()

	if [[ $property != safety ]]; then
		compile=(-O0 -DNFAIR=4)
		run=(-a -f -N "$property")
	fi
	[[ " $* " != *" -DLARGE "* ]] || compile[0]=-O1
	mkdir "$dir"
	cd "$dir"
	if ! { spin "$@" -a "$model/migd.pml" &&
	       gcc -w -DCOLLAPSE -DMEMLIM=900 "${compile[@]}" -o pan pan.c; } >log 2>&1; then
		cat log
		return 1
	fi
	./pan -m1000000 "${run[@]}" >out 2>&1 || true
}

# right NAME PROPERTY DEFINES...: holds, and the search was complete
right()
{
	local dir=$work/$1 property=$2 seconds
	search "$dir" "${@:2}" || return
	if ! grep -q 'errors: 0$' out ||
	   grep -E 'max search depth too small|Search not completed|MEMLIM|^pan:1' out; then
		echo "FAIL $1, $property: the right model does not hold, or was not searched to the end"
		tail -n 25 out
		return 1
	fi
	seconds=$(sed -n 's/^pan: elapsed time //p' out)
	printf 'ok   %-20s %-9s %9s states, %s\n' "$1" "$property" \
		"$(awk '/states, stored/ { print $1 }' out)" "${seconds:-0 seconds}"
}

# broken VARIANT EXPECTED PROPERTY DEFINES...: is caught, for the right reason
broken()
{
	local variant=$1 expected=$2
	search "$work/BROKEN_$variant" "$3" "-DBROKEN_$variant" "${@:4}" || return
	if ! grep -qE "^pan:1: ($expected)" out; then
		echo "FAIL BROKEN_$variant: the check did not notice"
		tail -n 25 out
		return 1
	fi
	printf 'ok   BROKEN_%-13s caught: %s\n' "$variant" \
		"$(sed -nE 's/^pan:1: (.{1,60}).*/\1/p' out | head -n 1)"
}

one="-DPAGES=1 -DCOPIES=1"
mortal="$one -DMORTAL"
slots="$mortal -DNO_COPY=1 -DBATCHES=2 -DTHREADS=2 -DRINGS"
cat >"$work/jobs" <<-EOF
	right	two-by-dma	safety	-DLARGE -DPAGES=2 -DCOPIES=2
	right	dma-and-cpu	safety	-DLARGE -DPAGES=2 -DCOPIES=2 -DDMA_COPIES=1
	right	killed	safety	-DPAGES=2 -DCOPIES=1 -DMORTAL -DRINGS
	right	killed-cpu	safety	-DPAGES=2 -DCOPIES=1 -DDMA_COPIES=0 -DMORTAL -DRINGS
	right	slot	safety	$slots
	right	ends	unlocked	$mortal
	right	ends-two	unlocked	$mortal -DNO_COPY=1 -DBATCHES=2
	right	dies	exits	$mortal
	broken	POISON_FIRST	.*writers	safety	$one
	broken	ARM_LATE	.*deadline	safety	$slots
	broken	FINISH_REF	.*op_ref	safety	$mortal
	broken	COMMAND	.*copy_cmd	safety	$one
	broken	STAY	.*held	safety	$one
	broken	SPOILED	.*(writers|given|held)	safety	$one
	broken	MODULE	.*in_flight	safety	$mortal
	broken	END_BIT	.*ends	safety	$one
	broken	RESCUE	.*(writers|held)	safety	$one
	broken	HOLD	.*(writers|frame_ref)	safety	$one
	broken	COMMIT	.*state	safety	$one
	broken	PARK_ANY	.*(jobs|slot_state|cmd)	safety	$slots
	broken	NO_DEADLINE	acceptance cycle	unlocked	$one
EOF

# Two at a time; each says its own line.
status=0
while IFS=$'\t' read -r kind first second third fourth; do
	[[ $# -eq 0 || " $* " == *" $first "* ]] || continue
	# shellcheck disable=SC2086 # lists of words
	if [[ $kind = right ]]; then
		right "$first" "$second" $third &
	else
		broken "$first" "$second" "$third" $fourth &
	fi
	while (($(jobs -rp | wc -l) >= 2)); do
		wait -n || status=1
	done
done <"$work/jobs"
while [[ -n $(jobs -p) ]]; do
	wait -n || status=1
	jobs >/dev/null
done

(($# == 0)) || exit $status

# The right model takes every edge of the table, so none stands there idle.
names=(FREE LOCKED FETCHED COPYING COPIED COMMITTED PUT_BACK)
for out in "$work"/[a-z]*/out; do
	sed -n 's/^edge //p' "$out"
done | sort -u | while read -r from to; do
	echo "${names[from]} ${names[to]}"
done | sort >"$work/taken"
# But for one: migd_slot_hand() makes LOCKED FETCHED before anybody else can see
# the batch, so that none is ended in LOCKED.
grep -vx 'LOCKED PUT_BACK' "$work/table" >"$work/live"
if ! same "$work/taken" "$work/live" 'taken by the search'; then
	echo "the transitions that the model takes are not those of the table"
	status=1
fi
exit $status
