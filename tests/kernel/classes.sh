#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Page classes that are left alone, each with its own reason, and never split.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
set -eu -o pipefail

# a swap and a file system that need no disk
modprobe zram num_devices=2
echo 256M >/sys/block/zram0/disksize
echo 64M >/sys/block/zram1/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
mkfs.ext4 -q /dev/zram1
mkdir -p /run/migd-classes
mount -t ext4 /dev/zram1 /run/migd-classes

status=0
kernel/run-test.sh classes || status=$?

umount /run/migd-classes
swapoff /dev/zram0
rmmod zram
echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
exit $status
