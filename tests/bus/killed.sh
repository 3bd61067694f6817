#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The daemon is killed in the middle of a job, over and over, under a writer that
# checks every value: systemd restarts it, migctl waits, no page is lost, and
# nobody waits longer than the deadline and the grace.
#
# machines: amd64 amd64-debug arm64
# timeout: 400
set -eu -o pipefail
. bus/jobs.sh

# the soak does it a thousand times
kills=6
again=4
rate=4Mi
if [ "$MIGD_MACHINE" = amd64-debug ]; then
	# where each takes half a minute
	kills=4
	again=2
	rate=2Mi
fi

serve
target_program=fault/beat target beat --
target t -- move 16 0
ask t write
pages=${target_pages[t]}
from=0
to=1
lost=0

for ((turn = 1; turn <= kills; turn++)); do
	order=copy-first
	[ $((turn % 2)) = 1 ] || order="state-first"
	ask t stall
	ask beat stall
	daemon=$(systemctl show -P MainPID migd.service)
	begin "${target_pid[t]}" --from $from --to $to --order $order --max-rate $rate
	# at once: systemctl takes longer on a slow machine than the job
	kill -KILL "$daemon"
	finish
	accounted
	outcome=$(of_job .outcome)
	step "turn $turn, $order: $outcome, $(of_job .moved) of $(of_job .total) pages moved"
	case $outcome in
	moved)
		equal "$status" 0 "the exit code"
		equal "$(pages_on t $to)" "$pages" "the number of pages on node $to"
		;;
	server-lost)
		lost=$((lost + 1))
		[ "$(of_job '.left.unreached // 0')" -gt 0 ] ||
			fail "the job was lost without a page that was not reached"
		;;
	*)
		fail "the job ended as $outcome: $(cat "$dir/job.json")"
		;;
	esac
	equal "$(grep -c 'the daemon has gone' "$dir/job.err")" 1 \
		"how often migctl says that the daemon has gone"
	[ "$(systemctl show -P MainPID migd.service)" != "$daemon" ] || fail "it was not killed"
	calm t
	[ "$outcome" != moved ] || { from=$((1 - from)) && to=$((1 - to)); }
done
[ $lost -le $(((kills + 4) / 5)) ] || fail "$lost of $kills jobs were lost though systemd brought the daemon back"

step "afterwards"
equal "$(systemctl show -P NRestarts migd.service)" $kills "the number of restarts"
equal "$(systemctl show -P ActiveState migd.service)" active "the state of migd.service"
expect 0 '' migctl engines --json
equal "$(jq '[.[] | select(.name != "cpu" and .state == "ready")] | length' "$dir/out")" \
	"$channels" "the number of channels that are ready"
expect 0 '' migctl stats --json
jq -e '.late == 0 and .locked_pages == 0 and .quarantined_pages == 0 and .jobs_active == 0' \
	"$dir/out" >/dev/null || fail "the module has something left: $(cat "$dir/out")"
drop t

step "again and again, faster than anybody works: it is never given up"
# restarted TIMES: systemd may not have seen the last death yet
restarted()
{
	[ "$(systemctl show -P NRestarts migd.service)" = "$1" ] &&
		systemctl is-active migd.service
}
for ((turn = 1; turn <= again; turn++)); do
	systemctl kill -s KILL --kill-who=main migd.service
	until_true "systemd to restart the daemon" restarted $((kills + turn))
done
expect 0 '' migctl status
