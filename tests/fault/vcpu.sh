#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The memory of a virtual machine moves while its CPU works on it: KVM maps it a
# second time, in tables that only its MMU notifiers keep right.
#
# machines: amd64
# timeout: 180
set -eu -o pipefail
. bus/jobs.sh
. fault/others/compare.sh

undo()
{
	[ ! "${target_pid[t]-}" ] || drop t
	remove kvm_amd
}

modprobe kvm_amd || fail "no SVM: $(dmesg | grep -i kvm | tail -n 3)"
serve
target_program=fault/vcpu target t "${patient[@]}" -- 4096 0 "$dir/rounds"
range=${target_start[t]}-$(printf %x $((0x${target_start[t]} + target_pages[t] * 4096)))

# goes_on: the virtual CPU has been round since, and has read no wrong value
goes_on()
{
	ask t run
	[[ $answer =~ ^rounds\ [1-9][0-9]*\ wrong\ 0$ ]] || fail "the virtual CPU says '$answer'"
	echo "        $answer"
}

goes_on
from=0
for order in copy-first state-first state-first copy-first; do
	step "$order, from node $from"
	expect 0 '' migctl migrate "${target_pid[t]}" --from $from --to $((1 - from)) --order $order \
		--range "$range" --json
	cp "$dir/out" "$dir/job.json"
	of_job '"        \(.outcome): \(.moved) of \(.total) moved, left \(.left)"'
	equal "$(of_job .moved)" "${target_pages[t]}" "the number of pages moved"
	accounted
	from=$((1 - from))
	equal "$(pages_on t $from)" "${target_pages[t]}" "the number of pages on node $from"
	goes_on
done

step "as a part of its process"
processes()
{
	echo "${target_pid[t]}"
}
healthy()
{
	goes_on
}
compare
judge
goes_on
read -r _ n _ <<<"$answer"
proved "all of its memory was checked $n times, no value is wrong"
# the last line may be half written
head -n -1 "$dir/rounds" >"$dir/times"
report "A KVM guest" "its CPU checks and writes its 4 MiB, 8 times"
