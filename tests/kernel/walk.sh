#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The walk over the target: what it counts, what it waits for, who may serve it.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
exec kernel/run-test.sh walk
