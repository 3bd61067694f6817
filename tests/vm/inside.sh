#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# inside.sh ROOT COMMAND...: runs it in that Debian, natively and as root, with a
# compiler that asks ccache first; what it starts and mounts ends with it.
set -eu

# shellcheck disable=SC2016 # for the inner shell
exec unshare --mount --pid --fork --kill-child /bin/sh -eu -c '
	mount -t proc proc "$0/proc"
	mount --rbind /dev "$0/dev"
	exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive DEBIAN_KERNEL_USE_CCACHE=1 CCACHE_DIR=/var/cache/ccache "$@"
	' "$@"
