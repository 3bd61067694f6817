#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Virtual machines for the tests and the demo."""

import argparse
import shlex
import sys
from pathlib import Path

import build as builder
import compiled
import debian
import fresh
import image
import kernel
import machine as machines
import package
from cache import Failed, end_on_signals, say
from guest import Vm


def add_machine(parser):
    parser.add_argument("--machine", "-m", default="arm64", choices=machines.MACHINES,
                        help="default: %(default)s")
    payload = parser.add_mutually_exclusive_group()
    payload.add_argument("--payload", metavar="DIR", help="tree unpacked over the guest's /")
    payload.add_argument("--build", action="store_true",
                         help="build the checkout for this machine, take that as payload")
    parser.add_argument("--icount", action="store_true",
                        help="one CPU, 1 ns of guest time is one instruction")


def arguments():
    parser = argparse.ArgumentParser(prog="vm.py", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    run = commands.add_parser("run", help="boot, run a command, check dmesg")
    add_machine(run)
    run.add_argument("--timeout", type=float, default=300, help="of the command, seconds")
    run.add_argument("--kmemleak", action="store_true", help="scan for leaks too (debug kernel)")
    run.add_argument("command", nargs="+", help="one argument: a shell command line")
    add_machine(commands.add_parser("shell", help="boot, log in"))
    build = commands.add_parser("build", help="build the checkout for a machine, print the payload")
    build.add_argument("--machine", "-m", default="arm64", choices=machines.MACHINES)
    prepare = commands.add_parser("prepare", help="fill the cache")
    prepare.add_argument("machine", nargs="*", help="default: all")
    commands.add_parser("machines", help="list the machines")
    commands.add_parser("changes", help="what differs from Debian's defaults in the guest, and why")
    headers = commands.add_parser("kernel-headers", help="print the directory for make -C")
    headers.add_argument("machine")
    commands.add_parser("kernel-source", help="print the tree of linux-source")
    packages = commands.add_parser("packages",
                                   help="build the Debian packages, print their directory")
    packages.add_argument("--next", action="store_true", help="of one version later")
    fresh_tree = commands.add_parser("fresh-tree", help="unpack a fresh Debian, for inside.sh")
    fresh_tree.add_argument("release", choices=fresh.RELEASES)
    fresh_tree.add_argument("directory")
    kernels = commands.add_parser("kernel-packages",
                                  help="print a directory with the headers of a release's kernels")
    kernels.add_argument("release", choices=fresh.RELEASES)
    kernels.add_argument("--all", action="store_true",
                         help="not only the newest of each series and flavour")
    commands.add_parser("promtool", help="print the directory of promtool")
    for name, text in (("cross-file", "print a meson cross file (empty: native)"),
                       ("sysroot", "print the directory to compile user space against")):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("arch", choices=("amd64", "arm64"))
    return parser.parse_args()


def payload(args):
    return builder.build(machines.find(args.machine)).payload if args.build else args.payload


def run(args):
    command = args.command[0] if len(args.command) == 1 else shlex.join(args.command)
    with Vm(args.machine, payload(args), args.icount) as vm:
        status, _ = vm.run(command, args.timeout)
        trouble = vm.dmesg_check(kmemleak=args.kmemleak)
    if trouble:
        say("vm: the guest's kernel log shows trouble:")
        say("\n".join("  | " + line for line in trouble))
        return status or 1
    return status


def shell(args):
    with Vm(args.machine, payload(args), args.icount) as vm:
        return vm.shell()


def prepare(args):
    for name in args.machine or machines.MACHINES:
        one = machines.find(name)
        kern = kernel.find(one)
        machines.root_image(one)
        image.sysroot(one.arch)
        image.agent(one.arch)
        image.initramfs(kern, one.arch)
        if one.arch == "arm64":
            machines.device_tree()
        say(f"{name}: ready")
    return 0


def fresh_tree(args):
    compiled.tree(args.release, Path(args.directory), compiled.objects(args.release))
    return 0


def changes(_):
    for kind, subject, reason in image.changes():
        say(f"{subject}: {reason}" if kind == "note" else f"{kind} {subject}: {reason}")
    return 0


def list_machines(_):
    for one in machines.MACHINES.values():
        say(f"{one.name:12} {one.description}")
    return 0


def to_stderr(make):
    """The path alone goes to standard output, progress to standard error."""
    real, sys.stdout = sys.stdout, sys.stderr
    try:
        path = make()
    finally:
        sys.stdout = real
    print(path if path is not None else "")
    return 0


ACTIONS = {
    "run": run, "shell": shell, "prepare": prepare, "changes": changes, "machines": list_machines,
    "build": lambda args: to_stderr(
        lambda: builder.build(machines.find(args.machine)).payload),
    "kernel-headers": lambda args: to_stderr(lambda: kernel.headers(machines.find(args.machine))),
    "kernel-source": lambda args: to_stderr(kernel.source),
    "packages": lambda args: to_stderr(lambda: package.packages(args.next)),
    "fresh-tree": fresh_tree,
    "kernel-packages": lambda args: to_stderr(lambda: fresh.kernel_packages(
        args.release, fresh.kernels(args.release, args.all))),
    "promtool": lambda args: to_stderr(debian.promtool),
    "cross-file": lambda args: to_stderr(lambda: image.cross_file(args.arch)),
    "sysroot": lambda args: to_stderr(lambda: image.sysroot(args.arch)),
}


def main():
    args = arguments()
    end_on_signals()
    try:
        image.check_host()
        return ACTIONS[args.action](args)
    except Failed as error:
        print(f"vm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
