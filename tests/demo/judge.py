# SPDX-License-Identifier: GPL-2.0
"""When the demo has failed: every condition in words."""

DMA_PERCENT = 95    # of the moved pages, at least


def failures(arch, servers, steps, engines, interrupts):
    return [*wrong_data(servers), *left_behind(servers, steps), *copied_otherwise(
        arch, servers[0], *engines), *silent_engine(*interrupts)]


def wrong_data(servers):
    for server in servers:
        if server.load["wrong"]:
            yield (f"{server.name} gave {server.load['wrong']} wrong answers: "
                   + "; ".join(server.complaints()))
        if not server.load["reads"] or not server.load["writes"]:
            yield f"the client of {server.name} did not read and write"
        if server.digest_before != server.digest_after:
            yield f"the frozen keys of {server.name} have changed: the digests differ"
    if servers[0].digest_before != servers[1].digest_before:
        yield "the two servers did not start with the same data"


def left_behind(servers, steps):
    """migd leaves no more anonymous pages than the system call does, and
    says why for each."""
    ours, theirs = servers
    if ours.seen["before"].anonymous[1] or theirs.seen["before"].anonymous[1]:
        yield "a server had anonymous pages on node 1 before it was moved"
    for index, (label, source, _, _) in enumerate(steps):
        moment = f"after {label}"
        left = [max(0, server.seen[moment].anonymous[source] - server.moves[index].born)
                for server in servers]
        if left[0] > left[1]:
            yield (f"{moment}: {left[0]} anonymous pages are left on node {source}, "
                   f"migrate_pages(2) leaves {left[1]}")
        job = ours.moves[index].job
        reasons = sum(job["left"].values())
        unexplained = ours.seen[moment].all(source) - reasons - ours.moves[index].born
        if unexplained > 0:
            yield (f"{moment}: {unexplained} of the pages left on node {source} have no reason; "
                   f"migd names one for {reasons}")
        if not job["moved"]:
            yield f"{label}: migd moved nothing"


def copied_otherwise(arch, server, before, after):
    # what is in large folios goes whole, by move_pages(2)
    moved = sum(move.job["moved"] - move.job["routed"] for move in server.moves)
    channels = {name: engine["pages"] - before.get(name, {}).get("pages", 0)
                for name, engine in after.items() if name != "cpu"}
    if not channels:
        yield "migd has no DMA channel"
    elif sum(channels.values()) * 100 < moved * DMA_PERCENT:
        yield (f"the DMA engine copied {sum(channels.values())} of {moved} small pages moved, less than "
               f"{DMA_PERCENT}%")
    idle = [name for name, pages in channels.items() if not pages]
    if arch == "arm64" and (idle or len(channels) < 8):
        yield (f"not all 8 channels copied: there are {len(channels)}, idle: "
               f"{', '.join(idle) or 'none'}")


def silent_engine(before, after):
    if sum(map(sum, after.values())) <= sum(map(sum, before.values())):
        yield "the DMA driver's interrupts did not increase"
