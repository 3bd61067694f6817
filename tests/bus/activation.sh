#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The first question starts everything: bus, unit, module, device, engines.
#
# machines: amd64 amd64-iommu
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

unit()
{
	systemctl show -P "$1" migd.service
}

bare
modprobe "$engines_module"
# modules-load.d has nothing to do with it
equal "$(lsmod | grep -c '^migd ' || true)" 0 "the number of modules migd"
equal "$(unit ActiveState)" inactive "the state of migd.service"

step "without --no-start the bus starts the daemon, with it not"
expect 5 'not running|cannot start' migctl status --no-start
equal "$(unit ActiveState)" inactive "the state of migd.service"
expect 0 '' migctl status
cat "$dir/out"
grep -qx 'ready     yes' "$dir/out" || fail "migctl status does not say that it is ready"
grep -q '^nodes     0: ' "$dir/out" || fail "migctl status does not name node 0"
equal "$(unit ActiveState)" active "the state of migd.service"
equal "$(unit Type)" notify "the type of migd.service"
equal "$(unit BusName)" org.migd1 "the bus name of migd.service"
[[ $(unit StatusText) =~ ^Serving ]] || fail "systemd was told '$(unit StatusText)'"
[ "$(unit WatchdogUSec)" != 0 ] || fail "there is no watchdog"
[ "$(unit WatchdogTimestampMonotonic)" != 0 ] || fail "the watchdog was never fed"

step "module and device"
loaded migd || fail "the module was not loaded"
equal "$(stat -c '%a %U %G %F' /dev/migd)" '600 migd migd character special file' /dev/migd
until_true "udev to tag /dev/migd" systemctl is-active dev-migd.device

step "who it runs as"
pid=$(unit MainPID)
equal "$(ps -o user= -p "$pid")" migd "the daemon's user"
# CAP_SYS_NICE (23) and CAP_SYS_PTRACE (19), nothing else
for set in CapPrm CapEff CapBnd CapAmb; do
	equal "$(awk -v key=$set: '$1 == key { print $2 }' "/proc/$pid/status")" \
		0000000000880000 "$set of the daemon"
done
equal "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$pid/status")" 1 NoNewPrivs
# the address sanitizer makes mlockall() do nothing
[ "$MIGD_MACHINE" = amd64-iommu ] || [ "$(awk '$1 == "VmLck:" { print $2 }' "/proc/$pid/status")" -gt 0 ] ||
	fail "the daemon's memory is not locked"
systemd-analyze security --threshold=40 migd.service >"$dir/security" ||
	fail "systemd-analyze security: $(tail -n 1 "$dir/security")"
tail -n 1 "$dir/security"

step "channels"
expect 0 '' migctl engines --json
equal "$(jq '[.[] | select(.name != "cpu" and .state == "ready")] | length' "$dir/out")" \
	"$channels" "the number of channels"
equal "$(jq '[.[] | select(.name == "cpu")] | length' "$dir/out")" 1 "the number of CPU engines"

step "the journal, in words"
journalctl --update-catalog
invocation=$(unit InvocationID)
said()
{
	journalctl -o json "_SYSTEMD_INVOCATION_ID=$invocation" MESSAGE_ID="$1" | grep -q .
}
serving=0cdca878f3cd42a6ae61ad36341f2ca7
until_true "migd to say that it serves" said $serving
journalctl -x --no-pager "_SYSTEMD_INVOCATION_ID=$invocation" MESSAGE_ID=$serving >"$dir/journal"
grep -q 'The daemon has opened /dev/migd' "$dir/journal" ||
	fail "journalctl -x has no text for it: $(cat "$dir/journal")"
equal "$(journalctl --list-catalog | grep -c ' migd: ' || true)" \
	"$(grep -c '^-- ' /usr/lib/systemd/catalog/migd.catalog)" "the number of catalog entries"

step "stop, and start by the unit"
systemctl stop migd.service
equal "$(unit Result)" success "the result of migd.service"
expect 5 'not running|cannot start' migctl jobs --no-start
systemctl start migd.service
expect 0 '' migctl status --json --no-start
jq -e '.ready and .abi >= 1 and (.nodes | length) == 3' "$dir/out" >/dev/null ||
	fail "the status in JSON is not what it should be"
equal "$(systemctl list-units --failed --no-legend | wc -l)" 0 "the number of failed units"
