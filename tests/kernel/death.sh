#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Servers killed or stopped with batches in their hands.
#
# machines: amd64 amd64-debug arm64
# timeout: 120
exec kernel/run-test.sh death
