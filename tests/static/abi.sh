#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The layout of linux/migd.h, for 64 and 32 bits.
# timeout: 60
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

# The kernel's headers for this host are good for both: no C library is needed.
headers=/usr/include/$(gcc -print-multiarch)
widths=(-m64 -m32)
# other hosts' compilers make one width only
[[ $(uname -m) == x86_64 ]] || widths=('')
for width in "${widths[@]}"; do
	gcc ${width:+"$width"} -std=gnu11 -ffreestanding -Wall -Wextra -Werror -Wpadded \
		-I uapi -isystem "$headers" -fsyntax-only tests/abi/abi.c
done

# everything in it is of the user's world too: it stands alone
echo '#include <linux/migd.h>' |
	gcc -x c -std=c99 -Wall -Wextra -Werror -I uapi -fsyntax-only -
echo '#include <linux/migd_netlink.h>' |
	gcc -x c -std=c99 -Wall -Wextra -Werror -I uapi -fsyntax-only -
