#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every engine in both orders, there and back: all moved, byte-equal.
#
# machines: amd64 amd64-debug amd64-iommu arm64
# timeout: 120
exec kernel/run-test.sh first
