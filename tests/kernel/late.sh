#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Engines that write after the deadline: quarantine, and no process sees it.
#
# machines: amd64 amd64-debug amd64-iommu
# timeout: 60
exec kernel/run-test.sh late
