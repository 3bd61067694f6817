#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# groff has no complaint about the man pages, and org.migd1(5) has the interfaces
# of daemon/interfaces; that these are the daemon's is for its unit test daemon-bus.
# Parameters, tracepoints, keys and the daemon's options are in the pages.
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

# named NAME FILE WHAT
named()
{
	grep -qx "\.I $1" "$2" && return
	echo "$2 has no $3 $1"
	status=1
}
# what somebody meets of the module and in the configuration is in a page
while read -r name; do
	named "$name" kmod/migd.4 parameter
done < <(sed -n 's/^module_param_named(\([a-z_]*\),.*/\1/p' kmod/*.c)
while read -r name; do
	named "$name" kmod/migd.4 tracepoint
done < <(sed -n 's/^TRACE_EVENT(\([a-z_]*\),$/\1/p' kmod/trace.h)
while read -r name; do
	named "$name" daemon/migd.conf.5 key
done < <(sed -n 's/^#\?\([A-Z][A-Za-z]*=\).*/\1/p' daemon/migd.conf)
while read -r option; do
	grep -q "^\.BR\? .*\\\\-\\\\-$option\b" daemon/migd.8 || {
		echo "daemon/migd.8 has no option --$option"
		status=1
	}
done < <(sed -n 's/^\t\t{ "\([a-z-]*\)", [a-z]*_argument, .*/\1/p' daemon/main.c)
while read -r default; do
	grep -qx "Default: $default\." kmod/migd.4 || {
		echo "kmod/migd.4 has no parameter with the default $default"
		status=1
	}
done < <(sed -n 's/^unsigned int migd_[a-z_]* = \([0-9]*\);$/\1/p' kmod/main.c)
exit $status
