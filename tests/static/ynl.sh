#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink code is what the kernel's generator makes of the specification, and
# migd-netlink(7) what ours does.
#   tests/static/ynl.sh          compare
#   tests/static/ynl.sh --write  generate anew
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
source=$(kernel_source)
spec=uapi/specs/migd.yaml

# The generator names the specification relative to the kernel's top
# directory, which it knows by MAINTAINERS, and wants the schema beside it.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
touch "$tree/MAINTAINERS"
mkdir -p "$tree/uapi/specs" "$tree/out"
cp "$source"/Documentation/netlink/genetlink*.yaml "$tree/uapi"
cp "$spec" "$tree/uapi/specs"

generate()
{
	if [[ $2 == page ]]; then
		uapi/specs/netlinkdoc.py "$spec" \
			"$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)" \
			>"$tree/out/$(basename "$3")"
		return
	fi
	/usr/bin/python3 "$source/tools/net/ynl/ynl-gen-c.py" --spec "$tree/$spec" \
		--mode "$1" "--$2" -o "$tree/out/$(basename "$3")"
}

status=0
while read -r mode kind file; do
	generate "$mode" "$kind" "$file"
	new=$tree/out/$(basename "$file")
	if [[ ${1-} == --write ]]; then
		cmp -s "$file" "$new" || cp "$new" "$file"
	elif ! diff -u --label "$file" --label generated "$file" "$new"; then
		echo "$file is not what $spec makes: run tests/static/ynl.sh --write"
		status=1
	fi
done <<-EOF
	uapi header uapi/linux/migd_netlink.h
	kernel header kmod/genl.h
	kernel source kmod/genl.c
	- page uapi/migd-netlink.7
EOF
exit $status
