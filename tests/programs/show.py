# SPDX-License-Identifier: GPL-2.0
"""The result of migprograms as text, for a terminal of 100 columns."""

import table
from cache import say
from table import number, paragraph, row, title

MOVERS = {"migd": "migd", "migrate_pages": "migrate_pages(2)"}
WAYS = ((0, 1), (1, 0))


def all_of(results, args):
    say(f"\nTo node 1 and back, {args.rounds} x by each; {args.seconds} s before and after every move")
    for result in results:
        if result["failure"] is None:
            one(result)
    say("")
    notes()
    say("")
    for result in results:
        if result["failure"] is not None:
            say(f"FAILED: {result['name']}: {result['failure']}")
    if not any(result["failure"] for result in results):
        say("PASSED: every proof of health holds, and migd moves what migrate_pages(2) moves")


def one(result):
    title(f"{result['program']}: {result['operation']}")
    row("", *MOVERS.values())
    for phase in ("before", "during", "after"):
        row(f"{phase}: p50, p99, max",
            *[table.latencies(result["phases"][f"{phase}-{by}"]) for by in MOVERS])
    row("operations in these", *[", ".join(number(result["phases"][f"{phase}-{by}"]["ops"])
                                           for phase in ("before", "during", "after"))
                                 for by in MOVERS])
    for way in WAYS:
        moves_of(result, way)
    for way in WAYS:
        row(f"stopped, {way[0]} to {way[1]}", *[
            came_and_left(moves(result, by, way, stopped=True)) for by in MOVERS])
    paragraph("proof: " + "; ".join(result["proofs"]))


def moves(result, by, way, stopped=False):
    return [move for move in result["moves"] if move["by"] == by and move["stopped"] == stopped
            and (move["from"], move["to"]) == way]


def came_and_left(several):
    """All that came by them, and what the last of them left."""
    return (f"{number(sum(move['arrived'] for move in several))} came, "
            f"{number(several[-1]['left'])} left")


def moves_of(result, way):
    """The times of all moves that way, and the pages of the last."""
    label = f"{way[0]} to {way[1]}"
    row(f"{label}: seconds", *[" ".join(f"{move['usec'] / 1e6:.2f}"
                                        for move in moves(result, by, way)) for by in MOVERS])
    row(f"{label}: pages", *[came_and_left(moves(result, by, way)[-1:]) for by in MOVERS])
    row(f"{label}: migd's job", table.job(moves(result, "migd", way)[-1]["job"]))


def notes():
    paragraph("Pages are those of anonymous and shared memory, each counted once, of the last move "
              "that way; what migd says of its job counts page cache, too, which it leaves (file). "
              "A program that runs makes new pages on node 0, which count as left; one "
              "that is stopped makes none.")
    paragraph("migrate_pages(2) is called by migratepages, for one process after the other. For "
              "PostgreSQL it has CAP_SYS_NICE, without which it leaves the shared buffers; so it "
              "moves page cache, too, which migd leaves.")
    paragraph("An operation that overlaps a move counts as during. QEMU emulates CPUs and engines, "
              "so these times compare, and say little about a real machine.")
