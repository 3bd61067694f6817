#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A job that runs gets other limits, waits when it is told to, and goes on.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
exec kernel/run-test.sh change
