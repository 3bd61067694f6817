#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# checkpatch.pl --strict on all C files, with the list in checkpatch.ignore;
# checkpatch.types are types that it does not know.
# timeout: 1200
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
# it leaves a list of camel-case names behind
trap 'rm -f .checkpatch-camelcase.*' EXIT
checkpatch=$(kernel_source)/scripts/checkpatch.pl

# ignored WHERE...: a comma-separated list of types
ignored()
{
	awk -v where=" $* " '!/^#/ && NF && index(where, " " $1 " ") { print $2 }' \
		tests/static/checkpatch.ignore | paste -sd,
}

# check IGNORE: the files on standard input
check()
{
	xargs -0r -P "$(nproc)" -n 8 perl "$checkpatch" --no-tree --strict --terse --no-summary \
		--show-types --max-line-length=100 \
		--typedefsfile=tests/static/checkpatch.types --ignore "$1" -f
}

status=0
files 'kmod/*.[ch]' 'tests/engine/*.[ch]' | not_generated | grep -zv 'trace\.h$' |
	check "$(ignored all)" || status=1
files 'kmod/*trace.h' | check "$(ignored all trace)" || status=1
files 'uapi/*.h' 'daemon/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]' | not_generated |
	grep -zv '^tests/engine/' | check "$(ignored all user)" || status=1
exit $status
