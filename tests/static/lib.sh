# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by the static checks. They run in the top directory of the checkout,
# print what is wrong and exit non-zero; nothing is printed when all is well.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1

# files PATTERN...: tracked files and new ones that are not ignored, NUL between
files()
{
	git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
		while IFS= read -r -d '' file; do
			[[ ! -f $file ]] || printf '%s\0' "$file"
		done
}

# written_in ENDING REGEX: those whose name ends so, or that name such an interpreter
# in their first line, NUL between; without a process for each
written_in()
{
	local file first

	while IFS= read -r -d '' file; do
		first=
		[[ $file == *"$1" ]] || IFS= read -r first <"$file" || true
		if [[ $file == *"$1" || $first =~ ^#!.*$2 ]]; then
			printf '%s\0' "$file"
		fi
	done < <(files '*')
}

# The generated netlink code follows its generator's style, its page is as long as it gets.
not_generated()
{
	grep -zvE '^(kmod/genl\.[ch]|uapi/linux/migd_netlink\.h|uapi/migd-netlink\.7)$'
}

kernel_source()
{
	tests/vm/vm.py kernel-source
}
