#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Wrong input at the netlink family: errno, a sentence, and nothing changes.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
exec kernel/run-test.sh refuse-ctl
