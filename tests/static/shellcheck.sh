#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No complaint about anything that a shell reads.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

scripts=()
while IFS= read -r -d '' file; do
	if [[ $file == *.sh ]] || head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh\b'; then
		scripts+=("$file")
	fi
done < <(files)
# SC1090, SC1091: files that are sourced are checked by themselves
shellcheck -e SC1090,SC1091 "${scripts[@]}"
