#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# alloc-ask.sh [N]: each allocation of a request fails once, and N of loading the
# module, 8 by default.
#
# machines: amd64-debug
# timeout: 300
set -eu -o pipefail

systemctl stop migd.service 2>/dev/null || true
! grep -q '^migd ' /proc/modules || rmmod migd
[[ -e /sys/kernel/debug/failslab ]] || mount -t debugfs none /sys/kernel/debug
kernel/alloc-ask "$(modinfo -n migd)" "${1:-8}"
exec kernel/run-test.sh alloc-ask
