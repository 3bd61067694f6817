#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Module or daemon are not there, or are there twice.
#
# machines: amd64
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

daemon=/usr/libexec/migd
[ -x $daemon ] || daemon=$(systemctl cat migd.service | sed -n 's/^ExecStart=//p')

target t -- move 4 0
pid=${target_pid[t]}

step "no module"
bare
modprobe "$engines_module"
mkdir -p /run/modprobe.d
echo 'blacklist migd' >/run/modprobe.d/migd-test.conf
missing='kernel module migd is not loaded: modprobe migd'
expect 5 "$missing" migctl status
grep -qx 'module    not there' "$dir/out" || fail "migctl status does not say that there is none"
equal "$(systemctl is-active migd.service)" active "the state of migd.service"
expect 5 "$missing" migctl migrate "$pid" --from 0 --to 1
expect 1 "$missing" call MigrateProcess 'uiia{sv}' "$pid" 0 1 0
expect 5 "$missing" migctl stats
expect 0 '' migctl jobs
expect 0 '' migctl policy
equal "$(systemctl list-units --failed --no-legend | wc -l)" 0 "the number of failed units"

step "the module comes, and is served"
rm /run/modprobe.d/migd-test.conf
modprobe migd
until_true "the daemon to serve it" migctl status
expect 0 '' migctl migrate "$pid" --from 0 --to 1
intact t 1

step "a second daemon"
first=$(systemctl show -P MainPID migd.service)
status=0
timeout $patience runuser -u migd -- "$daemon" >"$dir/out" 2>"$dir/err" || status=$?
equal $status 1 "the exit code of a second daemon"
cat "$dir/err"
status=0
timeout $patience "$daemon" >"$dir/out" 2>"$dir/err" || status=$?
equal $status 1 "the exit code of a second daemon of root's"
grep -qE "served by|owned by another|is open|in use|another daemon" "$dir/err" ||
	fail "it does not say that there is one already"
equal "$(systemctl show -P MainPID migd.service)" "$first" "the daemon's pid"
expect 0 '' migctl status

step "rmmod, while it is served and afterwards"
! rmmod migd 2>"$dir/err" || fail "rmmod takes the module away from the daemon"
grep -q 'in use' "$dir/err" || fail "rmmod is refused for another reason"
systemctl stop migd.service
equal "$(systemctl show -P Result migd.service)" success "the result of migd.service"
remove migd

step "no daemon"
modprobe migd
systemctl mask --runtime --quiet migd.service
expect 5 'migctl: migd (is not running|could not be started)' migctl status
expect 5 'migctl: migd (is not running|could not be started)' migctl migrate "$pid" --from 1 --to 0
intact t 1
systemctl unmask --runtime --quiet migd.service
expect 0 '' migctl migrate "$pid" --from 1 --to 0
intact t 0

step "a configuration that cannot be used"
systemctl stop migd.service
conf=/etc/migd/migd.conf
cp $conf "$dir/migd.conf"
echo 'Colour=red' >>$conf
status=0
$daemon --check >"$dir/out" 2>"$dir/err" || status=$?
cp "$dir/migd.conf" $conf
equal $status 1 "the exit code of migd --check"
grep -qE "migd.conf:[0-9]+.*Colour" "$dir/err" || fail "it does not name line and key"
expect 0 '' "$daemon" --check
