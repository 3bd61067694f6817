#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# gdb is at the target while it moves: stops it at each page that it writes, and
# looks at that; and watches a word, which a debug register does.
#
# machines: amd64
# timeout: 240
set -eu -o pipefail
. bus/jobs.sh

# expected() of bus/region.c for the first word of a page, of 512
cat >"$dir/commands" <<EOT
set pagination off
set confirm off
set width 0
set \$hits = 0
set \$seen = 0
set \$wrong = 0
set \$last = 0
break write_page
commands
silent
set \$hits = \$hits + 1
set \$round = rounds[page]
if memory[page * 512] != ((page * 512 + 1) * 0x9e3779b97f4a7c15UL ^ (\$round - \$round % 512) << 20)
  set \$wrong = \$wrong + 1
end
if \$hits == 1
  echo stopping\n
end
if \$hits % 8 == 0
  shell test ! -e $dir/only-watch
  if \$_shell_exitcode
    disable 1
    echo watching\n
  end
end
continue
end
watch -l rounds[0]
commands
silent
set \$seen = \$seen + 1
if \$seen > 1 && rounds[0] != \$last + 1
  set \$wrong = \$wrong + 1
end
set \$last = rounds[0]
set \$_shell_exitcode = 0
if \$seen % 4 == 0
  shell test ! -e $dir/end
end
if \$_shell_exitcode == 0
  continue
end
end
continue
printf "stopped %d times, saw %d rounds, wrong %d\n", \$hits, \$seen, \$wrong
delete
detach
EOT

serve
target t -- move 1 0
ask t write
step "gdb attaches"
mkfifo "$dir/gdb.out"
gdb -nx -batch -p "${target_pid[t]}" -x "$dir/commands" >"$dir/gdb.out" 2>"$dir/gdb.err" </dev/null &
gdb=$!
children+=("$gdb")
exec {gdb_out}<"$dir/gdb.out"
gdb_says()
{
	while read -r -t "$patience" -u "$gdb_out" line; do
		[[ ! $line =~ $1 ]] || return 0
	done
	sed 's/^/  gdb: /' "$dir/gdb.err"
	fail "gdb does not say '$1'"
}
gdb_says '^stopping$'

# there_and_back ORDER ORDER: all of the target moves
from=0
there_and_back()
{
	local order

	for order; do
		expect 0 '' migctl migrate "${target_pid[t]}" --from $from --to $((1 - from)) \
			--order "$order" --json
		cp "$dir/out" "$dir/job.json"
		of_job '"        \(.outcome): \(.moved) of \(.total) moved, left \(.left)"'
		equal "$(of_job .outcome)" moved "the outcome"
		from=$((1 - from))
		equal "$(pages_on t $from)" "${target_pages[t]}" "the number of pages on node $from"
	done
}

step "moved while gdb stops it at each page"
there_and_back copy-first state-first
: >"$dir/only-watch"
gdb_says '^watching$'
step "moved while gdb watches a word"
there_and_back state-first copy-first

step "gdb goes, and the target goes on"
: >"$dir/end"
gdb_says '^stopped '
echo "        $line"
[[ $line =~ ^stopped\ [1-9][0-9]*\ times,\ saw\ [1-9][0-9]*\ rounds,\ wrong\ 0$ ]] ||
	fail "gdb was not in the way, or saw what is wrong"
wait "$gdb" || fail "gdb ends in error: $(cat "$dir/gdb.err")"
ask t stall
read -r _ _ _ _ _ before <<<"$answer"
round_more()
{
	ask t stall
	read -r _ _ _ wrong _ rounds <<<"$answer"
	[ "$rounds" -gt "$before" ]
}
until_true "the target to come round without gdb" round_more
ask t rest
intact t $from
equal "$wrong" 0 "the number of wrong words"
