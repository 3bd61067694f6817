#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run-test.sh PROGRAM [ARGUMENT...]: runs a kernel test with the module and the
# machine's engine loaded, and removes both afterwards, which must work.
set -eu -o pipefail

program=/usr/lib/migd/tests/kernel/$1
shift

case $MIGD_MACHINE in
arm64) engine=zynqmp_dma ;;
*) engine=migd_lsi ;;
esac

# remove MODULE: io_uring gives up the files of a dead ring a moment later
remove()
{
	local attempt

	for attempt in {1..100}; do
		if rmmod "$1" 2>/dev/null; then
			return 0
		fi
		sleep 0.1
	done
	echo "rmmod $1 is refused after $attempt attempts:"
	grep "^$1 " /proc/modules
	rmmod "$1"
}

# another test may have left the daemon's modules there
systemctl stop migd.service 2>/dev/null || true
for module in migd "$engine"; do
	! grep -q "^$module " /proc/modules || remove "$module"
done
modprobe "$engine"
modprobe migd poison=1
[ -e /sys/kernel/debug/tracing ] || mount -t debugfs none /sys/kernel/debug
# what the kernel moves back or merges by itself is not for these tests
numa=/proc/sys/kernel/numa_balancing
[ ! -w $numa ] || echo 0 >$numa

status=0
"$program" "$@" || status=$?
# a failed test leaves jobs behind; the guest is thrown away
[ $status = 0 ] || exit $status
remove migd
remove "$engine"
