#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# COPYs that end while the deadline, or the end of their server, takes them away.
#
# machines: amd64 amd64-debug amd64-iommu
# timeout: 90
exec kernel/run-test.sh race
