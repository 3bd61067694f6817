# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the soak does to the DMA engines, by the switches of tests/engine.

lsi=/sys/kernel/debug/migd_lsi
driver=/sys/bus/pci/drivers/migd_lsi

# set_switch NAME VALUE: of every device
set_switch()
{
	local file

	for file in "$lsi"/*/"$1"; do
		echo "$2" >"$file"
	done
}

# switched WORDS SWITCH VALUE REST [MORE...]: for longer than the deadline, for
# those that keep the engine from answering
switched()
{
	local words=$1
	local -a rest=()

	shift
	while [ $# -gt 0 ]; do
		set_switch "$1" "$2"
		rest+=("$1" "$3")
		shift 3
	done
	nap 700
	set -- "${rest[@]}"
	while [ $# -gt 0 ]; do
		set_switch "$1" "$2"
		shift 2
	done
	count "engine: $words"
}

one_fails()
{
	switched "one descriptor fails" fail_after 3 -1
}

some_fail()
{
	switched "some descriptors fail" fail_count 20 1 fail_after 5 -1
}

all_fail()
{
	switched "all descriptors fail" fail_count -1 1 fail_after 0 -1
}

never_answers()
{
	switched "no answer until after the deadline" hold 1 0
}

writes_late()
{
	switched "writes after the deadline" late_write 1 0
}

loses_interrupts()
{
	switched "interrupts are lost" lose_irq 2 0
}

out_of_order()
{
	switched "answers out of order" reorder 1 0 latency_us 2000 0
}

answers_when_asked()
{
	switched "answers only when asked" intr_only 1 0
}

slow()
{
	switched "slow, stops in the middle" latency_us 20000 0 gap_us 200 0
}

prep_is_null()
{
	switched "prep returns NULL" prep_null 5 0
}

no_room()
{
	switched "no room for more descriptors" prep_room 2 0
}

submit_fails()
{
	switched "submit fails" submit_after 2 0 submit_fail 3 0
}

no_mapping()
{
	switched "mapping fails" map_bits 20 32
}

# A job that is cancelled while the engine is at it.
cancelled_under_dma()
{
	set_switch latency_us 100000
	cancelled
	nap 300
	set_switch latency_us 0
}

# of_engines FILTER: names, by jq
of_engines()
{
	asked engines --json | jq -r "map(select(.name != \"cpu\" and ($1)))[].name"
}

serves_all()
{
	[ "$(of_engines '.state == "ready" or .state == "faulted"' | wc -l)" = "$channels" ]
}

# All jobs are verified while an engine calls wrong copies complete. The channel
# is disabled, until it is released and claimed.
lied()
{
	local name

	: >"$dir/verify"
	quiesce
	resume
	served
	set_switch corrupt 2
	nap 1500
	set_switch corrupt 0
	# those that were submitted before
	quiesce
	rm "$dir/verify"
	for name in $(of_engines '.state == "disabled"'); do
		asked engines release "$name" >/dev/null
		asked engines claim "$name" >/dev/null
		count "engine: lies, is disabled and had again"
	done
	resume
}

released()
{
	local name

	served
	name=$(of_engines '.state == "ready"' | shuf -n 1)
	[ "$name" ] || return 0
	migctl engines release "$name" >/dev/null 2>&1 || return 0
	nap 300
	asked engines claim "$name" >/dev/null
	count "engine: released and claimed"
}

unbound()
{
	local device

	served
	device=$(basename "$(find $driver/ -name '0000:*' | shuf -n 1)")
	echo "$device" >$driver/unbind
	nap 300
	echo "$device" >$driver/bind
	# it is a new channel, which a reload claims
	by_systemd reload
	count "engine: driver unbound"
}
