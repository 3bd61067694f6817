#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# PostgreSQL with checksums under pgbench, all of its processes moved to and fro:
# its sums agree and its pages have the checksums that they should have.
#
# machines: amd64
# timeout: 300
set -eu -o pipefail
. fault/others/lib.sh
. fault/others/compare.sh

bin=/usr/lib/postgresql/15/bin
data=$dir/pg

# pg COMMAND ARGUMENT...: as its user, from where that may be
pg()
{
	(cd / && exec runuser -u postgres -- env "PGHOST=$data" PGDATABASE=postgres "$@")
}

# query SQL: its only row
query()
{
	pg "$bin/psql" -XAtq -c "$1"
}

serve
step "a cluster with checksums"
chmod 711 "$dir"
install -d -o postgres -g postgres -m 700 "$data"
pg "$bin/initdb" -D "$data" --data-checksums --locale=C --no-sync --auth=trust >"$dir/out"
pg "${patient[@]}" "$bin/pg_ctl" -D "$data" -w -s -l "$data/log" start -o "-k $data -h '' -c jit=off \
	-c shared_buffers=32MB -c huge_pages=off -c autovacuum=off"
equal "$(query 'show data_checksums')" on data_checksums
pg "$bin/pgbench" -i -q -s 1 2>"$dir/err" || fail "pgbench -i"

step "pgbench"
install -d -o postgres -m 700 "$dir/log"
pg "${patient[@]}" "$bin/pgbench" -n -c 4 -R 5 -T 3600 -l --log-prefix="$dir/log/times" \
	>"$dir/bench" 2>&1 &
bench=$!
children+=("$bench")
# the server's own, and one for each client
all_here()
{
	[ "$(query "select count(*) from pg_stat_activity where application_name = 'pgbench'")" = 4 ] &&
		query "select pid from pg_stat_activity where backend_type <> 'client backend' or
			application_name = 'pgbench'" >"$dir/servers"
}
processes()
{
	head -n 1 "$data/postmaster.pid"
	cat "$dir/servers"
}
# more: transactions have ended since
transactions=0
more()
{
	n=$(query 'select count(*) from pgbench_history')
	[ "$n" -gt "$transactions" ]
}
healthy()
{
	until_true "a transaction to end" more
	transactions=$n
}
enough()
{
	[ "$(query 'select count(*) from pgbench_history')" -ge 20 ]
}
until_true "four clients" all_here
healthy
# what several of them share, too
alone=()
compare
if [ ! "$result" ]; then
	step "all of its processes are moved at once"
	phase during-bounce
	for ((i = 0; i < 4 || pages_moved < 5000; i++)); do
		move_at_once processes
	done
	moved_well 5000
fi
judge
healthy
until_true "20 transactions to end" enough
# as if its time were over
kill -ALRM "$(pgrep -u postgres -x pgbench)"
status=0
wait "$bench" || status=$?
sed 's/^/        /' "$dir/bench"
equal $status 0 "the exit code of pgbench"
grep -q '^number of failed transactions: 0' "$dir/bench" || fail "transactions have failed"
equal "$(query 'show ignore_checksum_failure')" off ignore_checksum_failure

step "the sums"
n=$(query 'select count(*) from pgbench_history')
done=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$dir/bench")
equal "$n" "$done" "the number of rows in the history"
sum=$(query 'select sum(delta) from pgbench_history')
for table in accounts:abalance tellers:tbalance branches:bbalance; do
	equal "$(query "select sum(${table#*:}) from pgbench_${table%:*}")" "$sum" \
		"the sum of ${table#*:}"
done
equal "$(query 'select count(*) from pgbench_accounts')" 100000 "the number of accounts"
proved "$n transactions, whose sums agree"
# by the index and by the table
equal "$(query 'set enable_seqscan=off; set enable_bitmapscan=off; select count(*) from
	pgbench_accounts where aid between 1 and 100000')" 100000 "the number in the index"

step "the checksums of all pages"
pg "$bin/pg_ctl" -D "$data" -w -s -m fast stop
! grep -E 'PANIC|FATAL|ERROR|invalid page|checksum' "$data/log" |
	grep -v 'terminating connection' || fail "the server complains"
expect 0 '' pg "$bin/pg_checksums" --check -D "$data"
sed -n '/scanned\|Bad/s/^/        /p' "$dir/out"
grep -q '^Bad checksums: *0$' "$dir/out" || fail "bad checksums"
proved "all pages have the checksums that they should have"
awk '{ end = $5 * 1000000 + $6; printf "%.0f %.0f\n", end - $3, end }' "$dir"/log/times* >"$dir/times"
report "PostgreSQL" "a transaction of pgbench, from its scheduled start"
