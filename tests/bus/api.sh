#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# org.migd1 as busctl sees it: objects, properties, signals, JSON.
#
# machines: amd64 amd64-debug arm64
# timeout: 60
set -eu -o pipefail
. bus/lib.sh

serve
target t -- move 16 0
pid=${target_pid[t]}
root=/org/migd1

# text METHOD: its JSON
text()
{
	busctl --json=short call org.migd1 "${2:-$root}" "org.migd1.${3:-Manager}" "$1" |
		jq -r '.data[0]'
}

# property PATH INTERFACE NAME
property()
{
	busctl get-property org.migd1 "$1" "org.migd1.$2" "$3"
}

step "the manager"
equal "$(property $root Manager Ready)" 'b true' Ready
equal "$(property $root Manager ModuleError)" 's ""' ModuleError
version=$(property $root Manager Version)
equal "$(property $root Manager ModuleVersion)" "$version" "the module's version"
text Describe >"$dir/all"
jq -e --arg version "$version" '.version as $v | $version == "s \"\($v)\"" and .ready and
	([.policy, .engines, .jobs, .stats, .nodes] | all)' "$dir/all" >/dev/null ||
	fail "Describe lacks something: $(cat "$dir/all")"
text GetStats | jq -e 'has("jobs") and has("late") and has("blackout")' >/dev/null ||
	fail "GetStats lacks something"
busctl introspect org.migd1 $root >"$dir/introspect"
for member in .MigrateProcess .ListJobs .ListEngines .GetStats .Describe .JobNew .JobRemoved \
	.EngineFault .BatchRescued .Quarantine .DefaultEngine .DeadlineUSec .BatchPages .MaxRate \
	.GetManagedObjects; do
	grep -q "^\\$member " "$dir/introspect" || fail "busctl introspect does not show $member"
done

step "the engines"
equal "$(call ListEngines | cut -d ' ' -f 1,2)" "a(so) $((channels + 1))" "ListEngines"
while read -r name path; do
	equal "$(property "$path" Engine Name)" "s \"$name\"" "the name of $path"
	busctl --json=short call org.migd1 "$path" org.freedesktop.DBus.Properties GetAll s \
		org.migd1.Engine | jq -e '.data[0] | [.Device, .Driver, .Node, .State, .Copies,
		.Pages, .Bytes, .Errors, .InFlight, .Quarantined] | all(type == "object")' \
		>/dev/null || fail "$path lacks a property"
	text Describe "$path" Engine | jq -e --arg name "$name" '.name == $name and has("copy")' \
		>/dev/null || fail "Describe of $path lacks something"
done < <(busctl --json=short call org.migd1 $root org.migd1.Manager ListEngines |
	jq -r '.data[0][] | "\(.[0]) \(.[1])"')

step "a job and its signals"
busctl monitor --json=short org.migd1 >"$dir/signals" 2>"$dir/signals.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring bus' "$dir/signals.err"
answer=$(call MigrateProcess 'uiia{sv}' "$pid" 0 1 3 \
	order s state-first engine s cpu max-rate t 16777216)
job=${answer#o \"}
job=${job%\"}
[[ $job =~ ^$root/job/[0-9]+$ ]] || fail "MigrateProcess answers $answer"
id=${job##*/}
equal "$(call ListJobs)" "a(to) 1 $id \"$job\"" ListJobs
equal "$(property "$job" Job Pid)" "u $pid" Pid
equal "$(property "$job" Job Comm)" 's "target"' Comm
equal "$(property "$job" Job Order)" 's "state-first"' Order
equal "$(property "$job" Job Engine)" 's "cpu"' Engine
equal "$(property "$job" Job Outcome)" 's ""' "Outcome of a job that runs"
busctl tree --list org.migd1 >"$dir/tree"
grep -qx "$job" "$dir/tree" || fail "the tree lacks the job"
equal "$(grep -c "^$root/engine/" "$dir/tree")" $((channels + 1)) "the engines in the tree"
busctl --json=short call org.migd1 $root org.freedesktop.DBus.ObjectManager GetManagedObjects |
	jq -e --arg job "$job" '.data[0] | has($job) and (.[$job] | has("org.migd1.Job"))' \
	>/dev/null || fail "GetManagedObjects lacks the job"
seen()
{
	jq -e --arg job "$job" --argjson id "$id" "select($1)" "$dir/signals" | grep -q .
}
until_true "signal Done" seen '.path == $job and .member == "Done" and
	.payload.data[0] == "moved" and .payload.data[1] >= 4096 and .payload.type == "stt"'
seen '.member == "InterfacesAdded" and .payload.data[0] == $job' || fail "no InterfacesAdded"
seen '.member == "JobNew" and .payload.data == [$id, $job]' || fail "no JobNew"
seen '.path == $job and .member == "PropertiesChanged" and .payload.data[1].Moved.data > 0 and
	.payload.data[1].State.data == "running"' || fail "no PropertiesChanged while it runs"
seen '.path == $job and .member == "PropertiesChanged" and
	.payload.data[1].Outcome.data == "moved"' || fail "no PropertiesChanged at its end"
until_true "signal JobRemoved" seen '.member == "JobRemoved" and
	.payload.data == [$id, $job, "moved"]'
changes=$(jq -r --arg job "$job" 'select(.path == $job and .member == "PropertiesChanged").member' \
	"$dir/signals" | wc -l)
elapsed=$(property "$job" Job ElapsedUSec)
[ "$changes" -le $((${elapsed#t } / 100000 + 3)) ] ||
	fail "$changes changes in ${elapsed#t } us, more than 10 in a second"
equal "$(property "$job" Job State)" 's "done"' State
equal "$(property "$job" Job Outcome)" 's "moved"' Outcome
text Describe "$job" Job >"$dir/job"
equal "$(property "$job" Job Bytes)" "t $(($(jq .moved "$dir/job") * 4096))" Bytes
equal "$(property "$job" Job Moved)" "t $(jq .moved "$dir/job")" Moved
expect 1 'has ended already' busctl call org.migd1 "$job" org.migd1.Job Cancel
intact t 1

step "Cancel"
answer=$(call MigrateProcess 'uiia{sv}' "$pid" -1 0 1 max-rate t 4194304)
job=${answer#o \"}
job=${job%\"}
id=${job##*/}
until_true "the job to run" seen '.path == $job and .member == "PropertiesChanged" and
	.payload.data[1].Moved.data > 0'
equal "$(property "$job" Job From)" 'i -1' From
expect 1 'may not cancel jobs' runuser -u nobody -- busctl call org.migd1 "$job" org.migd1.Job Cancel
busctl call org.migd1 "$job" org.migd1.Job Cancel
until_true "signal Done" seen '.path == $job and .member == "Done" and
	.payload.data[0] == "cancelled"'
