#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# migctl doctor on a real machine: without module and daemon, with both, with what
# works against them, and with a daemon that does not answer.
#
# machines: amd64 amd64-iommu arm64
# timeout: 180
set -eu -o pipefail
. bus/lib.sh

undo()
{
	umount /proc/sys/kernel/numa_balancing 2>/dev/null
	[ -z "${dep:-}" ] || umount "$dep" 2>/dev/null
}

# doctor CODE [PREFIX...]: its findings are in $dir/out; stderr stays empty
doctor()
{
	local code=$1

	shift
	expect "$code" '' timeout $patience "$@" migctl doctor --json
	jq -r '.checks[] | "\(.level) \(.check): \(.text) | \(.fix // "")"' "$dir/out"
	jq -e 'all(.checks[]; (.level == "ok") != has("fix"))' "$dir/out" >/dev/null ||
		fail "there is a problem without a fix, or a fix without a problem"
}

# finds CHECK LEVEL REGEX
finds()
{
	local line

	line=$(jq -r --arg check "$1" '.checks[] | select(.check == $check) |
		"\(.level) \(.text) \(.fix // "")"' "$dir/out")
	grep -qE -e "^$2 .*$3" <<<"$line" || fail "the check of $1 says '$line', not '$2 $3'"
}

step "module and daemon absent"
bare
doctor 0
finds kernel ok "$(uname -r | sed 's/[.+]/\\&/g')"
finds nodes ok '0-[0-9]'
finds module warn 'not loaded.*modprobe migd'
finds daemon warn 'systemctl start migd.service'
finds permission ok root
finds channels warn 'no DMA channel'
! loaded migd || fail "it has loaded the module"
equal "$(systemctl is-active migd.service)" inactive "the state of migd.service"
expect 0 '' migctl doctor
grep -qE '^ +fix: .*systemctl start migd.service' "$dir/out" || fail "the text has no fix"

step "module not installed, daemon masked"
dep=$(realpath "/lib/modules/$(uname -r)/modules.dep")
: >"$dir/empty"
mount --bind "$dir/empty" "$dep"
systemctl mask --runtime --quiet migd.service
doctor 1
finds module fail 'dkms autoinstall'
finds daemon fail 'systemctl unmask migd.service'
umount "$dep"
systemctl unmask --runtime --quiet migd.service

step "the daemon serves"
serve
doctor 0
for check in io_uring module signature daemon versions permission limits cpuset balancing pressure engines; do
	finds $check ok ''
done
finds channels ok "$channels of $channels claimed by migd: .*\\($(
	readlink -f /sys/class/dma/dma0chan0/device/driver | sed 's|.*/||')\\)"
# the IOMMU there is QEMU's, whose groups are translated
[ "$MIGD_MACHINE" != amd64-iommu ] || finds iommu '(ok|warn)' "before $channels of $channels channels"
finds limits ok "$(cat /sys/module/migd/parameters/max_locked_pages) pages"
doctor 0 runuser -u nobody --
finds permission warn 'user [0-9]+ may .*as root'
migctl engines release dma0chan0 >/dev/null
doctor 0
finds channels ok "$((channels - 1)) of $channels claimed by migd.*free, .*released: dma0chan0"

step "NUMA balancing"
# not for real, as in bus/warn.sh
echo 1 >"$dir/on"
mount --bind "$dir/on" /proc/sys/kernel/numa_balancing
doctor 0
finds balancing warn 'sysctl kernel.numa_balancing=0'
umount /proc/sys/kernel/numa_balancing

step "a daemon that does not answer"
systemctl kill -s STOP migd.service
doctor 1
finds daemon fail 'does not answer.*systemctl restart migd.service'
systemctl kill -s CONT migd.service
