#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Page classes that are left alone, each with its own reason, and never split.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
set -eu -o pipefail

# a swap and a file system that need no disk
modprobe brd rd_nr=2 rd_size=131072
mkswap /dev/ram0 >/dev/null
swapon /dev/ram0
mkfs.ext4 -q /dev/ram1
mkdir -p /run/migd-classes
mount -t ext4 /dev/ram1 /run/migd-classes

status=0
kernel/run-test.sh classes || status=$?

umount /run/migd-classes
swapoff /dev/ram0
rmmod brd
echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
exit $status
