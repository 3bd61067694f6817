#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# fuzz.sh [SEED [SECONDS]]: random commands and random netlink messages, while
# the memory of a process that checks it is moved.
#
# machines: amd64 amd64-debug
# timeout: 120
exec kernel/run-test.sh ../fault/fuzz "$@"
