#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# W=1 and sparse on the module and on the test engine: no warning in our files.
# Debian 12's sparse (0.6.4) is older than the 6.12 headers and complains about
# some of them, so messages whose place is outside our files are left out.
# timeout: 600
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
headers=$(tests/vm/vm.py kernel-headers amd64)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
for directory in kmod tests/engine; do
	files "$directory/*" 'uapi/*' | xargs -0 cp --parents -t "$work"
	make -C "$headers" M="$work/$directory" W=1 C=2 CHECK=sparse -j"$(nproc)" modules \
		>"$work/log" 2>&1 || {
		cat "$work/log"
		exit 1
	}
	# a path below $work, or one relative to the build
	if grep -E "(warning|error):" "$work/log" | grep -vE "^(/[^:]*/usr/src/|\./|include/|arch/)"; then
		status=1
	fi
done
exit $status
