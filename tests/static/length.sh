#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No file of ours is longer than 600 lines. Generated code and the licence are
# not ours, nor is what daemon/busdoc.py writes into a page; a netlink
# specification has to be one file.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

status=0
while IFS= read -r -d '' file; do
	[[ $file != LICENSE && $file != uapi/specs/* ]] || continue
	lines=$(sed '/busdoc\.py: do not edit$/,/^\.\\" end$/d' "$file" | wc -l)
	if ((lines > 600)); then
		echo "$file has $lines lines; split it"
		status=1
	fi
done < <(files | not_generated)
exit $status
