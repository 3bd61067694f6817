#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The destination node fills up in the middle of a job.
#
# machines: amd64 amd64-debug
# timeout: 120
set -eu

status=0
kernel/run-test.sh full || status=$?
echo 0 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
exit $status
