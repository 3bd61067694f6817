#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# soak.sh SECONDS SEED [counts]: jobs back and forth under a checking writer,
# without a pause, while one fault after the other is thrown at the daemon, the
# engines, the target and the kernel around. With "counts" it goes on after
# SECONDS until the daemon has been killed and stopped as often as $wanted says.
# tests/soak runs it; what was survived is printed at the end.
set -eu -o pipefail
. fault/lib.sh
. fault/soak/daemon.sh
. fault/soak/engine.sh
. fault/soak/target.sh
. fault/soak/kernel.sh

seconds=$1
RANDOM=$2
counts=${3:-}
patience=180

declare -A wanted=(["daemon: killed"]=1000 ["daemon: stopped for 1 s"]=190
	["daemon: stopped for 10 s"]=10)

# How often in a bag, which is emptied in random order and filled again.
faults='
6 killed
8 stopped_1s
1 stopped_10s
2 restarted
1 reloaded
1 abandoned
1 second_daemon
2 cancelled
2 cancelled_under_dma
2 second_job
1 atomic_job
1 denied
1 fuzzed
1 one_fails
1 some_fail
1 all_fail
1 never_answers
1 writes_late
1 loses_interrupts
1 out_of_order
1 answers_when_asked
1 slow
1 prep_is_null
1 no_room
1 submit_fails
1 lied
1 released
1 unbound
1 churn mprotect
1 churn mlock
1 churn soft-dirty
1 churn munmap
1 churn mremap
1 churn dontneed
1 churn free
1 churn fork
1 churn mbind
1 churn uffd-missing
1 churn uffd-wp
1 churn uffd-minor
1 churn io-uring
1 churn vmsplice
1 exits
1 execs
1 frozen
1 killed_for_memory
1 traced
1 pinned
1 pressed
1 compacted
1 migratepages_too
1 merged
1 collapsed
1 watched
1 poisoned
'
# without an IOMMU the kernel itself complains
[ "$MIGD_MACHINE" != amd64-iommu ] || faults+='1 no_mapping'

declare -A survived=()
declare -a bag=()
nr_faults=0
longest=0

# count WORDS [N]
count()
{
	survived[$1]=$((${survived[$1]:-0} + ${2:-1}))
}

# nap MSEC: between two random moments, or for as long as a fault lasts
mkfifo "$dir/never"
exec {never}<>"$dir/never"
nap()
{
	local time

	printf -v time '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	read -r -t "$time" -u "$never" || true
}

# soon WORDS COMMAND...: as until_true, but looks often and forks nothing
soon()
{
	local what=$1 end=$((SECONDS + patience))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || too_long "$what"
		nap 20
	done
}

# The mover is a process of its own: one job after the other, until $dir/stop. A
# call that the daemon did not live to answer is no job that anybody knows of.
mover()
{
	local to=1 order engine status outcome
	local -a orders=(copy-first copy-first state-first) engines=(auto dma dma cpu) more

	while [ ! -e "$dir/stop" ]; do
		if [ -e "$dir/pause" ]; then
			: >"$dir/paused"
			nap 50
			continue
		fi
		order=${orders[RANDOM % 3]}
		engine=${engines[RANDOM % 4]}
		more=(--max-rate $((2 + RANDOM % 14))Mi)
		[ ! -e "$dir/verify" ] || more+=(--verify)
		status=0
		migctl migrate "${target_pid[t]}" --to $to --order "$order" --engine "$engine" \
			--daemon-timeout 90s --json "${more[@]}" \
			>"$dir/mover.json" 2>"$dir/mover.err" || status=$?
		outcome=$(jq -r .outcome "$dir/mover.json" 2>/dev/null) || outcome=
		case "$status ${outcome:-unanswered}" in
		'0 moved' | '3 partly' | '1 failed' | '130 cancelled' | [13]' server-lost') ;;
		[135]' unanswered' | '130 unanswered') ;;
		*)
			echo "a job ends with $status, '$outcome': $(<"$dir/mover.err")" \
				>"$dir/mover.failed"
			return
			;;
		esac
		echo "${outcome:-unanswered}" >>"$dir/outcomes"
		to=$((1 - to))
	done
}

mover_ended()
{
	[ ! -e "$dir/mover.failed" ] || fail "$(<"$dir/mover.failed")"
	! kill -0 "$mover" 2>/dev/null
}

mover_paused()
{
	! mover_ended || fail "the mover has ended"
	[ -e "$dir/paused" ]
}

# quiesce, resume: no job of the mover runs in between
quiesce()
{
	rm -f "$dir/paused"
	: >"$dir/pause"
	soon "the end of the mover's job" mover_paused
}

resume()
{
	rm -f "$dir/pause"
}

# judge WORDS: after that all is as it should be
judge()
{
	local stalled bad machine late limit

	ask t stall
	read -r _ stalled _ bad _ written <<<"$answer"
	equal "$bad" 0 "the number of wrong words after: $1"
	ask beat stall
	machine=${answer#stall }
	slowest=$((machine > slowest ? machine : slowest))
	longest=$((stalled > longest ? stalled : longest))
	served
	# of those that ran since it was last asked, and of some before
	locking=$(asked jobs --json | jq '[.[].lock.max_ns / 1000 | floor] | max // 0')
	late=$(asked stats --json | jq .late)
	limit=$((deadline_us + grace_us + locking + 2 * machine))
	[ "$stalled" -le $limit ] || fail "the writer was stopped for $stalled us after: $1 (locking \
$locking us, the machine's stop $machine us)"
	[ "$late" = 0 ] || [ "$slowest" -gt $((grace_us / 2)) ] ||
		fail "$late batches ended too late after: $1 (the machine's longest stop $slowest us)"
	whole
}

missing()
{
	local name

	for name in "${!wanted[@]}"; do
		[ "${survived[$name]:-0}" -ge "${wanted[$name]}" ] || return 0
	done
	return 1
}

# fill_bag: with all there is; when the time is up, with what is missing
fill_bag()
{
	local times name i

	bag=()
	if [ $SECONDS -ge $end ]; then
		[ "${survived[daemon: killed]:-0}" -ge "${wanted[daemon: killed]}" ] || bag+=(killed)
		[ "${survived[daemon: stopped for 1 s]:-0}" -ge "${wanted[daemon: stopped for 1 s]}" ] ||
			bag+=(stopped_1s)
		[ "${survived[daemon: stopped for 10 s]:-0}" -ge "${wanted[daemon: stopped for 10 s]}" ] ||
			bag+=(stopped_10s)
		return 0
	fi
	while read -r times name; do
		for ((i = 0; i < ${times:-0}; i++)); do
			bag+=("$name")
		done
	done <<<"$faults"
}

# draw: one of the bag, in $fault
draw()
{
	local i

	[ ${#bag[@]} -gt 0 ] || fill_bag
	i=$((RANDOM % ${#bag[@]}))
	fault=${bag[i]}
	bag[i]=${bag[-1]}
	unset 'bag[-1]'
}

# so_far: one line
so_far()
{
	step "$nr_faults rounds of faults, $(wc -l <"$dir/outcomes") jobs, the daemon killed" \
		"${survived[daemon: killed]:-0} times, $((SECONDS - begun)) s"
}

prepare_swap()
{
	modprobe brd rd_nr=2 rd_size=65536
	swap=/dev/ram0
	if modprobe zram num_devices=1 2>/dev/null; then
		swap=/dev/zram0
		echo 64M >/sys/block/zram0/disksize
	fi
	udevadm settle
	mkswap $swap >/dev/null
	swapon $swap
}

prepare_disk()
{
	disk=/run/migd-soak
	mkfs.ext4 -q /dev/ram1
	mkdir -p $disk
	mount -t ext4 /dev/ram1 $disk
}

prepare()
{
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	modprobe hwpoison-inject
	prepare_swap
	prepare_disk
	thp_was=$(sed 's/.*\[\(.*\)\].*/\1/' $thp/enabled)
	echo always >$thp/enabled
	khugepaged 10000
	t_cgroup=/sys/fs/cgroup/migd-soak
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir $t_cgroup
	before_target=(sh -c "echo \$\$ >$t_cgroup/cgroup.procs && exec nice -n 5 \"\$@\"" sh)
	module_options+=(server_wait_ms=15000)
	started 4 0 thp
	echo 4 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	says t "cd $disk" there
	for kind in anon zero heap stack file private-file shmem memfd sysv ksm; do
		mapped $kind 256 0
	done
	mapped hugetlb 2048 0
	mapped thp 2048 0
	mapped collapsible 2048 0
	mapped shared-by-fork 256 0
}

# Everything has its values, and nothing is left of what was done.
afterwards()
{
	: >"$dir/stop"
	soon "the end of the last job" mover_ended
	served
	until_true "all engines serve" serves_all
	clean_engines()
	{
		asked engines --json | jq -e 'all(.in_flight == 0 and .quarantined == 0)'
	}
	until_true "the engines are idle" clean_engines
	judge "all"
	asked stats --json >"$dir/stats.json"
	equal "$(systemctl show -P ActiveState migd.service)" active "the state of migd.service"
	drop t
	echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	swapoff $swap
	ended
	umount $disk
	rmmod brd hwpoison-inject
	! loaded zram || rmmod zram
	echo "$thp_was" >$thp/enabled
	until_true "the cgroup is empty" rmdir $t_cgroup
}

# of WORDS: how far it is to the count that is wanted
of_wanted()
{
	local done=${survived[$1]:-0} want=${wanted[$1]}

	if [ "$done" -ge "$want" ]; then
		printf '  %s: %d of %d, reached\n' "$1" "$done" "$want"
	elif [ "$done" = 0 ]; then
		printf '  %s: 0 of %d\n' "$1" "$want"
	else
		printf '  %s: %d of %d; at this rate it takes %d minutes\n' "$1" "$done" "$want" \
			$(((took_seconds * want / done + 59) / 60))
	fi
}

report()
{
	local name

	echo "survived, and how often:"
	for name in "${!survived[@]}"; do
		printf '%s\t%d\n' "$name" "${survived[$name]}"
	done | sort | awk -F ': |\t' '
		{ line[$1] = line[$1] (line[$1] ? ", " : "  " $1 ": ") $2 " " $3 }
		END { n = split("daemon job engine target kernel attack", group, " ")
		      for (i = 1; i <= n; i++)
			      if (group[i] in line)
				      print line[group[i]] }' | fold -s -w 110 | sed '/^  /!s/^/    /'
	echo "of the counts wanted (tests/soak --counts goes on until they are reached):"
	for name in "${!wanted[@]}"; do
		of_wanted "$name"
	done | sort
	printf 'jobs %d:%s\n' "$(wc -l <"$dir/outcomes")" \
		"$(sort "$dir/outcomes" | uniq -c | awk '{ printf " %s %d", $2, $1 }')"
	jq -r '"module: \(.jobs) jobs, \(.batches) batches, \(.moved) pages moved; put back or left " +
		"\([.left[]] | add // 0); batches it ended itself: deadline \(.rescued_deadline), " +
		"daemon gone \(.rescued_server); ever in quarantine \(.quarantined_total) pages, " +
		"state moved back \(.undone), wrong copies found \(.verify_failed)"' "$dir/stats.json"
	echo "the writer went $written rounds over its memory, its longest stop was" \
		"$((longest / 1000)) ms, the machine's $((slowest / 1000)) ms"
	echo "soak: $took_seconds s on $MIGD_MACHINE, $nr_faults rounds of faults: 0 wrong words," \
		"$(jq .late "$dir/stats.json") late batches, no page locked, held or lost"
}

prepare
: >"$dir/outcomes"
mover &
mover=$!
children+=("$mover")
begun=$SECONDS
end=$((begun + seconds))
judged=$begun
told=$begun
while [ $SECONDS -lt $end ] || { [ "$counts" ] && missing; }; do
	draw
	started_at=$SECONDS
	# shellcheck disable=SC2086 # a function and its argument
	$fault
	nr_faults=$((nr_faults + 1))
	[ $((SECONDS - started_at)) -lt 30 ] || step "$fault took $((SECONDS - started_at)) s"
	! mover_ended || fail "the mover has ended after: $fault"
	if [ $((SECONDS - judged)) -ge 10 ]; then
		judge "$fault"
		judged=$SECONDS
	fi
	if [ $((SECONDS - told)) -ge 60 ]; then
		so_far
		# a job that does not return is seen now, with what it waits for
		quiesce
		resume
		told=$SECONDS
	fi
done
took_seconds=$((SECONDS - begun))
afterwards
report
