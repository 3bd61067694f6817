#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Moves a live Redis from one NUMA node to another with migd, and another one
with migrate_pages(2), in a virtual machine."""

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))

import build as builder                                 # noqa: E402
import guestside                                        # noqa: E402
import image                                            # noqa: E402
import judge                                            # noqa: E402
import machine as machines                              # noqa: E402
import report                                           # noqa: E402
import table                                            # noqa: E402
from cache import Failed, say                           # noqa: E402
from guest import Vm                                    # noqa: E402
from servers import DIR, MALLOC, RATE, REDIS, THREADS, Server, fill_both, wait  # noqa: E402

DRIVER = {"arm64": "zynqmp_dma", "amd64": "migd_lsi"}
BASELINE_SECONDS = 10
PAUSE_SECONDS = 2
LATER_SECONDS = 30
DEADLINE = "5s"
# (label, from, to, what migctl is given)
STEPS = (("0 to 1, copy-first", 0, 1, ""),
         ("1 to 0, copy-first", 1, 0, ""),
         ("0 to 1, state-first", 0, 1, "--order state-first"))
MOMENTS = ("before", *[f"after {step[0]}" for step in STEPS], f"{LATER_SECONDS} s later")


@dataclass
class Move:
    """One move, as measured."""
    status: int
    seconds: float
    cpu: float
    threads: float
    born: int = 0       # anonymous pages that came into being meanwhile
    job: dict = field(default_factory=dict)


def timed(guest, command, show):
    """Run the mover: (status, seconds, user and system seconds, output)."""
    times = f"{DIR}/times"
    status, output = guest.vm.run(
        f"TIMEFORMAT='%3R %3U %3S'; {{ time {command} 2>&3; }} 3>&2 2>{times}", 900, stream=show)
    seconds, user, system = guest.read(f"tail -n 1 {times}").split()
    return status, float(seconds), float(user) + float(system), output


def by_migd(guest, server, step):
    """migctl draws its own progress bar when it has a terminal."""
    _, source, target, options = step
    command = (f"migctl migrate {server.pid} --from {source} --to {target}"
               f" --deadline {DEADLINE} {options}")
    if sys.stdout.isatty():
        command = f"script -qec 'stty cols {table.WIDTH}; {command}' /dev/null"
    service = guestside.service_seconds(guest)
    threads = guestside.kernel_threads_seconds(guest)
    status, seconds, cpu, output = timed(guest, command, show=True)
    move = Move(status, seconds, cpu + guestside.service_seconds(guest) - service,
                guestside.grown(threads, guestside.kernel_threads_seconds(guest)))
    if status not in (0, 3):
        raise Failed(f"'{command}' ended with status {status}:\n{output}")
    move.job = guestside.last_job(guest)
    return move


def by_system_call(guest, server, step):
    _, source, target, _ = step
    # without CAP_SYS_NICE: what this process alone maps, as migd does. The
    # pages of shared programs take QEMU minutes, since it has to throw its
    # translations away whenever one moves.
    command = f"setpriv --bounding-set -sys_nice migratepages {server.pid} {source} {target}"
    threads = guestside.kernel_threads_seconds(guest)
    status, seconds, cpu, output = timed(guest, command, show=False)
    if status:
        raise Failed(f"'{command}' ended with status {status}: {output}")
    say(f"migratepages {server.pid} {source} {target}: one system call, no progress to show; "
        f"{seconds:.2f} s")
    return Move(status, seconds, cpu,
                guestside.grown(threads, guestside.kernel_threads_seconds(guest)))


def move_there_and_back(guest, server, other, mover):
    """The steps, with the client's phases and the pages after each. What the
    other server's client suffers meanwhile is not held against it."""
    other.phase("meanwhile")
    say(f"\n{server.name} (pid {server.pid}), by {server.how}")
    for step in STEPS:
        before = server.addresses()
        server.phase("during")
        move = mover(guest, server, step)
        server.seen[f"after {step[0]}"] = server.pages()
        server.phase("after")
        move.born = len(server.addresses() - before)
        server.moves.append(move)
        wait(PAUSE_SECONDS, "clients go on")
    other.phase("after")
    server.last_move = time.monotonic()


def explain_changes(guest):
    say("\nWhat differs from Debian's defaults in the guest")
    masked = 0
    for kind, subject, reason in image.changes():
        if kind == "note":
            report.paragraph(f"{subject}: {reason}")
        else:
            masked += 1
    report.paragraph(f"{masked} units and generators of systemd are off: 'tests/vm/vm.py changes' "
                     "lists each with its reason")
    report.paragraph(f"redis-server {REDIS}: data in memory only, reached by a socket; no "
                     "background saving, so no fork during a move")
    report.paragraph(f"{MALLOC} for both: jemalloc keeps what Redis frees, or new pages would "
                     "appear on node 0 all the time, whoever had moved the old ones")
    report.paragraph(f"migctl migrate --deadline {DEADLINE}, not 500 ms: an emulated CPU can stand "
                     "still that long while the host does other work, and no engine is at fault")
    before = guest.read("cat /proc/sys/kernel/numa_balancing").strip()
    if before != "0":
        guest.read("sysctl -q kernel.numa_balancing=0")
        report.paragraph(f"kernel.numa_balancing={before} is set to 0: all CPUs are on node 0, so "
                         "the kernel would bring the pages back there, whoever had moved them")
    report.paragraph("migratepages runs without CAP_SYS_NICE, so it moves what only this process "
                     "maps: program text that others run, too, costs QEMU minutes to move, since "
                     "its translations are lost")


def start_migd(guest):
    """The daemon starts because somebody asks for it on the bus."""
    guest.read(f"modprobe {DRIVER[guest.arch]}")
    before = guest.read("systemctl show --value -P ActiveState migd.service").strip()
    status = guest.read("migctl status")
    after = guest.read("systemctl show --value -P ActiveState migd.service").strip()
    say(f"\nmigd.service was {before}; 'migctl status' made D-Bus start it: {after}")
    for line in status.rstrip().splitlines():
        say(f"  {line}")


def start_servers(guest):
    say("\nTwo Redis servers on node 0")
    guest.read(f"mkdir -p {DIR}")
    servers = Server(guest, "redis-a"), Server(guest, "redis-b")
    servers[0].how, servers[1].how = "migd", "migrate_pages(2)"
    for server in servers:
        server.seen, server.moves = {}, []
        server.start()
    fill_both(guest, servers)
    for server in servers:
        server.digest_before = server.digest()
    for server in servers:
        server.run_client()
    wait(PAUSE_SECONDS, "clients start")
    for server in servers:
        server.phase("before")
    wait(BASELINE_SECONDS, "clients read and write")
    for server in servers:
        seen = server.seen["before"] = server.pages()
        say(f"  {server.name}: pid {server.pid}, {server.data_mib()} MiB of data, memory policy "
            f"{'/'.join(sorted(seen.policies))}, client {THREADS} x {RATE} operations/s")
    return servers


def finish(servers):
    """The last pages, 30 s after each server's last move, and the results."""
    for server in servers:
        wait(max(0, server.last_move + LATER_SECONDS - time.monotonic()),
             f"{LATER_SECONDS} s after the last move")
        server.seen[MOMENTS[-1]] = server.pages()
    for server in servers:
        server.load = server.stop_client()
        server.digest_after = server.digest()


def show(guest, servers, engines, interrupts):
    labels = [step[0] for step in STEPS]
    report.pages(servers, MOMENTS)
    report.moves(servers, labels)
    report.latencies(servers)
    report.answers(servers)
    report.jobs(servers[0], labels)
    engines = engines, guestside.engines(guest)
    interrupts = interrupts, guestside.interrupts(guest)
    report.engines(*engines)
    report.interrupts(*interrupts)
    failures = judge.failures(guest.arch, servers, STEPS, engines, interrupts)
    say("")
    for failure in failures:
        say(f"FAILED: {failure}")
    if not failures:
        say("PASSED: no wrong answer, equal digests, nothing left that migrate_pages(2) moves, "
            "copied by DMA")
    return failures


def leave_in_shell(vm, servers):
    say("\nYou are root in the VM; 'exit' ends it. Some things to try:")
    for server in servers:
        say(f"  redis-cli -s {server.socket} info memory        # pid {server.pid}")
    say(f"  migctl migrate {servers[0].pid} --from 1 --to 0; migctl jobs; migctl engines")
    say("  busctl introspect org.migd1 /org/migd1")
    vm.shell()


def run(args):
    started = time.monotonic()
    machine = machines.find(args.arch)
    payload = builder.build(machine).payload
    with Vm(machine, payload) as vm:
        guest = guestside.Guest(vm)
        explain_changes(guest)
        start_migd(guest)
        servers = start_servers(guest)
        engines, interrupts = guestside.engines(guest), guestside.interrupts(guest)
        say(f"\nready to move after {time.monotonic() - started:.0f} s")
        move_there_and_back(guest, *servers, by_migd)
        move_there_and_back(guest, *reversed(servers), by_system_call)
        finish(servers)
        failures = show(guest, servers, engines, interrupts)
        trouble = vm.dmesg_check()
        for line in trouble:
            say(f"FAILED: the guest's kernel log: {line}")
        if args.shell:
            leave_in_shell(vm, servers)
    return 1 if failures or trouble else 0


def arguments():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--arch", choices=sorted(DRIVER), default="arm64",
                        help="arm64: ZynqMP ADMA, 8 channels; amd64: four LSI 53C895A "
                        "(default: %(default)s)")
    parser.add_argument("--shell", action="store_true", help="end in a root shell in the VM")
    args = parser.parse_args()
    if args.shell and not sys.stdin.isatty():
        parser.error("--shell needs a terminal on standard input")
    return args


def main():
    args = arguments()
    try:
        image.check_host()
        return run(args)
    except Failed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
