#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory of the source and of the destination goes offline in the middle of a job.
#
# machines: amd64
# timeout: 180
set -eu -o pipefail

status=0
kernel/run-test.sh offline || status=$?
# a failed test's guest is thrown away
[[ $status = 0 ]] || exit $status
for state in /sys/devices/system/memory/memory*/state; do
	[[ $(<"$state") = online ]] || {
		echo "$state is $(<"$state")"
		exit 1
	}
done
