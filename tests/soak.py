#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""tests/soak [MINUTES]: one fault after the other, in random order, under jobs
and a checking writer, in a VM with the debug kernel; prints what was survived.
Exit 0 only if nothing was lost, late or stuck."""

import argparse
import random
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS / "vm"))

import build as builder                                 # noqa: E402
import image                                            # noqa: E402
import machine as machines                              # noqa: E402
from cache import Failed, end_on_signals, say           # noqa: E402
from guest import GuestDied, Vm                         # noqa: E402

# For the beginning and the end, and for counts that are not reached in time.
MORE_MINUTES = 20
COUNTS_MINUTES = 360


def soak(options):
    machine = machines.find(options.machine)
    payload = builder.build(machine).payload
    limit = options.minutes + MORE_MINUTES + (COUNTS_MINUTES if options.counts else 0)
    say(f"soak: {options.minutes} minutes on {machine.name}, seed {options.seed}")
    with Vm(machine.name, payload=payload) as vm:
        trouble = vm.dmesg_check()
        status, _ = vm.run(f"cd /usr/lib/migd/tests && MIGD_MACHINE={machine.name} fault/soak.sh "
                           f"{options.minutes * 60} {options.seed} "
                           f"{'counts' if options.counts else ''}",
                           timeout=limit * 60, stream=True)
        trouble += vm.dmesg_check(kmemleak=machine.kernel == "debug")
    if trouble:
        say("soak: the guest's kernel log shows trouble:")
    for line in trouble:
        say("  | " + line)
    return 1 if status or trouble else 0


def main():
    parser = argparse.ArgumentParser(prog="tests/soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=int, default=20)
    parser.add_argument("-m", "--machine", default="amd64-debug",
                        choices=["amd64", "amd64-debug", "amd64-iommu"])
    parser.add_argument("--seed", type=int, default=random.randrange(32768),
                        help="of the order of faults; printed by each run")
    parser.add_argument("--counts", action="store_true",
                        help="go on after MINUTES until the daemon has been killed 1000 times, "
                        "and stopped 190 times for 1 s and 10 times for 10 s")
    options = parser.parse_args()
    end_on_signals()
    try:
        image.check_host()
        return soak(options)
    except (Failed, GuestDied) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
