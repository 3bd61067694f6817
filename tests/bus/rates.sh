# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What is locked and what is moved in any two seconds, by the module's tracepoints.

[ -v patience ] || . bus/jobs.sh

tracing=/sys/kernel/tracing

# watch_rates: from now on
watch_rates()
{
	echo mono >$tracing/trace_clock
	echo 1 >$tracing/events/migd/migd_batch/enable
	echo 1 >$tracing/events/migd/migd_job/enable
	: >$tracing/trace
}

# rates_seen: up to now, in $dir/trace
rates_seen()
{
	cat $tracing/trace >"$dir/trace"
	echo 0 >$tracing/events/enable
}

# windows EDGE RATE...: of the batches that pass EDGE, a regular expression, in
# $dir/trace: the most percent of what the rate allows that any two seconds saw, which
# begin or end with a batch; the least; and the pages of all. Each further RATE holds
# from the next job-set on.
windows()
{
	local edge=$1

	shift
	awk -v edge="$edge" -v rates="$*" -v page="$(getconf PAGESIZE)" -v width=2 '
		# what the rate allows up to the time
		function allowed(time, sum, i, to)
		{
			sum = 0
			for (i = 1; i <= changes && from[i] < time; i++) {
				to = i < changes && from[i + 1] < time ? from[i + 1] : time
				sum += rate[i] * (to - from[i])
			}
			return sum
		}
		# the highest rate in between
		function highest(begin, end, i, most)
		{
			most = 0
			for (i = 1; i <= changes && from[i] <= end; i++)
				if ((i == changes || from[i + 1] >= begin) && rate[i] > most)
					most = rate[i]
			return most
		}
		# percent that were seen from begin on
		function percent(bytes, begin)
		{
			bytes -= allowed(begin + width) - allowed(begin)
			return 100 + 100 * bytes / (width * highest(begin, begin + width))
		}
		BEGIN {
			known = split(rates, rate)
			changes = 1
			from[1] = 0
		}
		{
			for (i = 1; i <= NF && $i !~ /^migd_(batch|job):$/; i++)
				;
			time = $(i - 1) + 0
		}
		$i == "migd_job:" && $(i + 3) == "set" && changes < known {
			from[++changes] = time
		}
		$i == "migd_batch:" && $(i + 3) ~ "^" edge "$" {
			at[++n] = time
			bytes[n] = substr($(i + 4), 7) * page
			all += bytes[n]
		}
		END {
			least = -1
			last = 1
			for (first = 1; first <= n; first++) {
				for (; last <= n && at[last] <= at[first] + width; last++)
					sum += bytes[last]
				p = percent(sum, at[first])
				if (p > most)
					most = p
				sum -= bytes[first]
				p = percent(sum, at[first])
				if (at[first] + width <= at[n] && (least < 0 || p < least))
					least = p
			}
			printf "%.1f %.1f %d\n", most, least < 0 ? 0 : least, all / page
		}' "$dir/trace"
}

# held PAGES RATE...: no two seconds saw more than 110 % of it, and all PAGES are in
# the trace. How little they saw depends on the machine, and is said.
held()
{
	local pages=$1 edge what most least seen rate
	local -a half=()

	shift
	for rate in "$@"; do
		half+=($((rate / 2)))
	done
	for edge in 'locked FREE->LOCKED' 'moved [A-Z_]*->FREE'; do
		what=${edge% *}
		read -r most least seen < <(windows "${edge#* }" "$@")
		echo "        $what in any 2 s: $least to $most % of the rate; $seen pages"
		[ "$seen" -ge "$pages" ] || fail "the trace has $seen pages, not $pages"
		[ "${most%.*}" -lt 110 ] || fail "$most % of the rate were $what in 2 s"
		# and what did exceed it would be seen
		read -r most _ < <(windows "${edge#* }" "${half[@]}")
		[ "${most%.*}" -ge 110 ] || fail "nor is half the rate exceeded: $most %"
	done
}
