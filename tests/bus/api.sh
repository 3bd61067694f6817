#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# org.migd1 as busctl sees it: objects, properties, signals, JSON.
#
# machines: amd64 amd64-iommu arm64
# timeout: 180
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
	.Nice .GetManagedObjects; do
	grep -q "^\\$member " "$dir/introspect" || fail "busctl introspect does not show $member"
done

step "the engines"
equal "$(call ListEngines | cut -d ' ' -f 1,2)" "a(so) $((channels + 1))" "ListEngines"
objects()
{
	busctl --json=short call org.migd1 $root org.freedesktop.DBus.ObjectManager \
		GetManagedObjects
}
objects | jq -e --argjson nr $((channels + 1)) '.data[0] | [.[] | .["org.migd1.Engine"]
	| select(.)] | length == $nr and all([.Name, .Device, .Driver, .Node, .State, .Copies,
	.Pages, .Bytes, .Errors, .InFlight, .Quarantined] | all(type == "object"))' >/dev/null ||
	fail "an engine lacks a property: $(objects)"
channel=$(text Describe | jq -r '.engines | map(select(.name != "cpu")) | last.name')
path=$root/engine/$channel
equal "$(property "$path" Engine Name)" "s \"$channel\"" "the name of $path"
equal "$(property "$path" Engine State)" 's "ready"' "the state of $path"
text Describe "$path" Engine | jq -e --arg name "$channel" '.name == $name and has("copy")' \
	>/dev/null || fail "Describe of $path lacks something"

step "a job and its signals"
busctl monitor --json=short org.migd1 >"$dir/signals" 2>"$dir/signals.err" &
children+=($!)
until_true "busctl to listen" grep -q 'Monitoring bus' "$dir/signals.err"
# submit ARGUMENT...: $job is the path, $id the number
submit()
{
	answer=$(call MigrateProcess 'uiia{sv}' "$@")
	job=${answer#o \"}
	job=${job%\"}
	[[ $job =~ ^$root/job/[0-9]+$ ]] || fail "MigrateProcess answers $answer"
	id=${job##*/}
}

# seen FILTER: a signal of this kind, with $job and $id
seen()
{
	jq -ne --arg job "$job" --argjson id "$id" "[inputs | select($1)] | length > 0" \
		"$dir/signals"
}

# so slow that it runs while it is looked at
submit "$pid" -1 1 4 order s state-first engine s cpu max-rate t 131072 batch-pages u 16
equal "$(call ListJobs)" "a(to) 1 $id \"$job\"" ListJobs
while read -r name value; do
	equal "$(property "$job" Job "$name")" "$value" "$name"
done <<-EOT
	Id t $id
	Pid u $pid
	Comm s "target"
	From i -1
	To i 1
	Order s "state-first"
	Engine s "cpu"
	Outcome s ""
EOT
busctl tree --list org.migd1 >"$dir/tree"
grep -qx "$job" "$dir/tree" || fail "the tree lacks the job"
equal "$(grep -c "^$root/engine/" "$dir/tree")" $((channels + 1)) "the engines in the tree"
objects | jq -e --arg job "$job" '.data[0] | has($job) and (.[$job] | has("org.migd1.Job"))' >/dev/null || fail "GetManagedObjects lacks the job"
until_true "InterfacesAdded" seen '.member == "InterfacesAdded" and .payload.data[0] == $job'
until_true "JobNew" seen '.member == "JobNew" and .payload.data == [$id, $job]'
until_true "PropertiesChanged while it runs" seen '.path == $job and
	.member == "PropertiesChanged" and .payload.data[1].Moved.data > 0 and
	.payload.data[1].State.data == "running"'
changes=$(jq -r --arg job "$job" 'select(.path == $job and .member == "PropertiesChanged").member' \
	"$dir/signals" | wc -l)
elapsed=$(property "$job" Job ElapsedUSec)
[ "$changes" -le $((${elapsed#t } / 100000 + 3)) ] ||
	fail "$changes changes in ${elapsed#t } us, more than 10 in a second"

step "Cancel"
expect 1 'may not cancel jobs' runuser -u nobody -- busctl call org.migd1 "$job" org.migd1.Job Cancel
expect 0 '' busctl call org.migd1 "$job" org.migd1.Job Cancel
until_true "Done" seen '.path == $job and .member == "Done" and .payload.data[0] == "cancelled"'
expect 1 'has ended already' busctl call org.migd1 "$job" org.migd1.Job Cancel

step "a job that ends by itself"
submit "$pid" 0 1 0
until_true "Done" seen '.path == $job and .member == "Done" and .payload.type == "stt" and
	.payload.data[0] == "moved" and .payload.data[1] > 0'
until_true "PropertiesChanged at its end" seen '.path == $job and
	.member == "PropertiesChanged" and .payload.data[1].Outcome.data == "moved"'
until_true "JobRemoved" seen '.member == "JobRemoved" and .payload.data == [$id, $job, "moved"]'
text Describe "$job" Job >"$dir/job"
while read -r name value; do
	equal "$(property "$job" Job "$name")" "$value" "$name"
done <<-EOT
	State s "done"
	Outcome s "moved"
	From i 0
	Order s "copy-first"
	Engine s "auto"
	Total t $(jq .total "$dir/job")
	Moved t $(jq .moved "$dir/job")
	Bytes t $(($(jq .moved "$dir/job") * 4096))
	Passes u $(jq .passes "$dir/job")
	Batches t $(jq .batches "$dir/job")
	Rescued t 0
	Left a{st} $(jq -r '.left | "\(length) \(to_entries | map("\"\(.key)\" \(.value)") | join(" "))"' "$dir/job")
	SubmittedUSec t $(jq .submitted_usec "$dir/job")
	ElapsedUSec t $(jq .elapsed_usec "$dir/job")
EOT
intact t 1

step "systemctl status counts them"
counted()
{
	systemctl show -P StatusText migd.service | grep -q '0 jobs run, 2 have ended'
}
until_true "systemd is told of both jobs" counted
