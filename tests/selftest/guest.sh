#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest is what the other tests rely on.
#
# machines: amd64 amd64-iommu amd64-debug arm64 arm64-mte
# timeout: 60
set -eu -o pipefail

fail()
{
	echo "guest: $*"
	exit 1
}

nodes=$(cat /sys/devices/system/node/online)
[ "$nodes" = 0-2 ] || fail "the nodes online are $nodes, not 0-2"
memory=$(cat /sys/devices/system/node/has_memory)
[ "$memory" = 0-1 ] || fail "the nodes with memory are $memory, not 0-1"
cpus=$(cat /sys/devices/system/node/has_cpu)
[ "$cpus" = 0 ] || fail "the nodes with CPUs are $cpus, not 0"

state=$(systemctl is-system-running --wait) || {
	systemctl --failed --no-pager
	fail "systemd says $state"
}
busctl --system call org.freedesktop.DBus /org/freedesktop/DBus \
	org.freedesktop.DBus GetId || fail "no answer on the system bus"

case $MIGD_MACHINE in
arm64)
	driver=zynqmp_dma
	channels=8
	;;
arm64-mte)
	grep -qE '^Features.* mte( |$)' /proc/cpuinfo || fail "the CPUs have no memory tags"
	exit 0
	;;
*)
	driver=migd_lsi
	channels=4
	;;
esac
modprobe "$driver"
udevadm settle
found=$(find /sys/class/dma -name 'dma*chan*' | wc -l)
[ "$found" -eq "$channels" ] || fail "$driver has $found channels, not $channels"
modprobe -r "$driver" || fail "$driver cannot be removed"

if [ "$MIGD_MACHINE" = amd64-iommu ]; then
	[ -n "$(ls /sys/class/iommu)" ] || fail "there is no IOMMU"
fi
