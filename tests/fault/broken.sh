# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Memory that is said to be broken, for the tests that begin with
# . fault/broken.sh

. fault/lib.sh

hwpoison=/sys/kernel/debug/hwpoison
modprobe hwpoison-inject
[ -e $hwpoison ] || mount -t debugfs none /sys/kernel/debug
broken=()

# touched: what the target finds, in $right and $bus
touched()
{
	local bad

	ask t touch
	read -r _ right _ bus _ bad <<<"$answer"
	equal "$bad" 0 "the number of pages with wrong words"
	equal $((right + bus)) "$nr" "the number of pages, right and broken"
	echo "        $right pages are right, $bus are broken"
}

# frame_of PAGE: $answer is the frame of the first mapping's page; false when it is
# not there
frame_of()
{
	ask t "pfn $1"
	answer=${answer#pfn }
	[ "$answer" != 0 ]
}

# break_frame FRAME: as the hardware would. One that is locked is marked only, not
# taken from its process, and that is an error of the switch.
break_frame()
{
	broken+=("$1")
	echo "$1" >$hwpoison/corrupt-pfn 2>/dev/null || true
}

# repaired: what was broken is free memory again, as far as the kernel can do that
repaired()
{
	local frame

	for frame in "${broken[@]}"; do
		echo "$frame" >$hwpoison/unpoison-pfn 2>/dev/null || true
	done
	rmmod hwpoison-inject
}
