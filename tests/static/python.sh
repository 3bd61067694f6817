#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every Python file compiles.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

while IFS= read -r -d '' file; do
	if [[ $file == *.py ]] || head -n 1 "$file" | grep -aq '^#!.*python3'; then
		/usr/bin/python3 -W error -c 'import pathlib, sys
compile(pathlib.Path(sys.argv[1]).read_text("utf-8"), sys.argv[1], "exec")' "$file"
	fi
done < <(files)
