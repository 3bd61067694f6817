# SPDX-License-Identifier: GPL-2.0
"""What the demo reads in the guest: pages per node, CPU time, interrupts,
and migd's own JSON."""

import json
import re
from dataclasses import dataclass

from cache import Failed

# names in /proc/interrupts, and of the driver, per architecture
ENGINE_IRQ = {"arm64": r"zynqmp-dma", "amd64": r"migd_lsi"}


class Guest:
    """A Vm with commands that must succeed."""

    def __init__(self, vm):
        self.vm = vm
        self.arch = vm.machine.arch

    def read(self, command, timeout=120, allowed=(0,)):
        """The output of a command that has to end with an allowed status."""
        status, output = self.vm.run(command, timeout, stream=False)
        if status not in allowed:
            raise Failed(f"in the guest, '{command}' ended with status {status}:\n{output}")
        return output

    def read_json(self, command):
        text = self.read(command)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise Failed(f"in the guest, '{command}' printed no JSON ({error}):\n{text}") from None


@dataclass
class Pages:
    """Pages of a process by node: anonymous memory, and page cache it maps."""
    anonymous: dict
    file: dict
    policies: set

    def all(self, node):
        return self.anonymous[node] + self.file[node]


def pages(guest, pid):
    """From /proc/PID/numa_maps. In a private mapping of a file the kernel
    gives the number of anonymous pages, but not their nodes: where both kinds
    are on both nodes, those on node 0 are counted as page cache first, which
    is what stays behind."""
    found = Pages({0: 0, 1: 0}, {0: 0, 1: 0}, set())
    for line in guest.read(f"cat /proc/{pid}/numa_maps").splitlines():
        words = line.split()
        fields = dict(word.split("=", 1) for word in words[2:] if "=" in word)
        count = {node: int(fields.get(f"N{node}", 0)) for node in (0, 1)}
        if sum(count.values()):
            found.policies.add(words[1])
        anonymous = int(fields.get("anon", 0)) if "file" in fields else sum(count.values())
        cached = sum(count.values()) - anonymous
        cached_here = min(cached, count[0])
        for node, part in ((0, cached_here), (1, cached - cached_here)):
            found.file[node] += part
            found.anonymous[node] += count[node] - part
    return found


def kernel_threads_seconds(guest):
    """{pid: CPU seconds} of the kernel's threads: the children of kthreadd."""
    text = guest.read("grep -s '' /proc/[0-9]*/stat /proc/[0-9]*/schedstat; true")
    parents, times = {}, {}
    for line in text.splitlines():
        match = re.match(r"/proc/(\d+)/(stat|schedstat):(.*)", line)
        if not match:
            continue
        pid, kind, rest = match.groups()
        if kind == "stat":
            parents[pid] = rest.rsplit(")", 1)[1].split()[1]
        else:
            times[pid] = int(rest.split()[0]) / 1e9
    return {pid: seconds for pid, seconds in times.items() if parents.get(pid) == "2"}


def grown(before, after):
    """Sum of what each counter has grown by; new ones count in full."""
    return sum(value - before.get(key, 0) for key, value in after.items())


def service_seconds(guest):
    """CPU time of migd.service, with its io_uring workers."""
    text = guest.read("cat /sys/fs/cgroup/system.slice/migd.service/cpu.stat")
    return int(re.search(r"usage_usec (\d+)", text).group(1)) / 1e6


def interrupts(guest):
    """{number and name: [count of each CPU]} of the DMA engine's lines."""
    found = {}
    for line in guest.read("cat /proc/interrupts").splitlines()[1:]:
        if re.search(ENGINE_IRQ[guest.arch], line):
            number, rest = line.split(":", 1)
            counts = re.match(r"[\s\d]*", rest).group().split()
            words = rest.split()[len(counts):]
            # the controller's own number of the line follows the counts
            found[f"{number.strip():>3}: {' '.join(words)}"] = [int(word) for word in counts]
    return found


def listed(value, key):
    return value[key] if isinstance(value, dict) else value


def last_job(guest):
    jobs = listed(guest.read_json("migctl jobs --json"), "jobs")
    if not jobs:
        raise Failed("migctl jobs --json lists no job after the move")
    return max(jobs, key=lambda job: job["id"])


def engines(guest):
    return {engine["name"]: engine
            for engine in listed(guest.read_json("migctl engines --json"), "engines")}
