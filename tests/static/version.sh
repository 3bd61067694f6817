#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The version in meson.build stands in the module, which dkms builds without
# meson, in Debian's changelog, and in the man pages too.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)
[[ -n $version ]] || {
	echo "meson.build names no version"
	exit 1
}

status=0
# says FILE VERSION: the version that FILE has
says()
{
	[[ $2 == "$version" ]] && return
	echo "$1 says version '$2', meson.build $version"
	status=1
}

says kmod/internal.h "$(sed -n 's/^#define MIGD_VERSION\t*"\(.*\)"$/\1/p' kmod/internal.h)"
says debian/changelog "$(sed -n '1s/^migd (\(.*\)) .*$/\1/p' debian/changelog)"
while IFS= read -r -d '' file; do
	# pages in mdoc(7), which have no such field, begin with .Dd
	grep -q '^\.Dd ' "$file" ||
		says "$file" "$(sed -n 's/^\.TH .* "migd \(.*\)" ".*"$/\1/p' "$file")"
done < <(files '*.[1-8]')
exit $status
