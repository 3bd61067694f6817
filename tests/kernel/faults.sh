#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Engines that fail: the CPU copies what they could not.
#
# machines: amd64 amd64-debug amd64-iommu
# timeout: 60
exec kernel/run-test.sh faults
