#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# groff has no complaint about the man pages, and org.migd1(5) has the interfaces
# of daemon/interfaces; that these are the daemon's is for its unit test daemon-bus.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

status=0
while IFS= read -r -d '' file; do
	warnings=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$file" 2>&1 >/dev/null)
	if [[ -n $warnings ]]; then
		printf '%s: %s\n' "$file" "$warnings"
		status=1
	fi
done < <(files '*.[1-8]' '*.[1-8].in')
daemon/busdoc.py || status=1
exit $status
