#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""tests/soak [MINUTES]: random faults for a while, in a VM with the debug
kernel; prints what was survived. Exit 0 only if nothing was lost or stuck."""

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


def soak(name, minutes, seed):
    machine = machines.find(name)
    payload = builder.build(machine).payload
    say(f"soak: {minutes} minutes on {name}, seed {seed}")
    with Vm(name, payload=payload) as vm:
        status, _ = vm.run(f"cd /usr/lib/migd/tests && MIGD_MACHINE={name} "
                           f"fault/soak.sh {minutes * 60} {seed}",
                           timeout=minutes * 60 + 900, stream=True)
        trouble = vm.dmesg_check(kmemleak=machine.kernel == "debug")
    for line in trouble:
        say(line)
    return 1 if status or trouble else 0


def main():
    parser = argparse.ArgumentParser(prog="tests/soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=int, default=20)
    parser.add_argument("-m", "--machine", default="amd64-debug",
                        choices=["amd64", "amd64-debug", "amd64-iommu"])
    parser.add_argument("--seed", type=int, default=random.randrange(32768),
                        help="of the order of faults; printed by each run")
    options = parser.parse_args()
    end_on_signals()
    try:
        image.check_host()
        return soak(options.machine, options.minutes, options.seed)
    except (Failed, GuestDied) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
