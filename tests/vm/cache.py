# SPDX-License-Identifier: GPL-2.0
"""The cache: a directory of things that take long to make, each named by the
hash of what it was made from. A thing is made in a temporary directory and
renamed, under a lock, so it is either complete or not there."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
UNUSED_DAYS = 14


class Failed(Exception):
    """An error with a sentence for the user."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(os.environ.get("MIGD_CACHE") or Path(base) / "migd")
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def below(pid):
    """The processes that this one has started, and theirs."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):      # it has gone
            for child in path.read_text().split():
                yield int(child)
                yield from below(child)


def end_on_signals():
    """Let a signal unwind the stack, and end what other threads have started."""
    def end(number, _):
        for pid in list(below(os.getpid())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def say(text):
    print(text, flush=True)


def digest(*parts):
    """Hash of strings, and of the contents of files given as Path."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:16]


@contextlib.contextmanager
def locked(name):
    """Hold the named lock; say so when another run has it."""
    with open(cache_dir() / f"{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name}: waiting for another run that makes it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def made_once(name, key, make):
    """The directory NAME-KEY of the cache; make(dir) fills it when absent."""
    path = cache_dir() / f"{name}-{key}"
    if not path.exists():
        with locked(name):
            if not path.exists():
                temporary = cache_dir() / f"{name}-{key}.tmp"
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir()
                make(temporary)
                temporary.rename(path)
                forget_unused(name, path)
    os.utime(path)
    return path


def forget_unused(name, keep):
    limit = time.time() - UNUSED_DAYS * 86400
    for other in cache_dir().glob(f"{name}-*"):
        if other != keep and other.stat().st_mtime < limit:
            shutil.rmtree(other, ignore_errors=True)


class Progress:
    """Says every few seconds how a long step is getting on."""

    def __init__(self, what, status=lambda: "", quiet_seconds=3):
        self.what = what
        self.status = status
        self.started = time.monotonic()
        self.quiet_seconds = quiet_seconds
        self.done = threading.Event()
        self.spoke = False
        self.terminal = sys.stdout.isatty()

    def elapsed(self):
        seconds = int(time.monotonic() - self.started)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def line(self):
        status = self.status()
        return f"{self.what}: {self.elapsed()}{', ' + status if status else ''}"

    def tick(self):
        pause = 1 if self.terminal else 15
        if self.done.wait(self.quiet_seconds):
            return
        while True:
            self.spoke = True
            if self.terminal:
                print(f"\r\033[K{self.line()}", end="", flush=True)
            else:
                say(self.line())
            if self.done.wait(pause):
                return

    def __enter__(self):
        self.thread = threading.Thread(target=self.tick, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.done.set()
        self.thread.join()
        if self.spoke and self.terminal:
            print("\r\033[K", end="")
        if self.spoke and kind is None:
            say(f"{self.what}: done in {self.elapsed()}")


def run(command, log, what=None, status=None, stdin=None, stdout=None, cwd=None, env=None):
    """Run a command with its output in LOG; on failure show the log's end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as handle:
        handle.write(("$ " + " ".join(map(str, command)) + "\n").encode())
        handle.flush()
        with Progress(what or Path(command[0]).name, status or (lambda: "")):
            result = subprocess.run([str(word) for word in command], cwd=cwd, env=env,
                                    stdin=stdin or subprocess.DEVNULL,
                                    stdout=stdout or handle, stderr=handle, check=False)
    if result.returncode:
        raise Failed(f"{what or command[0]}: '{command[0]}' failed with status "
                     f"{result.returncode}; the end of {log}:\n{tail(log)}")


def output(command, **options):
    """The standard output of a short command."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, check=False, **options)
    if result.returncode:
        raise Failed(f"'{' '.join(map(str, command))}' failed with status {result.returncode}: "
                     f"{result.stderr.strip()}")
    return result.stdout


def tail(path, lines=30):
    try:
        text = Path(path).read_bytes().decode(errors="replace")
    except OSError as error:
        return f"({error})"
    return "\n".join("  | " + line for line in text.splitlines()[-lines:])
