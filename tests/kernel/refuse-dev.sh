#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Wrong input at the device: its own errno, and nothing changes. And a parameter
# that would lock nothing: the module is not loaded.
#
# machines: amd64 amd64-debug arm64
# timeout: 60
set -eu
systemctl stop migd.service 2>/dev/null || true
! grep -q '^migd ' /proc/modules || rmmod migd
if modprobe migd max_locked_pages=0 2>/dev/null; then
	echo "the module takes max_locked_pages=0"
	exit 1
fi
dmesg | tail -n 5 | grep -q 'max_locked_pages=0 would lock nothing' || {
	echo "the kernel log does not say what is wrong with max_locked_pages=0"
	exit 1
}
exec kernel/run-test.sh refuse-dev
