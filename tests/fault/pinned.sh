#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Pages that somebody else reads and writes without the page tables, by a fixed
# buffer of io_uring or from a pipe, stay where they are: their reason is
# "refused", and what goes through the pin is what the process sees. Let go of,
# they move.
#
# machines: amd64 amd64-debug arm64
# timeout: 300
set -eu -o pipefail
. fault/lib.sh

started 2 0

# stays PAGES: that many of the mapping, for one reason; all else moves there and back
stays()
{
	local order

	for order in "${these[@]}"; do
		reset
		move 0 1 --order "$order" --range "$range" --range "$(main)"
		summed 0
		equal "$(of_job '.left | tojson')" "{\"refused\":$1}" "what is left"
		moved_or_partly
		equal "$(pages_on t 1)" "${target_pages[t]}" "the pages of the writer on node 1"
		in_time
		move 1 0 --order "$order" --range "$range" --range "$(main)"
		equal "$left" 0 "the number of pages left on the way back"
	done
	nothing_left
}

# comes [LAST]: all of the mapping moves there and back; the debug kernel is slow,
# there only after the LAST kind of pin
comes()
{
	[ ! "$debug" ] || [ "${1:-}" ] || return 0
	bounce all_there --range "$range" --range "$(main)"
	equal "$moved" $((nr + target_pages[t])) "the number of pages moved"
	home
}

step "fixed buffers of io_uring"
mapped anon 256 0
says t pin pinned
stays "$nr"
says t pinned-io "wrong 0"
says t unpin unpinned
comes
whole

step "half of a buffer's pages are in the same batch as others"
says t pin pinned
full=$range
range=$start-$(printf %x $((0x$start + nr * 2048)))
stays $((nr / 2))
says t pinned-io "wrong 0"
says t unpin unpinned
range=$full
comes

step "pages in a pipe"
mapped anon 128 0
says t "splice 16" spliced
stays 16
says t drain "wrong 0"
comes last
whole

begun io-uring vmsplice
bounce all_there
over io-uring vmsplice
whole
drop t
ended
