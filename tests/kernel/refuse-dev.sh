#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Wrong input at the device: its own errno, and nothing changes.
#
# machines: amd64 amd64-debug arm64
# timeout: 60
exec kernel/run-test.sh refuse-dev
