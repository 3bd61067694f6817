#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Mappings of devices and of the kernel's pages between pieces of ordinary memory:
# what is ordinary moves, the others are not touched.
#
# machines: amd64
# timeout: 240
set -eu -o pipefail
. bus/jobs.sh

# of no driver in this guest: who has claimed it, its driver, would refuse the mapping
for controller in /sys/bus/pci/devices/*; do
	[ "$(<"$controller/class")" != 0x010601 ] || break
done
[ "$(<"$controller/class")" = 0x010601 ] || fail "this machine has no AHCI controller"
[ ! -e "$controller/driver" ] || fail "the AHCI controller has a driver"
echo 1 >"$controller/enable"

serve
target_program=fault/device target t -- 512 0 "$controller/resource5" \
	"$(stat -c %s "$controller/resource5")"
pid=${target_pid[t]}
flags=$(awk '/^[0-9a-f]+-/ { at = $0 } /^VmFlags:.* (pf|mm)( |$)/ { print at, $0 }' "/proc/$pid/smaps")
for name in resource5 /dev/mem io_uring; do
	grep -E "$name.* VmFlags:" <<<"$flags" | sed 's/  */ /g;s/^/        /' ||
		fail "$name is no mapping of a device: $flags"
done
ask t all
all=$answer
ask t parts
read -r registers nr_registers rom nr_rom ring nr_ring <<<"$answer"

step "the pieces of ordinary memory move, and nothing else"
from=0
for order in copy-first state-first; do
	status=0
	migctl migrate "$pid" --from $from --to $((1 - from)) --order $order --range "$all" \
		--json >"$dir/job.json" || status=$?
	of_job '"        \(.outcome): \(.moved) of \(.total) moved, left \(.left)"'
	equal "$status" 0 "the exit code"
	accounted
	equal "$(of_job .moved)" $((3 * target_pages[t])) "the number of pages moved"
	equal "$(of_job '.left | length')" 0 "the number of reasons"
	from=$((1 - from))
	ask t check
	equal "$answer" "wrong 0" "what the target says of its memory"
done

step "nothing of them can be moved: registers $nr_registers, ROM $nr_rom, ring $nr_ring pages"
special=0
for to in 0 1; do
	expect 0 '' migctl migrate "$pid" --to $to --range "$ring" --json
	equal "$(jq -c '[.moved, .total - (.left.special // 0)]' "$dir/out")" '[0,0]' "what can be moved"
	special=$((special + $(jq '.left.special // 0' "$dir/out")))
done
equal $special "$nr_ring" "the number of pages left on both nodes together"
for range in "$registers" "$rom"; do
	for to in 0 1; do
		expect 0 '' migctl migrate "$pid" --to $to --range "$range" --json
		equal "$(jq -c '[.total, .moved, .left]' "$dir/out")" '[0,0,{}]' "what is there to move"
	done
done
ask t check
equal "$answer" "wrong 0" "what the target says of its memory"
