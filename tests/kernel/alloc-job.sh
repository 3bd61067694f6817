#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each allocation on behalf of a job fails once, one after the other.
#
# machines: amd64-debug
# timeout: 300
exec kernel/run-test.sh alloc-job
