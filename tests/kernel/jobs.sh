#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Jobs: cancel, rate, cap on locked pages, list, events, a target that goes.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
exec kernel/run-test.sh jobs
