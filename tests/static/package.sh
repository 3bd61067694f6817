#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages build, with nothing that debian/control does not ask for,
# lintian has no complaint about them, and dkms builds the module for the kernels
# that meson.build names, and for no older one.
# timeout: 300
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
packages=$(tests/vm/vm.py packages)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lintian --fail-on error,warning "$packages"/*.changes >"$work/lintian" 2>&1 || {
	cat "$work/lintian"
	exit 1
}

status=0
# the host has what the tests need, too, so the build itself would not fail
while read -r library; do
	owner=$(dpkg -S "$(pkg-config --variable=pcfiledir "$library")/$library.pc")
	grep -q "^ ${owner%%:*}\b" debian/control || {
		echo "debian/control: $library is of ${owner%%:*}, which is not among Build-Depends"
		status=1
	}
done < <(grep -oh "dependency('[^']*'" daemon/meson.build tools/meson.build |
	cut -d "'" -f 2 | sort -u | grep -vx threads)

dpkg-deb -x "$packages"/migd-dkms_*.deb "$work"
# as dkms reads it for `dkms autoinstall -k`, in three scopes
read_conf()
{
	# shellcheck disable=SC2034
	local kernelver=''

	source_conf
}
source_conf()
{
	# dkms sets these before
	# shellcheck disable=SC2034
	kernel_source_dir='' dkms_tree='' AUTOINSTALL=''
	. "$work"/usr/src/migd-*/dkms.conf
}
# built RELEASE YES-OR-NO: whether dkms builds for it, when told to and by itself
built()
{
	# the conf file looks for it
	# shellcheck disable=SC2034
	local kernelver=$1
	local told=no

	read_conf
	[[ ! $1 =~ $BUILD_EXCLUSIVE_KERNEL ]] || told=yes
	[[ $told == "$2" && ${AUTOINSTALL:-no} == "$2" ]] && return
	echo "kmod/dkms.conf.in: is the module built for kernel $1? $told; by itself? ${AUTOINSTALL:-no}"
	status=1
}

least=$(sed -n "s/^kernel_min = '\(.*\)'$/\1/p" meson.build)
tested=$(sed -n "s/^kernel_tested = '\(.*\)'$/\1/p" meson.build)
major=${least%.*} minor=${least#*.}
for release in "$least.0" "$least.12-1-amd64" "$tested.117+deb12-arm64" "$major.$((minor + 1))" \
	"$major.$((minor + 10))" $((major + 1)).0 $((major + 10)).0; do
	built "$release" yes
done
for release in "$major.$((minor - 1)).99" "$major.1.0-40-amd64" $((major - 1)).19.0; do
	built "$release" no
done

# what the installation says where it builds nothing, and only there
mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/ischroot"
# installs RELEASE: what the postinst says when this kernel runs
installs()
{
	printf '#!/bin/sh\necho %s\n' "$1" >"$work/bin/uname"
	chmod +x "$work"/bin/*
	PATH=$work/bin:$PATH sh debian/migd-dkms.postinst configure
}
told=$(installs "$major.1.0-40-amd64")
[[ $told == *"$major.1.0-40-amd64"*"older than $least "* ]] || {
	echo "debian/migd-dkms.postinst: with kernel $major.1 it says '$told'"
	status=1
}
told=$(installs "$tested.117+deb12-amd64")
[[ ! $told ]] || {
	echo "debian/migd-dkms.postinst: with kernel $tested it says '$told'"
	status=1
}

# nor is it built by hand; only the version is looked at
cat >"$work/old.mk" <<-EOT
	VERSION := $major
	PATCHLEVEL := $((minor - 1))
	include kmod/Kbuild
	all:
EOT
if told=$(make -s -f "$work/old.mk" 2>&1) || [[ $told != *"$major.$((minor - 1)) is older than $least,"* ]]; then
	echo "kmod/Kbuild: for kernel $major.$((minor - 1)) make says '$told'"
	status=1
fi
sed -i "s/^PATCHLEVEL .*/PATCHLEVEL := $minor/" "$work/old.mk"
make -s -f "$work/old.mk" || status=1
exit $status
