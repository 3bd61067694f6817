# SPDX-License-Identifier: GPL-2.0
"""A running guest: start it, run commands in it, watch its kernel's log."""

import ctypes
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path

import image
import kernel
import machine as machines
from cache import Failed, cache_dir, say, tail

FRAME_MAX = 60 * 1024
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
TIMED_OUT = 124

BAD_LINES = re.compile("|".join((
    r"WARNING:", r"\bBUG:", r"kernel BUG", r"\bOops\b", r"Kernel panic", r"\bINFO: ",
    r"possible (circular|recursive|irq lock inversion)", r"inconsistent lock state",
    r"suspicious RCU usage", r"bad unlock balance", r"blocked for more than", r"detected stall",
    r"soft lockup", r"hard LOCKUP", r"\bKASAN\b", r"\bUBSAN\b", r"refcount_t:",
    r"general protection", r"Unable to handle kernel", r"list_(add|del) corruption",
    r"Bad page", r"page_table_check", r"DMA-API: \S+ \S+: ", r"kmemleak: \d+ new suspected",
    r"sleeping function called", r"scheduling while atomic", r"Workqueue lockup")))
# printed by a healthy kernel under emulation, or about the harness itself
HARMLESS_LINES = re.compile(r"KernelAddressSanitizer initialized")
MARK = "migd-harness: checked up to here, "


def die_with_parent():
    """In QEMU's process before it starts: whoever kills us ends it, too."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class GuestDied(Failed):
    """The guest or QEMU ended while it was needed."""


class Vm:
    """A guest as a context manager: with Vm(machine, payload) as vm: ..."""

    def __init__(self, machine, payload=None, icount=False, quiet=False):
        self.machine = machines.find(machine) if isinstance(machine, str) else machine
        self.payload = payload
        self.icount = icount
        self.quiet = quiet
        self.process = None
        self.port = None
        self.checks = 0
        self.console_seen = 0

    # life

    def __enter__(self):
        image.check_host()
        try:
            self.attempt()
        except GuestDied as error:
            # Nothing of ours has run yet, see stale_code().
            say(f"vm: {self.machine.name}: died before it was ready, once more:\n{error}")
            self.attempt()
        return self

    def attempt(self):
        self.dir = Path(tempfile.mkdtemp(prefix="migd-vm-"))
        self.console = self.dir / "console.log"
        self.console_seen = 0
        try:
            self.start()
        except BaseException:
            self.close(keep_console=True)
            self.process = self.port = None
            raise

    def __exit__(self, kind, error, trace):
        self.close(keep_console=kind is not None)

    def start(self):
        if not self.quiet:
            machines.explain(self.machine, self.icount)
        kern = kernel.find(self.machine)
        disk = image.payload_disk(kern, self.machine.arch, self.payload, self.dir)
        command = machines.command_line(self.machine, kern, disk, self.dir, self.icount)
        (self.dir / "command").write_text(shlex.join(command) + "\n")
        self.started = time.monotonic()
        with open(self.dir / "qemu.log", "wb") as log:
            # an own session: the terminal's Ctrl-C is ours, not QEMU's
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True,
                                            preexec_fn=die_with_parent)
        self.connect()
        limit = self.machine.boot_seconds * (3 if self.icount else 1)
        frame = self.frame(time.monotonic() + limit)
        if frame is None:
            raise GuestDied(f"the guest {self.machine.name} did not start its agent within "
                            f"{limit} s.\n{self.evidence()}")
        self.boot_seconds = time.monotonic() - self.started
        if self.machine.arch == "arm64":
            # it has no clock of its own
            self.run(f"date -s @{int(time.time())}", stream=False)
        if not self.quiet:
            say(f"vm: {self.machine.name}: ready after {self.boot_seconds:.1f} s")

    def connect(self):
        deadline = time.monotonic() + 30
        while True:
            port = socket.socket(socket.AF_UNIX)
            try:
                port.connect(str(self.dir / "agent"))
                self.port = port
                return
            except OSError:
                port.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise GuestDied(f"QEMU did not start.\n{self.evidence()}") from None
                time.sleep(0.02)

    def close(self, keep_console=False):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.port:
            self.port.close()
        if keep_console and self.console.exists():
            kept = cache_dir() / "log" / f"console-{self.machine.name}.log"
            kept.parent.mkdir(exist_ok=True)
            shutil.copy(self.console, kept)
        shutil.rmtree(self.dir, ignore_errors=True)

    def evidence(self):
        """The ends of QEMU's output and of the guest's console."""
        text = f"QEMU's output:\n{tail(self.dir / 'qemu.log', 10)}\n"
        return text + f"The end of the guest's console:\n{tail(self.console, 60)}"

    # frames

    def send(self, kind, data=b""):
        try:
            self.port.sendall(kind + struct.pack(">I", len(data)) + data)
        except OSError as error:
            raise GuestDied(f"the guest is gone ({error}).\n{self.evidence()}") from None

    def receive(self, size, deadline):
        data = b""
        while len(data) < size:
            if time.monotonic() > deadline:
                return None
            ready, _, _ = select.select([self.port], [], [], 0.5)
            if ready:
                try:
                    part = self.port.recv(size - len(data))
                except OSError:
                    part = b""
                if not part:
                    raise GuestDied(f"the guest {self.machine.name} ended.\n{self.evidence()}")
                data += part
            else:
                self.check_alive()
        return data

    def frame(self, deadline):
        """(type, data), or None when the time is up before it begins."""
        head = self.receive(5, deadline)
        if head is None:
            return None
        data = self.receive(struct.unpack(">I", head[1:])[0], time.monotonic() + 30)
        if data is None:
            raise GuestDied(f"the guest stopped in the middle of a frame.\n{self.evidence()}")
        return head[:1], data

    def check_alive(self):
        if self.process.poll() is not None:
            raise GuestDied(f"QEMU ended with status {self.process.returncode}.\n"
                            f"{self.evidence()}")
        size = self.console.stat().st_size if self.console.exists() else 0
        if size > self.console_seen:
            with open(self.console, "rb") as log:
                log.seek(max(0, self.console_seen - 64))
                text = log.read()
            self.console_seen = size
            if b"Kernel panic - not syncing" in text:
                time.sleep(1)   # let the rest of the message come
                raise GuestDied(f"the guest's kernel panicked.\n{self.evidence()}")

    def stale_code(self):
        """Did the kernel die of what QEMU before 8.1 does under load? A CPU that
        translates code while another one patches it may keep the old bytes, and
        run into the int3 of a patch that is long done. Fixed by QEMU commit
        deba78709ae8, "accel/tcg: Always lock pages before translation"."""
        text = self.console.read_bytes()
        return (b"Oops: int3" in text and not re.search(rb"RIP: .*\[migd", text)
                and machines.accelerator(self.machine.arch)[0] == "tcg"
                and machines.qemu_version(self.machine.arch) < (8, 1))

    # commands

    def run(self, command, timeout=60, stream=True, out=None):
        """Run a shell command as root: (exit status, output). After TIMEOUT
        seconds it is killed; its status is 124 then."""
        deadline = time.monotonic() + timeout
        sink = out or sys.stdout.buffer
        output = b""
        late = False
        self.send(b"R", command.encode())
        while True:
            frame = self.frame(deadline)
            if frame is None:
                if late:
                    raise GuestDied(f"the command '{command}' did not end when killed.\n"
                                    f"{self.evidence()}")
                self.send(b"K")
                late = True
                deadline = time.monotonic() + 20
                continue
            kind, data = frame
            if kind == b"O":
                output += data
                if stream:
                    sink.write(data)
                    sink.flush()
            elif kind == b"X":
                break
        if late:
            note = f"(killed after {timeout} s)\n"
            output += note.encode()
            if stream:
                sink.write(note.encode())
                sink.flush()
        return TIMED_OUT if late else int(data), output.decode(errors="replace")

    def push(self, local, remote):
        """Copy one host file into the guest, mode 0755."""
        self.send(b"W", str(remote).encode())
        content = Path(local).read_bytes()
        for start in range(0, len(content), FRAME_MAX):
            self.send(b"D", content[start:start + FRAME_MAX])
        self.send(b"D")
        frame = self.frame(time.monotonic() + 60)
        if frame is None or frame[1] != b"0":
            raise Failed(f"cannot write {remote} in the guest: "
                         f"{os.strerror(int(frame[1])) if frame else 'no answer'}")

    def shell(self, command="exec bash -l"):
        """Connect this terminal to a login shell in the guest."""
        if not sys.stdin.isatty():
            raise Failed("a shell in the guest needs a terminal on standard input.")
        settings = termios.tcgetattr(0)

        def resize(*_):
            rows, columns = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[:2]
            self.send(b"Z", f"{rows} {columns}".encode())
        self.send(b"T", command.encode())
        resize()
        previous = signal.signal(signal.SIGWINCH, resize)
        try:
            tty.setraw(0)
            return self.relay()
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, settings)
            signal.signal(signal.SIGWINCH, previous)

    def relay(self):
        while True:
            ready, _, _ = select.select([0, self.port], [], [], 0.5)
            if 0 in ready:
                self.send(b"I", os.read(0, 4096))
            if self.port in ready:
                kind, data = self.frame(time.monotonic() + 60)
                if kind == b"X":
                    return int(data)
                os.write(1, data)
            elif not ready:
                self.check_alive()

    # the kernel's log

    def dmesg_check(self, kmemleak=False, allow=None):
        """Lines of trouble in the guest kernel's log since the last check."""
        if kmemleak and self.machine.kernel == "debug":
            # an object is reported when it is 5 s old at its second scan
            status, report = self.run(
                "f=/sys/kernel/debug/kmemleak; [ -e $f ] || exit 1; echo scan >$f; sleep 6;"
                " echo scan >$f; cat $f; echo clear >$f", 300, stream=False)
            if status:
                return [f"kmemleak could not scan: {report}"]
            if report.strip():
                return ["kmemleak:", *report.splitlines()]
        self.checks += 1
        status, text = self.run(f"dmesg; echo '<7>{MARK}{self.checks}' >/dev/kmsg", 60, stream=False)
        if status:
            return [f"cannot read the kernel's log: {text}"]
        if self.checks > 1:
            before, mark, text = text.rpartition(f"{MARK}{self.checks - 1}\n")
            if not mark:
                return ["the kernel's log overflowed between two checks"]
        lines = text.splitlines()
        bad = [index for index, line in enumerate(lines)
               if BAD_LINES.search(line) and not HARMLESS_LINES.search(line)
               and not (allow and re.search(allow, line))]
        if not bad:
            return []
        return lines[max(0, bad[0] - 3):bad[0] + 60]
