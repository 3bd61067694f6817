#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages from their first day on a machine to their last: apt installs them
# and dkms builds the module, they work, they are upgraded under a job, another kernel
# comes, and nothing of them is left in the end.
#
# machines: deb12 deb13
# timeout: 3600
set -eu -o pipefail
. ./lib.sh
cd deb

# for anything but a build
# shellcheck disable=SC2034
patience=120
work=$(mktemp -d)
kernel=$(uname -r)
export DEBIAN_FRONTEND=noninteractive
# The compiler would take ten minutes for the module, and does where ccache has not
# what it made of the same source, headers and options in a tree of this machine's
# image: tests/vm/compiled.py. All else that dkms does is done here.
export DEBIAN_KERNEL_USE_CCACHE=1 CCACHE_DIR=/var/cache/ccache

fail()
{
	echo "FAIL: $*"
	[ ! -e "$work/apt" ] || tail -n 40 "$work/apt" | sed 's/^/  apt: /'
	tail -n 20 /var/lib/dkms/migd/*/build/make.log 2>/dev/null | sed 's/^/  make: /'
	journalctl -u migd.service -n 20 --no-pager --no-hostname -o short-monotonic |
		sed 's/^/  journal: /'
	exit 1
}

apt()
{
	apt-get -q -y "$@" >"$work/apt" 2>&1 || fail "apt-get $* exits with $?"
}

# files NAME: into $work/NAME what there is, but for what other programs keep of
# their own work: apt, dpkg, depmod, ldconfig, dkms, systemd, whoever makes users
files()
{
	find / -xdev \( -path /tmp -o -path /run -o -path /var/tmp -o -path /var/log \) -prune -o \
		-print | sort >"$work/all"
	grep -vE -e '^/var/(cache|lib/(apt|dpkg|systemd))/' -e '^/usr/lib/modules/[^/]*/modules\.[^/]*$' \
		-e '^/etc/(ld\.so\.cache|\.pwd\.lock|(passwd|shadow|group|gshadow)-)$' \
		-e '^/var/lib/dkms/(dkms_dbversion|mok\.(key|pub))$' "$work/all" >"$work/$1"
	# but among those, too, nothing has our name
	grep migd "$work/all" >"$work/$1.ours"
}

# installed PACKAGE: its version
installed()
{
	# shellcheck disable=SC2016 # a format of dpkg
	dpkg-query -W -f '${Version}' "$1"
}

# built VERSION KERNEL...: dkms has the module for these kernels in this version alone
built()
{
	local version=$1 one

	shift
	equal "$(dkms status -m migd | sort)" \
		"$(printf "migd/$version, %s, x86_64: installed\n" "$@" | sort)" "what dkms says"
	for one; do
		# by its file: Debian 13's dkms runs no depmod where it finds headers alone
		one=/lib/modules/$one/updates/dkms/migd.ko
		equal "$(modinfo -F version "$one")" "$version" "the version of $one"
		equal "$(modinfo -F vermagic "$one" | cut -d ' ' -f 1)" "$(echo "$one" | cut -d / -f 4)" "its kernel"
		[ -n "$(modinfo -F signer "$one")" ] || fail "$one is not signed"
	done
	# no condition: without any hit it only takes longer
	ccache --print-stats | awk '{ n[$1] = $2 }
		END { printf "        objects: %d of ccache, %d of the compiler\n",
			n["direct_cache_hit"] + n["preprocessed_cache_hit"], n["cache_miss"] }'
	ccache --zero-stats >/dev/null
}

# copied: pages that DMA channels have copied
copied()
{
	migctl engines --json | jq 'map(select(.name != "cpu").pages) | add // 0'
}

# is_so FILTER: jq finds that in the job
is_so()
{
	migctl jobs "$job" --json | jq -e "$1" >/dev/null
}

step "a fresh machine: $(. /etc/os-release && echo "$PRETTY_NAME"), $kernel"
files before
apt update

step "install"
apt install ./first/*.deb
first=$(installed migd)
built "$first" "$kernel"
equal "$(installed migd-dkms)" "$first" "the version of migd-dkms"
equal "$(systemctl is-active migd.service)" inactive "the state of migd.service"

step "a job, by the CPU"
insmod /usr/lib/migd-engine/migd_lsi.ko
udevadm settle
tests/move cpu || fail "debian/tests/move exits with $?"

step "a job, by DMA"
before=$(copied)
tests/move dma || fail "debian/tests/move dma exits with $?"
[ $(($(copied) - before)) -gt 4096 ] || fail "the channels have copied $(($(copied) - before)) pages"

step "a job that lasts until it is told otherwise"
coproc target { exec tests/target 16; }
# bash forgets them when the process ends
pid=$! answers=${target[0]} questions=${target[1]}
read -r answer <&"$answers"
migctl migrate "$pid" --to 1 --max-rate 4Ki --deadline 5s --daemon-timeout 600s \
	>"$work/job" 2>"$work/job.err" &
migrate=$!
until_true "the job is there" grep -q '^job [0-9]*: moving' "$work/job"
job=$(sed -n 's/^job \([0-9]*\): moving.*/\1/p' "$work/job")
until_true "it has moved something" is_so '.moved > 0'
daemon=$(systemctl show -P MainPID migd.service)

step "upgrade"
apt install ./next/*.deb
next=$(installed migd)
built "$next" "$kernel"
is_so '.state != "done"' || fail "the job has ended: $(cat "$work/job" "$work/job.err")"
[ "$(systemctl show -P MainPID migd.service)" != "$daemon" ] || fail "the old daemon runs"
equal "$(migctl status --json | jq -r .version)" "$next" "the version of the daemon"
equal "$(cat /sys/module/migd/version)" "$first" "the version of the module with the job in it"
moved=$(migctl jobs "$job" --json | jq .moved)
until_true "the job goes on" is_so ".moved > $moved"
migctl doctor --json | jq -e '.checks[] | select(.check == "versions") | .level == "warn"' >/dev/null ||
	fail "migctl doctor does not see two versions"

step "the job ends, with nothing lost"
migctl set "$job" --max-rate none
status=0
wait $migrate || status=$?
equal $status 0 "the exit code of migctl migrate"
is_so '.outcome == "moved"' || fail "the job did not move everything: $(cat "$work/job")"
tail -n 4 "$work/job"
echo check >&"$questions"
read -r answer <&"$answers"
equal "$answer" "wrong 0" "what the target says of its memory"
kill "$pid"

step "the new module takes the old one's place"
systemctl stop migd.service
# io_uring gives up the files of a dead ring a moment later
until_true "the old module leaves" rmmod migd
tests/move dma || fail "debian/tests/move dma exits with $?"
equal "$(cat /sys/module/migd/version)" "$next" "the version of the module that is loaded"

other=$(dpkg-deb -f kernel/linux-headers-*.deb Package)
other=${other#linux-headers-}
step "another kernel: $other"
apt install ./kernel/*.deb
built "$next" "$kernel" "$other"

step "purge"
apt purge --autoremove migd migd-dkms
[ ! -e /sys/module/migd ] || fail "the module is still loaded"
[ ! -e /dev/migd ] || fail "its device is still there"
left=$(find /lib/modules/ -name 'migd.ko*')
equal "$left" "" "what modules are left"
equal "$(dkms status -m migd)" "" "what dkms says"
# shellcheck disable=SC2016 # a format of dpkg
equal "$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | grep -w migd || true)" "" "what dpkg says"
! getent passwd migd || fail "there is still a user"
! getent group migd || fail "there is still a group"
equal "$(systemctl show -P LoadState migd.service)" not-found "the state of migd.service"
! known=$(busctl --system list --activatable | grep -F org.migd1) || fail "the bus still knows: $known"
# the other kernel goes, and with it what depmod has left
apt purge "linux-headers-$other" "linux-image-$other"
rm -f "/lib/modules/$other"/modules.*
[ ! -d "/lib/modules/$other" ] || rmdir "/lib/modules/$other" || fail "$(ls -lR "/lib/modules/$other")"
files after
diff "$work/before" "$work/after" || fail "files are left, or gone"
diff "$work/before.ours" "$work/after.ours" || fail "files of ours are left"
rmmod migd_lsi
