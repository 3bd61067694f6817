#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Shared memory of every kind is moved, for all who map, read and write it.
#
# machines: amd64 amd64-debug arm64
# timeout: 120
exec kernel/run-test.sh shmem
