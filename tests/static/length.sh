#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No file of ours is longer than 600 lines. Generated code and the licence are
# not ours, nor is what daemon/busdoc.py writes into a page; a netlink
# specification has to be one file.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

files | not_generated | grep -zvE '^(LICENSE|uapi/specs/.*)$' | xargs -0 awk '
	FNR == 1 { written = 0 }
	/busdoc\.py: do not edit$/ { written = 1 }
	!written { lines[FILENAME]++ }
	/^\.\\" end$/ { written = 0 }
	END {
		for (file in lines)
			if (lines[file] > 600) {
				print file " has " lines[file] " lines; split it"
				status = 1
			}
		exit status
	}'
