#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What moving a 4 KiB page costs: instructions of the whole guest, for the
kernel's two system calls and for migd, in one virtual machine under -icount."""

import argparse
import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "vm"))

import build as builder                                 # noqa: E402
import image                                            # noqa: E402
import machine as machines                              # noqa: E402
import programs                                         # noqa: E402
from cache import Failed                                # noqa: E402
from guest import Vm                                    # noqa: E402

DRIVER = {"arm64": "zynqmp_dma", "amd64": "migd_lsi"}
REFERENCE = "migrate_pages(2)"
AIMS = {"cpu": 0.72, "dma": 0.65}
PROGRAM, TARGET = "/usr/local/bin/migd-bench", "/usr/local/bin/migd-bench-target"

NOTES = """\
instructions  of the whole guest (kernel, daemon, D-Bus, interrupts) per page that changed node,
              mean of the way there and back, each the median of three after a warm-up; one
              nanosecond under 'qemu -icount shift=0' is one instruction; idle time, which a
              SCHED_IDLE process soaks up and counts, is left out
DMA driver    instructions inside the driver's functions (prepare, submit, issue, interrupt,
              tasklet) and what they call, without migd's callback; timed by the function graph
              tracer in a round trip of its own, the tracer's cost taken off"""


def per_page(result):
    """The numbers of one method, from what the guest program measured."""
    ways = result["there"], result["back"]
    pages = sum(way["pages"] for way in ways)
    numbers = {"method": result["method"], "engine": result.get("engine"),
               "order": result.get("order"), "pages": pages,
               "instructions": sum(way["instructions"] for way in ways) / pages,
               "idle_instructions": sum(way["idle"] for way in ways) / pages,
               "there": ways[0]["instructions"] / ways[0]["pages"],
               "back": ways[1]["instructions"] / ways[1]["pages"],
               "dma_driver": None}
    if "driver_pages" in result:
        numbers["dma_driver"] = result["driver_instructions"] / result["driver_pages"]
        numbers["dma_driver_calls"] = result["driver_calls"] / result["driver_pages"]
    if "job" in result:
        numbers["job"] = result["job"]
    return numbers


def measure(arch, mib):
    machine = machines.find(arch)
    payload = builder.build(machine).payload
    bench, target = programs.bench(arch)
    with Vm(machine, payload, icount=True) as vm:
        vm.push(bench, PROGRAM)
        vm.push(target, TARGET)
        for command in (f"modprobe {DRIVER[arch]}", "sysctl -q kernel.numa_balancing=0",
                        "migctl status >/dev/null"):
            status, output = vm.run(command, 300, stream=False)
            if status:
                raise Failed(f"in the guest, '{command}' ended with status {status}:\n{output}")
        status, output = vm.run(f"{PROGRAM} --mib {mib} --driver {DRIVER[arch]} {TARGET}", 1800,
                                out=sys.stderr.buffer if sys.stderr.isatty() else Quiet())
        trouble = vm.dmesg_check()
    if trouble:
        raise Failed("the guest's kernel log shows trouble:\n" + "\n".join(trouble))
    if status:
        raise Failed(f"the benchmark ended with status {status}:\n{output}")
    return [per_page(json.loads(line)) for line in output.splitlines() if line.startswith("{")]


class Quiet:
    """A sink for output that is not for a terminal."""

    def write(self, data):
        pass

    def flush(self):
        pass


def add_ratios(results):
    reference = next(one for one in results if one["method"] == REFERENCE)["instructions"]
    for one in results:
        one["ratio"] = one["instructions"] / reference
        one["aim"] = AIMS.get(one["engine"])


def table(arch, mib, results):
    print(f"\nInstructions per 4 KiB page, {arch}, {mib} MiB of anonymous memory, node 0 to 1 and "
          "back\n")
    print(f"{'':26}{'instructions':>13}{'there':>8}{'back':>8}{'DMA driver':>12}"
          f"{'ratio':>8}{'aim':>7}")
    for one in results:
        driver = f"{one['dma_driver']:.0f}" if one["dma_driver"] is not None else ""
        aim = f"{one['aim']:.2f}" if one["aim"] else ""
        missed = "  missed" if one["aim"] and one["ratio"] > one["aim"] else ""
        print(f"{one['method']:26}{one['instructions']:13.0f}{one['there']:8.0f}"
              f"{one['back']:8.0f}{driver:>12}{one['ratio']:8.3f}{aim:>7}{missed}")
    print("\n" + NOTES)


def arguments():
    parser = argparse.ArgumentParser(prog="tools/migbench", description=__doc__)
    parser.add_argument("--arch", choices=sorted(DRIVER), default="arm64",
                        help="default: %(default)s")
    parser.add_argument("--mib", type=int, default=64, help="memory to move (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON, progress on stderr")
    return parser.parse_args()


def main():
    args = arguments()
    real = sys.stdout
    if args.json:
        sys.stdout = sys.stderr     # what the harness says
    try:
        image.check_host()
        results = measure(args.arch, args.mib)
        add_ratios(results)
    except Failed as error:
        print(f"migbench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if args.json:
        json.dump({"arch": args.arch, "mib": args.mib, "methods": results}, real, indent=1)
        real.write("\n")
    else:
        table(args.arch, args.mib, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
