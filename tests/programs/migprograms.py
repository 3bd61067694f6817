#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Moves PostgreSQL under pgbench, Redis, a Java heap of huge pages and a KVM guest to
another NUMA node and back, by migd and by migrate_pages(2), in a virtual machine, and
prints what their operations took before, during and after."""

import argparse
import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "vm"), str(TESTS / "demo")]

import build as builder                                 # noqa: E402
import image                                            # noqa: E402
import machine as machines                              # noqa: E402
import show                                             # noqa: E402
from cache import Failed, say                           # noqa: E402
from guest import Vm                                    # noqa: E402

# the one that has these programs, see guest-packages.amd64
MACHINE = "amd64"
# the tests that do it, in tests/
PROGRAMS = {"postgresql": "fault/others/postgresql.sh", "redis": "fault/others/redis.sh",
            "java": "fault/others/jvm.sh", "kvm": "fault/vcpu.sh"}
RESULT = "/run/migprograms.json"
MOST_ROUNDS = 7         # as tests/load/phases.c has room for 128 phases


def measure(vm, name, args):
    """What the test of a program has found; with "failure" when it has failed."""
    say(f"\n{name}: {PROGRAMS[name]}")
    # each move may take a minute: 4 in a round, and 4 of a program that is stopped
    limit = 600 + 4 * args.rounds * (2 * args.seconds + 60) + 4 * 60
    status, output = vm.run(
        f"rm -f {RESULT}; cd /{builder.GUEST_TESTS} && MIGD_MACHINE={MACHINE}"
        f" MIGD_SECONDS={args.seconds} MIGD_ROUNDS={args.rounds} MIGD_RESULT={RESULT}"
        f" exec {PROGRAMS[name]}", limit)
    _, text = vm.run(f"cat {RESULT}", stream=False)
    result = {"name": name, "failure": None}
    if status:
        result["failure"] = f"{PROGRAMS[name]} ended with status {status}:\n{output[-2000:]}"
    else:
        try:
            result.update(json.loads(text))
        except json.JSONDecodeError as error:
            result["failure"] = f"{PROGRAMS[name]} left no result ({error}):\n{text}"
    trouble = vm.dmesg_check()
    if trouble:
        result["failure"] = "the guest's kernel log shows trouble:\n" + "\n".join(trouble)
    return result


def run(args):
    machine = machines.find(MACHINE)
    payload = builder.build(machine).payload
    with Vm(machine, payload) as vm:
        return [measure(vm, name, args) for name in args.program or PROGRAMS]


def count(most):
    def parse(text):
        value = int(text) if text.isdecimal() else 0
        if not 1 <= value <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to {most}")
        return value
    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="tools/migprograms", description=__doc__)
    parser.add_argument("--seconds", type=count(60), default=3,
                        help="before and after each move (default: %(default)s)")
    parser.add_argument("--rounds", type=count(MOST_ROUNDS), default=3,
                        help="moves there and back by each (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON, progress on stderr")
    parser.add_argument("program", nargs="*", metavar="PROGRAM",
                        help=f"of {', '.join(PROGRAMS)} (default: all)")
    args = parser.parse_args()
    for name in args.program:
        if name not in PROGRAMS:
            parser.error(f"there is no program '{name}'; there are {', '.join(PROGRAMS)}")
    return args


def main():
    args = arguments()
    real = sys.stdout
    if args.json:
        sys.stdout = sys.stderr     # what the harness says
    try:
        image.check_host()
        results = run(args)
    except Failed as error:
        print(f"migprograms: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if args.json:
        json.dump({"machine": MACHINE, "seconds": args.seconds, "rounds": args.rounds,
                   "programs": results}, real, indent=1)
        real.write("\n")
    else:
        show.all_of(results, args)
    return 1 if any(result["failure"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
