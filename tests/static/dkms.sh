#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh [--all] [RELEASE...]: on Debian 12 and 13, without a guest to wait for, the module
# passes what autodep8 has for dkms packages, an upgrade replaces it, and dkms builds it when
# the headers of another kernel come, as with each upgrade of the kernel: for the newest
# one of each series and flavour that the release has, or for every one. For those
# that are too old it does not, and says so when it is told to.
# timeout: 3600
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

[[ $(id -u) == 0 ]] || {
	echo "dkms.sh: this test changes into a Debian of its own, which only root can: run it as root."
	exit 1
}
every=()
[[ ${1:-} != --all ]] || {
	every=("$1")
	shift
}
(($#)) || set -- bookworm trixie
packages=$(tests/vm/vm.py packages)
upgrade=$(tests/vm/vm.py packages --next)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# inside COMMAND...: in that Debian
inside()
{
	tests/vm/inside.sh "$root" "$@"
}

# quiet COMMAND...: the same, which shall go well; says nothing then
quiet()
{
	inside "$@" >"$work/log" 2>&1 && return
	cat "$work/log"
	echo "$release: '$*' failed; dkms said:"
	tail -n 20 "$root"/var/lib/dkms/migd/*/build/make.log || true
	exit 1
}

# wrong WORDS
wrong()
{
	echo "$release: $*"
	status=1
}

# ours: what has the name; but ccache's names are random letters
ours()
{
	find "$root" -path "$root/var/cache/ccache" -prune -o -name '*migd*' -print | sort
}

status=0
for release; do
	root=$work/$release
	tests/vm/vm.py fresh-tree "$release" "$root"
	ours >"$work/before"
	mkdir "$root/srv/kernels" "$root/srv/next"
	cp "$upgrade"/migd_*.deb "$upgrade"/migd-dkms_*.deb "$root/srv/next"
	cp "$packages"/migd_*.deb "$packages"/migd-dkms_*.deb "$root/srv/archive"
	cp "$(tests/vm/vm.py kernel-packages "$release" "${every[@]}")"/*.deb "$root/srv/kernels"
	(cd "$root/srv/archive" && dpkg-scanpackages . >Packages 2>"$work/log") || wrong "$(cat "$work/log")"

	quiet apt-get -q update
	quiet /usr/lib/dkms/dkms-autopkgtest migd-dkms
	quiet apt-get -q -y install migd
	old=$(inside dkms status -m migd)
	quiet sh -c 'apt-get -q -y install /srv/next/*.deb'
	new=$(inside dkms status -m migd)
	[[ $old == *installed && $new == *installed && $new != "$old" && $new != *$'\n'* ]] ||
		wrong "dkms says '$old' before the upgrade and '$new' after it"
	quiet sh -c 'apt-get -q -y install /srv/kernels/*.deb'
	kernels=0
	for build in "$root"/lib/modules/*/build; do
		kernel=${build%/build}
		kernel=${kernel##*/}
		says=$(inside dkms status -m migd -k "$kernel")
		if dpkg --compare-versions "$kernel" ge 6.7; then
			[[ $says == *installed ]] || wrong "of $kernel dkms says '$says'"
			magic=$(modinfo -F vermagic "$root/lib/modules/$kernel"/updates/dkms/migd.ko*) ||
				wrong "there is no module for $kernel"
			[[ $magic == "$kernel "* ]] || wrong "the module for $kernel has the vermagic '$magic'"
			echo "$release: built for $kernel"
			kernels=$((kernels + 1))
		else
			[[ $says != *$kernel* ]] || wrong "of $kernel, which is too old, dkms says '$says'"
			! inside sh -c "make -C /lib/modules/$kernel/build M=\$(echo /usr/src/migd-*/kmod)" \
				>"$work/log" 2>&1 || wrong "the module builds for $kernel, which is too old"
			grep -q "${kernel%%.0-*} is older than" "$work/log" ||
				wrong "what it says for $kernel is: $(cat "$work/log")"
			echo "$release: refused for $kernel"
		fi
	done
	# the one it was installed with, and more
	[[ $kernels -gt 1 ]] || wrong "there are headers of $kernels kernels only"

	quiet apt-get -q -y purge migd migd-dkms
	rm -r "$root"/srv/archive/migd* "$root/srv/next" "$root"/migd-dkms-make-logs.tar.gz
	ours | diff "$work/before" - || wrong "this is left after purge"
	rm -rf "$root"
done
exit $status
