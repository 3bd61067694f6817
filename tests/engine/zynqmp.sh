#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# zynqmp.sh KDIR_ARM64 LINUX_SOURCE OUTDIR
#
# Builds the kernel's own zynqmp_dma driver, unmodified, as OUTDIR/zynqmp_dma.ko.
# Debian's arm64 kernel does not enable it. KDIR_ARM64 is the build directory of
# that kernel (linux-headers-6.12.*-arm64), LINUX_SOURCE the tarball of the
# package linux-source-6.12 or a tree unpacked from it. Nothing of the source is
# kept in this repository; OUTDIR/SHA256SUMS names what was built.
set -eu -o pipefail

files=(drivers/dma/dmaengine.h drivers/dma/xilinx/zynqmp_dma.c)

die()
{
	echo "zynqmp.sh: $*" >&2
	exit 1
}

# Prints one file of the kernel source, as it is there.
source_file()
{
	if [[ -d $source ]]; then
		cat "$source/$1"
	else
		tar -x -O --occurrence=1 -f "$source" "$prefix/$1"
	fi
}

[[ $# -eq 3 ]] || die "usage: zynqmp.sh KDIR_ARM64 LINUX_SOURCE OUTDIR"
kdir=$(realpath -m "$1")
source=$(realpath -m "$2")
out=$(realpath -m "$3")

[[ -f $kdir/Makefile ]] ||
	die "$kdir is no kernel build directory: install or unpack linux-headers-6.12-arm64"
[[ -e $source ]] ||
	die "$source does not exist: install linux-source-6.12"
prefix=$(basename "$source")
prefix=${prefix%.tar.*}

mkdir -p "$out/drivers/dma/xilinx"
cd "$out"
rm -f SHA256SUMS zynqmp_dma.ko
for f in "${files[@]}"; do
	source_file "$f" > "$out/$f" || die "$source has no $f"
done
echo 'obj-m := zynqmp_dma.o' > drivers/dma/xilinx/Kbuild

make -C "$kdir" M="$out/drivers/dma/xilinx" modules ||
	die "the build of zynqmp_dma.ko failed; its output is above"

# What the compiler has read is what Debian ships: ask the source once more.
for f in "${files[@]}"; do
	sum=$(source_file "$f" | sha256sum)
	echo "${sum%% *}  $f"
done > SHA256SUMS
sha256sum --check --quiet SHA256SUMS ||
	die "the source in $out is not that of $source"
cp drivers/dma/xilinx/zynqmp_dma.ko zynqmp_dma.ko
echo "zynqmp.sh: $out/zynqmp_dma.ko is built from unmodified source:"
cat SHA256SUMS
