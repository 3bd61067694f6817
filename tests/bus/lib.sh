# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the tests of daemon and tools begin with: . bus/lib.sh

. ./lib.sh

dir=$(mktemp -d)
declare -A target_in target_out target_pid target_start target_pages
declare -a children=()
engines_module=migd_lsi
channels=4
case ${MIGD_MACHINE:?} in
arm64)
	engines_module=zynqmp_dma
	channels=8
	;;
arm64-mte)
	engines_module=
	channels=0
	;;
esac

fail()
{
	echo "FAIL: $*"
	[ ! -s "$dir/out" ] || sed 's/^/  stdout: /' "$dir/out"
	[ ! -s "$dir/err" ] || sed 's/^/  stderr: /' "$dir/err"
	journalctl -u migd.service -n 20 --no-pager --no-hostname -o short-monotonic |
		sed 's/^/  journal: /'
	exit 1
}

# waits: where each task of the test and of the daemon waits in the kernel, and
# whatever cannot be interrupted
waits()
{
	local pid tid session state name

	while read -r pid tid session state name; do
		[[ $session = "$own_session" || $name = migd || $state = D* ]] || continue
		echo "  waits: $tid $name $state:$(sed -n 's/^[^ ]* \([^+]*\)+.*/ < \1/p' \
			"/proc/$pid/task/$tid/stack" 2>/dev/null | head -n 6 | tr -d '\n')"
	done < <(ps -eLo pid=,tid=,sid=,stat=,comm=)
}
own_session=$(ps -o sid= -p $$ | tr -d ' ')

# too_long WHAT: it has not come
too_long()
{
	waits
	fail "after $patience s still not: $1"
}

# expect CODE REGEX COMMAND...: exit code, and one sentence on stderr (none when
# REGEX is empty); its output stays in $dir/out and $dir/err
expect()
{
	local want=$1 regex=$2 status=0

	shift 2
	"$@" >"$dir/out" 2>"$dir/err" || status=$?
	[ $status = "$want" ] || fail "'$*' exits with $status, not $want"
	if [ -z "$regex" ]; then
		[ ! -s "$dir/err" ] || fail "'$*' complains"
		return 0
	fi
	equal "$(wc -l <"$dir/err")" 1 "the number of sentences of '$*'"
	grep -qE -e "$regex" "$dir/err" || fail "'$*' does not say '$regex'"
}

loaded()
{
	grep -q "^$1 " /proc/modules
}

# remove MODULE: io_uring gives up the files of a dead ring a moment later
remove()
{
	! loaded "$1" || until_true "rmmod $1" rmmod "$1"
}

# awake: zynqmp_dma_remove() disables the clocks of a device that has been
# suspended for idleness once more, and warns
awake()
{
	local control

	# at boot udev may still be probing them, and those are suspended later
	udevadm settle
	for control in /sys/bus/platform/drivers/xilinx-zynqmp-dma/*/power/control; do
		[ ! -e "$control" ] || echo on >"$control"
	done
}

# bare: no daemon, no module, no policy, as after the installation
bare()
{
	# it reads all units anew, for seconds on the debug kernel
	[ ! -L /run/systemd/system/migd.service ] || systemctl unmask --runtime --quiet migd.service
	systemctl stop migd.service
	systemctl reset-failed migd.service 2>/dev/null || true
	remove migd
	awake
	[ ! "$engines_module" ] || remove "$engines_module"
	rm -rf /var/lib/migd/policy.conf
}

# each destination page is filled with junk before the copy
module_options=(poison=1)

# serve: module and engines are there, the daemon serves
serve()
{
	bare
	[ ! "$engines_module" ] || modprobe "$engines_module"
	modprobe migd "${module_options[@]}"
	udevadm settle
	expect 0 '' migctl status
}

# What a test has changed in the system; it may define its own.
undo()
{
	:
}

# What a test that went well leaves behind; it may define its own.
left_behind()
{
	bare
}

leave()
{
	local status=$?

	trap - EXIT
	set +e
	undo
	for pid in "${target_pid[@]}" "${children[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	{ wait; } 2>/dev/null
	systemctl kill -s CONT migd.service 2>/dev/null
	rm -f /run/modprobe.d/migd-test.conf
	if [ $status = 0 ]; then
		(left_behind) || status=1
	fi
	rm -rf "$dir"
	exit $status
}

trap leave EXIT

# close FD
close()
{
	local fd=$1

	exec {fd}>&-
}

# target NAME [PREFIX...] -- ARGUMENT...: starts $target_program, under a command
target_program=bus/target
target()
{
	local name=$1 in out word
	local -a prefix=()

	shift
	while [ "$1" != -- ]; do
		prefix+=("$1")
		shift
	done
	shift
	mkfifo "$dir/$name.in" "$dir/$name.out"
	"${prefix[@]}" "$target_program" "$@" <"$dir/$name.in" >"$dir/$name.out" &
	exec {in}>"$dir/$name.in" {out}<"$dir/$name.out"
	rm "$dir/$name.in" "$dir/$name.out"
	target_in[$name]=$in
	target_out[$name]=$out
	if ! read -r -t $patience -u "$out" word "target_pid[$name]" "target_start[$name]" \
		"target_pages[$name]" || [ "$word" != ready ]; then
		fail "target $name does not start"
	fi
}

# ask NAME COMMAND: the target's answer is in $answer
ask()
{
	echo "$2" >&"${target_in[$1]}"
	read -r -t $patience -u "${target_out[$1]}" answer || fail "target $1 does not answer $2"
}

# drop NAME: ends it
drop()
{
	kill -KILL "${target_pid[$1]}"
	until_true "the end of target $1" test ! -e "/proc/${target_pid[$1]}"
	close "${target_in[$1]}"
	close "${target_out[$1]}"
	unset "target_pid[$1]"
}

# pages_on NAME NODE: of the target's memory, as the kernel says
pages_on()
{
	awk -v start="${target_start[$1]}" -v key="N$2=" '
		$1 == start {
			for (i = 2; i <= NF; i++)
				if (index($i, key) == 1)
					n = substr($i, length(key) + 1)
		}
		END { print n + 0 }' "/proc/${target_pid[$1]}/numa_maps"
}

# intact NAME NODE: all of the target's memory is there, and is what it should be
intact()
{
	equal "$(pages_on "$1" "$2")" "${target_pages[$1]}" "the number of pages on node $2"
	ask "$1" check
	equal "$answer" "wrong 0" "what the target says of its memory"
}

# call METHOD [SIGNATURE ARGUMENT...]: of the manager
call()
{
	busctl call -- org.migd1 /org/migd1 org.migd1.Manager "$@"
}

# counters: what must not change when a request is refused
counters()
{
	migctl stats --json | jq -c '[.jobs, .jobs_active, .batches, .moved, .left]'
}
