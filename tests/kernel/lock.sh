#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Locking keeps to its part of the deadline, and loses no page by it.
#
# machines: amd64 amd64-debug arm64
# timeout: 120
exec kernel/run-test.sh lock
