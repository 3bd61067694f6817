# SPDX-License-Identifier: GPL-2.0
"""The demo's result as text, for a terminal of 100 columns."""

import table
from cache import say
from table import number, paragraph, row, time_of, title


def heads(servers):
    row("", *[f"{server.name}: {server.how}" for server in servers])


def moves(servers, steps):
    title("Moves: seconds, and CPU seconds of mover + of all kernel threads meanwhile")
    heads(servers)
    for index, step in enumerate(steps):
        row(step, *[f"{move.seconds:6.2f} s   CPU {move.cpu:5.2f} + {move.threads:4.2f} s"
                    for move in (server.moves[index] for server in servers)])
    paragraph("Mover: user and system time of migctl and of migd.service (its cgroup, so with the "
              "kernel's io_uring workers that copy for it); of migratepages, which does all in "
              "its system call. Kernel threads: all of them, whatever for. QEMU's engines copy on "
              "the CPU that starts them, so their work is in these times, and emulated seconds "
              "say little about a real machine: tools/migbench counts instructions.")


def pages(servers, moments):
    title("Pages on node 0 and node 1, from /proc/PID/numa_maps: anonymous (+ page cache of files)")
    heads(servers)
    for moment in moments:
        row(moment, *["{:>7} {:>7}  (+{:>5} {:>5})".format(
            number(seen.anonymous[0]), number(seen.anonymous[1]),
            number(seen.file[0]), number(seen.file[1]))
            for seen in (server.seen[moment] for server in servers)])
    paragraph("New pages, which Redis touched first while a move went on, are on node 0 by its "
              "memory policy and are not counted as left: " + "; ".join(
                  f"{server.name} " + ", ".join(str(move.born) for move in server.moves)
                  for server in servers) + ".")


def latencies(servers):
    title("Latency of the clients' operations, from their scheduled start: p50, p99, max")
    heads(servers)
    for phase in ("before", "during", "after"):
        row(phase, *[table.latencies(server.load["phases"][phase]) for server in servers])


def answers(servers):
    title("Answers, and the digest over the keys that nobody writes")
    heads(servers)
    row("reads, writes", *[f"{number(server.load['reads'])}, {number(server.load['writes'])}"
                           for server in servers])
    row("wrong", *[str(server.load["wrong"]) for server in servers])
    row("errors, reconnects", *[f"{server.load['errors']}, {server.load['reconnects']}"
                                for server in servers])
    row("SHA-256, half, before", *[server.digest_before[:32] for server in servers])
    row("  after", *[server.digest_after[:32] for server in servers])


def jobs(server, steps):
    title("migd: pages by outcome and reason; blackout (unmap to unlock of a batch) p50, p99, max")
    for step, move in zip(steps, server.moves):
        job = move.job
        row(step, table.job(job))
        black = job["blackout"]
        row("", f"{job['outcome']}; {number(job['batches'])} batches, {job['rescued']} rescued; "
            "blackout " + ", ".join(
                time_of(black[key]) for key in ("p50_ns", "p99_ns", "max_ns")))


def engines(before, after):
    title("migd: engines and channels; time of one COPY p50, p99, max")
    say(f"  {'name':<12}{'device':<18}{'node':>4}{'copies':>8}{'pages':>9}{'MiB':>7}{'errors':>7}"
        f"{'p50':>11}{'p99':>11}{'max':>11}")
    for name, engine in after.items():
        old = before.get(name, {})

        def more(key, engine=engine, old=old):
            return engine[key] - old.get(key, 0)
        node = engine.get("node", -1)
        times = "".join(f"{time_of(engine['copy'][key]):>11}" for key in (
            "p50_ns", "p99_ns", "max_ns")) if more("copies") else ""
        say(f"  {name:<12}{engine.get('device') or '-':<18}{node if node >= 0 else '-':>4}"
            f"{number(more('copies')):>8}{number(more('pages')):>9}"
            f"{more('bytes') / 2**20:>7.1f}{more('errors'):>7}{times}")


def interrupts(before, after):
    title("The DMA driver's lines of /proc/interrupts: counts by CPU, before and after")
    for name, counts in after.items():
        old = before.get(name, [0] * len(counts))
        say(f"  {name:<44}{' '.join(f'{count:>8}' for count in old)}   ->"
            f"{' '.join(f'{count:>8}' for count in counts)}")
