# SPDX-License-Identifier: GPL-2.0
"""The two Redis servers and their checking clients, as units in the guest."""

import json
import sys
import time

import build as builder
import guestside
from cache import Failed, say

DIR = "/run/migd-demo"
CHECK, PRESENT = (f"/{builder.GUEST_TESTS}/load/{name}" for name in ("redis-check", "present"))
MIB = 128
THREADS, RATE = 2, 50      # of each server's client; operations/s of a thread
# a socket, no files; everything else is redis-server's default
REDIS = "--port 0 --save '' --appendonly no --daemonize no"
MALLOC = "MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1"


class Server:
    """One Redis, its client, and what was measured of it."""

    def __init__(self, guest, name):
        self.guest = guest
        self.name = name
        self.socket = f"{DIR}/{name}.sock"
        self.control = f"{DIR}/{name}.control"
        self.result = f"{DIR}/{name}.json"

    def start(self):
        """Returns when Redis has told systemd that it is ready."""
        self.guest.read(
            f"systemd-run -q --unit=demo-{self.name} --service-type=notify --setenv={MALLOC}"
            f" redis-server {REDIS} --unixsocket {self.socket} --dir {DIR} --supervised systemd")
        self.pid = int(self.guest.read(f"systemctl show --value -P MainPID demo-{self.name}"))

    def run_client(self):
        self.guest.read(
            f"mkfifo {self.control} {self.result} && systemd-run -q --unit=client-{self.name}"
            f" /bin/sh -c 'exec {CHECK} run --socket {self.socket} --mib {MIB}"
            f" --threads {THREADS} --rate {RATE} <>{self.control} 1<>{self.result}'")

    def phase(self, name):
        # opened for both ways, so that a client that died does not block us
        self.guest.read(f"echo 'phase {name}' 1<>{self.control}")

    def stop_client(self):
        text = self.guest.read(f"exec 3<>{self.result}; echo quit 1<>{self.control};"
                               " timeout 60 head -n 1 <&3", allowed=(0, 124))
        if not text:
            raise Failed(f"the client of {self.name} ended by itself:\n"
                         + "\n".join(self.complaints()))
        return json.loads(text)

    def complaints(self):
        """What the client said about wrong answers."""
        return self.guest.read(f"journalctl -q -o cat -u client-{self.name} | grep redis-check:"
                               " || true").splitlines()

    def digest(self):
        """SHA-256 over the values that nobody writes, in order."""
        return self.guest.read(f"set -o pipefail; {CHECK} dump --socket {self.socket} --mib {MIB}"
                               " | sha256sum", 300).split()[0]

    def pages(self):
        return guestside.pages(self.guest, self.pid)

    def addresses(self):
        """Of its anonymous pages. Counts alone would hide a new page when
        others go, as the zeros of a huge page do that the kernel splits."""
        return set(self.guest.read(f"{PRESENT} {self.pid}").split())

    def data_mib(self):
        text = self.guest.read(f"redis-cli -s {self.socket} info memory")
        fields = dict(line.split(":", 1) for line in text.split() if ":" in line)
        return int(fields["used_memory_dataset"]) >> 20


def bar(label, done, total, width=40):
    """Redraw a progress bar on a terminal; lines elsewhere come from steps."""
    if sys.stdout.isatty():
        full = width * done // total if total else 0
        print(f"\r\033[K  {label} [{'#' * full}{'.' * (width - full)}] {100 * done // total:3d}%",
              end="", flush=True)


def bar_end():
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


class FillProgress:
    """Takes the guest's output, lines of "NAME DONE ALL", and draws."""

    def __init__(self):
        self.rest = b""
        self.now = {}

    def write(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            words = line.split()
            if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
                self.now[words[0]] = int(words[1]), int(words[2])
        if self.now:
            bar("loading data", sum(done for done, _ in self.now.values()),
                sum(total for _, total in self.now.values()))

    def flush(self):
        pass


def fill_both(guest, servers):
    started = time.monotonic()
    fill = " & ".join(f"({CHECK} fill --socket {server.socket} --mib {MIB} || echo failed)"
                      f" 2>&1 | sed -u 's/^/{server.name} /'" for server in servers)
    status, output = guest.vm.run(f"{fill} & wait", 600, out=FillProgress())
    bar_end()
    if status or "failed" in output:
        raise Failed(f"the data could not be loaded:\n{output[-2000:]}")
    say(f"  data loaded in {time.monotonic() - started:.0f} s")


def wait(seconds, label):
    """Let the clients work for a while, with a bar."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        bar(label, int(10 * (seconds - left)), int(10 * seconds))
        time.sleep(min(0.5, left))
    bar_end()
