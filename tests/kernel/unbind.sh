#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The engine's driver is unbound with nothing, with a COPY, with a stuck COPY on
# its channel: the process keeps its pages, the channel goes, and comes back.
#
# machines: amd64 amd64-debug amd64-iommu
# timeout: 120
exec kernel/run-test.sh unbind
