#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Threads that check each value, through 50 migrations, fork, munmap, mprotect.
#
# machines: amd64 amd64-debug arm64
# timeout: 400
exec kernel/run-test.sh writers
