#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# DMA channels are given back and claimed while the daemon serves: because
# somebody asks for it, also in the middle of a job; and by the daemon itself,
# when too many pages are held for one that fails.
#
# machines: amd64 amd64-iommu
# timeout: 180
set -eu -o pipefail
. bus/jobs.sh

conf=/etc/migd/migd.conf
cp $conf "$dir/migd.conf"
undo()
{
	cp "$dir/migd.conf" $conf
	[ ! -d "${switches:-}" ] || at_rest
}

# at_rest: every switch that is used here
at_rest()
{
	echo 0 >"$switches/hold"
	echo 0 >"$switches/corrupt"
	echo -1 >"$switches/fail_after"
	echo 1 >"$switches/fail_count"
}

# of_channel FILTER: of what migctl tells of it, nothing when it is not there
of_channel()
{
	migctl engines --json | jq -r --arg name "$channel" ".[] | select(.name == \$name) | $1"
}

is()
{
	[ "$(of_channel .state)" = "$1" ]
}

none_held()
{
	[ "$(migctl stats --json | jq .quarantined_pages)" = 0 ]
}

# job_to: a job from where the target is to the other node, which lasts long enough
# to be told of
at=0
job_to()
{
	begin "${target_pid[t]}" --from $at --to $((1 - at)) --engine "$channel" --max-rate 4Mi
}

moved()
{
	finish
	equal "$status $(of_job .outcome)" '0 moved' "what became of the job"
	at=$((1 - at))
	intact t $at
}

serve
target t -- move 16 0
channel=$(migctl engines --json | jq -r 'map(select(.name != "cpu"))[0].name')

step "released, claimed"
expect 0 '' migctl engines release "$channel" --json
equal "$(jq "map(select(.name == \"$channel\")) | length" "$dir/out")" 0 "how often it is there"
expect 1 "no engine '$channel'" migctl migrate "${target_pid[t]}" --to 1 --engine "$channel"
expect 1 "no engine '$channel'" migctl engines release "$channel"
expect 0 '' migctl engines claim "$channel"
equal "$(of_channel .state)" ready "its state"
expect 0 '' migctl engines claim "$channel"

step "refused"
expect 2 'the CPU cannot be given back' migctl engines release cpu
expect 1 "'dma99chan9' cannot be claimed: no free memcpy channel" migctl engines claim dma99chan9
expect 2 "'dma 0' is no name of a channel" migctl engines claim 'dma 0'
expect 4 'may not give engines back' setpriv --reuid=65534 --clear-groups \
	migctl engines release "$channel"
expect 4 'may not claim engines' setpriv --reuid=65534 --clear-groups \
	migctl engines claim "$channel"
is ready || fail "a refused call has changed something"

step "in the middle of a job: the CPU goes on"
job_to
expect 0 '' migctl engines release "$channel"
moved
expect 0 '' migctl engines claim "$channel"
job_to
moved
[ "$(of_channel .pages)" -gt 0 ] || fail "the new channel has copied nothing"

switches=/sys/kernel/debug/migd_lsi/$(of_channel .device)
[ "$MIGD_MACHINE" != arm64 ] || exit 0
[ -d "$switches" ] || mount -t debugfs none /sys/kernel/debug

step "while it does not answer"
echo 1 >"$switches/hold"
job_to
until_true "the quarantine" is quarantined
expect 1 'cannot be given back now .*: wait until' migctl engines release "$channel"
expect 1 'claimed already, and quarantined' migctl engines claim "$channel"
at_rest
finish
[ "$(of_job .outcome)" != moved ] || at=$((1 - at))
until_true "the end of the quarantine" is ready

step "one that is disabled"
[ "$(pages_on t $at)" != 0 ] || at=$((1 - at))
echo 1 >"$switches/corrupt"
begin "${target_pid[t]}" --to $((1 - at)) --engine "$channel" --verify --deadline 10s --max-rate 4Mi
finish
equal "$status $(of_job '.left["verify-failed"]')" '3 1' "what became of the job"
equal "$(of_channel .state)" disabled "its state"
expect 1 'claimed already, and disabled: release it first' migctl engines claim "$channel"
expect 0 '' migctl engines release "$channel"
none_held || fail "pages are still held"
expect 0 '' migctl engines claim "$channel"
# the page that had stayed
expect 0 '' migctl migrate "${target_pid[t]}" --to $((1 - at)) --engine "$channel" --verify
at=$((1 - at))
intact t $at
[ "$(of_channel .pages)" -gt 0 ] || fail "the new channel has copied nothing"

step "one that does nothing but fail is claimed anew, but not all the time"
rest=2000
printf '[Daemon]\nBatchPages=2048\n[Engines]\nFaultRestMSec=1\nFaultRestMaxMSec=%d\n' $rest >$conf
systemctl restart migd.service
expect 0 '' migctl status
echo -1 >"$switches/fail_count"
echo 0 >"$switches/fail_after"

# renewals: when they were logged, not when journald came to it; in microseconds
renewals()
{
	journalctl --after-cursor="$cursor" -o json MESSAGE_ID=65d224e5a0bb4f1392daca86c11458f3 |
		jq -r ._SOURCE_REALTIME_TIMESTAMP
}
cursor=$(journalctl -n 1 --show-cursor -o cat | sed -n 's/^-- cursor: //p')

# by it, as far as it can
by_channel()
{
	migctl migrate "${target_pid[t]}" --from $at --to $((1 - at)) --engine "$channel" \
		--batch-pages 2048 --quiet >/dev/null 2>&1 || true
	[ "$(pages_on t $at)" != 0 ] || at=$((1 - at))
}

twice()
{
	by_channel
	[ "$(renewals | wc -l)" -ge 2 ]
}
until_true "it has been claimed anew twice" twice
mapfile -t when < <(renewals)
[ $((when[1] - when[0])) -ge $((rest * 1000)) ] || fail "twice in $((when[1] - when[0])) us"
at_rest
# the first COPY that succeeds, when it has rested, lets go of what is held
serves()
{
	by_channel
	is ready && none_held
}
until_true "it serves again, and nothing is held" serves
job_to
moved
