#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A batch that nobody commits is ended at its deadline.
#
# machines: amd64 amd64-debug arm64
# timeout: 60
exec kernel/run-test.sh deadline
