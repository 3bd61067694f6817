#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Engines that report an error: no process gets a page that they may still write.
#
# machines: amd64 amd64-debug amd64-iommu
# timeout: 60
exec kernel/run-test.sh spoiled
