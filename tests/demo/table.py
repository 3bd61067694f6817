# SPDX-License-Identifier: GPL-2.0
"""What migd and migrate_pages(2) did, side by side, for a terminal of 100 columns."""

import textwrap

from cache import say

WIDTH = 100
LEFT = 30       # width of the labels; two columns of 34 follow


def title(text):
    say(f"\n{text}")


def row(label, *columns):
    say(("  " + label.ljust(LEFT - 2) + "".join(column.ljust(35) for column in columns)).rstrip())


def paragraph(text):
    say(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    "))


def number(value):
    return f"{value:,}".replace(",", " ")


def time_of(ns):
    if ns < 10_000:
        return f"{ns} ns"
    return f"{ns / 1000:.0f} us" if ns < 10_000_000 else f"{ns / 1e6:.0f} ms"


def latencies(times):
    """p50, p99 and max of one phase."""
    if not times["ops"]:
        return f"{'-':>8} {'-':>8} {'-':>8}"
    return "{:>8} {:>8} {:>8}".format(*[time_of(times[key]) for key in (
        "p50_ns", "p99_ns", "max_ns")])


def job(one):
    """The pages of a job of migd's by outcome and reason."""
    left = ", ".join(f"{reason} {number(count)}" for reason, count in one["left"].items()
                     if count) or "none"
    whole = f", {number(one['routed'])} in large folios" if one["routed"] else ""
    return f"moved {number(one['moved'])}{whole}; left: {left}"
