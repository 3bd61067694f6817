#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The flag atomic: all pages of a range or none.
#
# machines: amd64 amd64-debug arm64
# timeout: 90
set -eu

status=0
kernel/run-test.sh atomic || status=$?
echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
exit $status
