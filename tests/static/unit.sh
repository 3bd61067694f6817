#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space builds without a warning with ASan and UBSan, and its unit tests
# pass under them.
# timeout: 900
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

meson setup -Dkmod=disabled -Dtests=true --werror -Dwarning_level=2 \
	-Db_sanitize=address,undefined -Db_lundef=false "$build"
ninja -C "$build"
UBSAN_OPTIONS=halt_on_error=1 meson test -C "$build" --no-rebuild --print-errorlogs
