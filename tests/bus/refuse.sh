#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Wrong input: one sentence, the right exit code, and nothing has changed.
#
# machines: amd64 amd64-iommu arm64
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

serve
target t -- move 4 0
pid=${target_pid[t]}
daemon=$(systemctl show -P MainPID migd.service)
before=$(counters)

# busctl tells the sentence of an error only; its name is seen on the bus
busctl monitor --json=short --match="type='error'" >"$dir/errors" 2>"$dir/errors.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring bus' "$dir/errors.err"
declare -a named=()

# refuse_call NAME REGEX ARGUMENT...: MigrateProcess answers this error
refuse_call()
{
	local name=$1 regex=$2

	shift 2
	expect 1 "$regex" call MigrateProcess 'uiia{sv}' "$@"
	named+=("$name" "$regex")
}

# refuse CODE NAME REGEX PID FROM TO: by migctl and by the bus
refuse()
{
	expect "$1" "$3" migctl migrate "$4" --from "$5" --to "$6"
	refuse_call "$2" "$3" "$4" "$5" "$6" 0
}

step "processes"
no_such=$(($(cat /proc/sys/kernel/pid_max) - 1))
refuse 1 NoSuchProcess "no process $no_such" $no_such 0 1
refuse 1 KernelThread '2 \(kthreadd\) is a kernel thread' 2 0 1
refuse 2 InvalidArgument "$daemon is the daemon itself" "$daemon" 0 1
refuse_call NoSuchProcess '0 is no process' 0 0 1 0
refuse_call NoSuchProcess '.' 4294967295 0 1 0
thread=$(find "/proc/$(pgrep -x migd)/task" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n 1)
[ "$thread" = "$daemon" ] || refuse 1 NoSuchProcess "$thread is a thread" "$thread" 0 1

step "nodes"
refuse 1 NoSuchNode 'no node 9' "$pid" 0 9
refuse 1 NoSuchNode 'no node 9' "$pid" 9 1
refuse 1 NodeWithoutMemory 'node 2 has no memory' "$pid" 0 2
refuse 1 NodeWithoutMemory 'node 2 has no memory' "$pid" 2 1
expect 2 'name the same node 1' migctl migrate "$pid" --from 1 --to 1
refuse_call InvalidArgument 'both node 1' "$pid" 1 1 0
refuse_call NoSuchNode 'no node -1' "$pid" 0 -1 0

step "a node that the cpuset forbids"
target caged systemd-run --quiet --scope -p AllowedMemoryNodes=0 -- move 1 0
equal "$(awk '/^Mems_allowed_list/ { print $2 }' "/proc/${target_pid[caged]}/status")" 0 \
	"what the cpuset allows"
expect 1 'may only use memory of node 0, not of node 1: .*cpuset.mems' \
	migctl migrate "${target_pid[caged]}" --from 0 --to 1
refuse_call NodeForbidden 'allows it nodes 0 only, not 1: .*AllowedMemoryNodes=' \
	"${target_pid[caged]}" 0 1 0
intact caged 0
drop caged

step "options of the bus"
refuse_call InvalidOption "no option 'colour'" "$pid" 0 1 1 colour s red
refuse_call InvalidOption 'order has type s, not u' "$pid" 0 1 1 order u 1
refuse_call InvalidOption "order is copy-first or state-first, not 'random'" \
	"$pid" 0 1 1 order s random
refuse_call InvalidOption 'engine is auto, cpu, dma' "$pid" 0 1 1 engine s 'a b'
refuse_call NoSuchEngine "no engine 'dma9chan9'" "$pid" 0 1 1 engine s dma9chan9
refuse_call InvalidOption 'batch-pages is at least 1' "$pid" 0 1 1 batch-pages u 0
refuse_call InvalidOption 'batch-pages is 1000000 but' "$pid" 0 1 1 batch-pages u 1000000
refuse_call InvalidOption 'deadline-us is [0-9]+ to' "$pid" 0 1 1 deadline-us u 1
refuse_call InvalidOption 'is empty or not aligned' "$pid" 0 1 1 ranges 'a(tt)' 1 4096 4096
refuse_call InvalidOption 'is empty or not aligned' "$pid" 0 1 1 ranges 'a(tt)' 1 1 4096
expect 1 '.' call MigrateProcess uii "$pid" 0 1

step "options of migctl"
usage()
{
	expect 2 "^migctl: .*$1" migctl "${@:2}"
}
usage "no verb 'migrat': did you mean 'migrate'" migrat "$pid"
usage "no verb 'frobnicate'" frobnicate
usage 'what to do'
usage "unknown option '--colour'" migrate "$pid" --to 1 --colour
usage "unknown option '-x'" migrate "$pid" --to 1 -x
usage "unknown option '--colour'" status --colour
usage "'--to' needs a value" migrate "$pid" --to
usage 'which process' migrate --to 1
usage "'self' is no pid" migrate self --to 1
usage 'where to' migrate "$pid"
usage "'one' is no value for --to" migrate "$pid" --to one
usage 'no value for --order' migrate "$pid" --to 1 --order random
usage 'no value for --max-rate' migrate "$pid" --to 1 --max-rate fast
usage 'no value for --deadline' migrate "$pid" --to 1 --deadline 20
usage 'no value for --batch-pages' migrate "$pid" --to 1 --batch-pages 0
usage 'no value for --range' migrate "$pid" --to 1 --range 1000-1000
usage 'range is for one process' migrate "$pid" "$daemon" --to 1 --range 1000-2000
expect 1 '2 \(kthreadd\) is a kernel thread' migctl migrate "$pid" 2 --to 1
usage 'one argument too many' status 7
usage "'x' is no job id" cancel x
usage 'sets nothing' policy set colour=red
usage 'no value for batch-pages' policy set batch-pages=0
expect 1 "no engine 'dma9chan9'" migctl migrate "$pid" --from 0 --to 1 --engine dma9chan9
expect 2 'batch-pages is 1000000 but' migctl migrate "$pid" --from 0 --to 1 --batch-pages 1000000
expect 1 'no job 999' migctl cancel 999
expect 1 'no job 999' migctl jobs 999
expect 1 "no engine 'dma9chan9'" migctl policy set default-engine=dma9chan9
expect 2 'DeadlineUSec is [0-9]+ to' migctl policy set deadline=1us

step "somebody else"
nobody()
{
	runuser -u nobody -- "$@"
}
for verb in status jobs engines stats policy; do
	expect 0 '' nobody migctl $verb
	expect 0 '' nobody migctl $verb --json
	jq -e . "$dir/out" >/dev/null || fail "migctl $verb --json prints no JSON"
done
denied='user 65534 may not .*run it as root'
expect 4 "$denied" nobody migctl migrate "$pid" --from 0 --to 1
expect 4 "$denied" nobody migctl policy set deadline=100ms
expect 1 "$denied" nobody busctl call org.migd1 /org/migd1 org.migd1.Manager \
	MigrateProcess 'uiia{sv}' "$pid" 0 1 0
named+=(NotAllowed "$denied")

step "the names of the errors"
for ((i = 0; i < ${#named[@]}; i += 2)); do
	until_true "error ${named[i]} with a sentence '${named[i + 1]}' on the bus" \
		grep -qE "org\.migd1\.Error\.${named[i]}\".*${named[i + 1]}" "$dir/errors"
done

step "nothing has changed"
equal "$(counters)" "$before" "what the module counts"
equal "$(migctl jobs --json)" '[]' "the list of jobs"
equal "$(systemctl show -P MainPID migd.service)" "$daemon" "the daemon's pid"
equal "$(migctl policy | head -n 1)" 'default-engine=auto' "the policy"
intact t 0
