# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What any test in a guest may begin with: . ./lib.sh; it has a function fail WORDS.

# Longest wait for anything that must happen, in seconds, on the slowest machine.
patience=30

# step WORDS: says what is tested now; a failure names it
step()
{
	printf '%6.1f  %s\n' "$(cut -d ' ' -f 1 /proc/uptime)" "$*"
}

# equal GOT WANT WHAT
equal()
{
	[ "$1" = "$2" ] || fail "$3 is '$1', not '$2'"
}

# until_true WHAT COMMAND...: waits for a state that no event tells of
until_true()
{
	local what=$1 end=$((SECONDS + patience))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || too_long "$what"
		sleep 0.1
	done
}

# too_long WHAT: it has not come; a test may say more
too_long()
{
	fail "after $patience s still not: $1"
}
