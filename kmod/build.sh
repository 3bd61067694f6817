#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# build.sh KERNEL_DIR SOURCE_DIR OUT_DIR: build migd.ko outside the source tree.
set -eu

out=$(cd "$3" && pwd)
work=$out/migd.ko.p
mkdir -p "$work/kmod" "$work/uapi"
cp -u "$2"/kmod/*.[ch] "$2/kmod/Kbuild" "$work/kmod/"
cp -Ru "$2/uapi/linux" "$work/uapi/"
make -C "$1" M="$work/kmod" modules
cp "$work/kmod/migd.ko" "$out/migd.ko"
