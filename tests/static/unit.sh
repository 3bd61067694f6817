#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space builds without a warning with ASan and UBSan, and its unit tests
# pass under them; those of the daemon, which has threads, under TSan, too.
# timeout: 900
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# what migctl stats prints for it
PATH=$PATH:$(tests/vm/vm.py promtool)
export UBSAN_OPTIONS=halt_on_error=1 TSAN_OPTIONS=halt_on_error=1

# sanitized DIRECTORY SANITIZERS
sanitized()
{
	meson setup -Dkmod=disabled -Dtests=true --werror -Dwarning_level=2 \
		-Db_sanitize="$2" -Db_lundef=false "$1"
}

sanitized "$build/address" address,undefined
ninja -C "$build/address"
meson test -C "$build/address" --no-rebuild --print-errorlogs
# builds what the suite needs; TSan has a fixed place for its shadow, where a kernel
# may put something else
sanitized "$build/thread" thread
setarch -R meson test -C "$build/thread" --print-errorlogs --suite daemon
