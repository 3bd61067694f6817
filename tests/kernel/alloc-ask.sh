#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each allocation of a request, and some of loading the module, fail once.
#
# machines: amd64-debug
# timeout: 300
set -eu -o pipefail

systemctl stop migd.service 2>/dev/null || true
! grep -q '^migd ' /proc/modules || rmmod migd
[[ -e /sys/kernel/debug/failslab ]] || mount -t debugfs none /sys/kernel/debug
kernel/alloc-ask "$(modinfo -n migd)"
exec kernel/run-test.sh alloc-ask
