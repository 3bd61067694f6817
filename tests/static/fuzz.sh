#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fuzz.sh [TARGET [LIBFUZZER-OPTION...] [INPUT...]]
#
# The parsers under libFuzzer with ASan, LSan and UBSan, from the corpus in
# tests/fuzz/corpus: a bounded number of runs of each with a fixed seed, so that
# a failure comes again. By hand one target may run for longer: see HACKING.md.
# timeout: 600
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

seed=1
runs=200000
packages=(libnl-genl-3.0 libsystemd jansson)
declare -A sources=(
	[conf]='daemon/conf.c daemon/ini.c daemon/policy.c'
	[policy]='daemon/policy.c daemon/ini.c'
	[netlink]='daemon/netlink_parse.c daemon/text.c'
	[words]='tools/text.c tools/rangelist.c tools/numa_maps.c daemon/cgroup.c'
	[reply]='tools/job.c tools/summary.c tools/json.c tools/reason.c tools/table.c
		tools/text.c tools/client.c tools/agent.c tools/opts.c'
)

# build TARGET
build()
{
	# shellcheck disable=SC2046,SC2086 # lists of words
	clang -g -O1 -std=gnu11 -D_GNU_SOURCE '-DMIGCTL_VERSION="fuzz"' -fno-omit-frame-pointer \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Iuapi "-I${sources[$1]%%/*}" -Itests/fuzz \
		$(pkg-config --cflags "${packages[@]}") "tests/fuzz/$1.c" ${sources[$1]} \
		$(pkg-config --libs "${packages[@]}") -o "$build/$1"
}

# fuzz TARGET ARGUMENT...: what it finds stays in the current directory
fuzz()
{
	local target=$1 dict=tests/fuzz/$1.dict

	shift
	[ ! -e "$dict" ] || set -- -dict="$dict" "$@"
	# inputs by name are run once each, without the corpus
	if [[ $# -eq 0 || ${!#} == -* ]]; then
		mkdir "$build/$target.found"
		set -- "$@" "$build/$target.found" "tests/fuzz/corpus/$target"
	fi
	"$build/$target" -timeout=10 -rss_limit_mb=1024 -max_len=4096 "$@"
}

if [ $# -gt 0 ]; then
	[[ -v sources[$1] ]] || {
		echo "fuzz.sh: there is no target '$1', but: ${!sources[*]}" >&2
		exit 2
	}
	build "$1"
	fuzz "$@"
	exit 0
fi

status=0
for target in "${!sources[@]}"; do
	build "$target"
	log=$build/$target.log
	started=$SECONDS
	if ! fuzz "$target" -seed=$seed -runs=$runs -artifact_prefix="$build/" >"$log" 2>&1; then
		cat "$log"
		echo "$target: failed with seed $seed"
		status=1
		continue
	fi
	# "Done N runs in S second(s)"
	done=$(sed -n 's/^Done \([0-9]*\) runs in .*/\1/p' "$log")
	cover=$(sed -n 's/.*\tDONE *\(cov: [0-9]*\).*/\1/p' "$log")
	echo "$target: $done runs, seed $seed, $((SECONDS - started)) s, $cover"
	[ "${done:-0}" -ge $runs ] || {
		echo "$target: that is not $runs runs"
		status=1
	}
done
exit $status
