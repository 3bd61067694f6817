#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The flag verify: sound engines pass, one that lies is found out.
#
# machines: amd64 amd64-debug amd64-iommu arm64
# timeout: 90
exec kernel/run-test.sh verify
