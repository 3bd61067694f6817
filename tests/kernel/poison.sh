#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A source page is poisoned while an engine has it: nothing is freed too early.
#
# machines: amd64 amd64-debug amd64-iommu
# timeout: 60
set -eu
modprobe hwpoison-inject
exec kernel/run-test.sh poison
