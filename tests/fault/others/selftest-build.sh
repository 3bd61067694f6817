#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftest-build.sh LINUX_SOURCE OUTDIR
#
# Builds the kernel's own selftests/mm/migration, unmodified, as
# OUTDIR/selftest-migration. LINUX_SOURCE is the tree of the package
# linux-source-6.12; nothing of it is kept in this repository.
#
# The test skips itself on fewer than three CPUs: one for the thread that moves
# the page, one for each that reads it, and one to spare. The machines have two,
# which is enough for one of each, so it is told that there are three.
set -eu -o pipefail

[[ $# -eq 2 ]] || {
	echo "usage: selftest-build.sh LINUX_SOURCE OUTDIR" >&2
	exit 2
}
tests=$1/tools/testing/selftests
out=$2
[[ -f $tests/mm/migration.c ]] || {
	echo "selftest-build.sh: $tests/mm/migration.c does not exist: unpack linux-source-6.12" >&2
	exit 1
}

mkdir -p "$out"
echo 'int three_cpus(void) { return 3; }' >"$out/cpus.c"
gcc -O2 -D_GNU_SOURCE -Dnuma_num_task_cpus=three_cpus -I"$tests" \
	"$tests/mm/migration.c" "$tests/mm/thp_settings.c" "$out/cpus.c" \
	-o "$out/selftest-migration" -lnuma -lpthread
