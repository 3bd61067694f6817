#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the tests: host tests, two at a time as most need one CPU, then one lane per
machine, in which each guest test runs in a VM whose kernel log is checked after it.
Two lanes at a time, as a guest spends a third of its time waiting; the debug kernel's,
which is slow enough, at the end and alone."""

import argparse
import fnmatch
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS / "vm"))

import build as builder                                 # noqa: E402
import image                                            # noqa: E402
import kernel                                           # noqa: E402
import machine as machines                              # noqa: E402
from cache import Failed, cache_dir, end_on_signals, say    # noqa: E402
from guest import GuestDied, Vm                         # noqa: E402

SKIPPED = 77
DEFAULT_TIMEOUT = 120
# on a test's time limit
DEBUG_SLOWDOWN = 4
SANITIZED_SLOWDOWN = 2
AT_A_TIME = 2
# lines of a failed test in the summary
LAST_WORDS = 12


@dataclass(frozen=True)
class Test:
    name: str
    path: Path
    timeout: int
    machine: str = ""       # empty: on the host
    allow: str = ""         # a regular expression of expected kernel messages

    @property
    def title(self):
        return f"{self.name}@{self.machine}" if self.machine else self.name


def discover():
    tests = []
    for path in sorted((TESTS / "static").iterdir()):
        if path.is_file() and os.access(path, os.X_OK):
            header = builder.read_header(path)
            tests.append(Test(f"static/{path.stem}", path, int(header.get("timeout", 600))))
    for name, path, header in builder.guest_tests():
        for one in header["machines"].split():
            machine = machines.find(one)
            limit = int(header.get("timeout", DEFAULT_TIMEOUT))
            if machine.kernel == "debug":
                limit *= DEBUG_SLOWDOWN
            if machine.sanitize:
                limit *= SANITIZED_SLOWDOWN
            tests.append(Test(name, path, limit, one, header.get("dmesg-allow", "")))
    return tests


def chosen(tests, patterns):
    """Each pattern is a name, its last part, or a shell pattern, with or
    without @machine."""
    def matches(test, pattern):
        names = [test.title, test.name, test.title.split("/")[-1], test.name.split("/")[-1]]
        if test.machine:
            names.append("@" + test.machine)
        return any(fnmatch.fnmatchcase(name, pattern) for name in names)
    for pattern in patterns:
        if not any(matches(test, pattern) for test in tests):
            raise Failed(f"no test is called '{pattern}'; tests/run --list shows them all.")
    return [test for test in tests if not patterns
            or any(matches(test, pattern) for pattern in patterns)]


@dataclass
class Report:
    """One line per test; what was said by a failed one follows its line."""
    passed: int = 0
    failed: list = field(default_factory=list)      # (title, why, the end of its text)
    logs: Path = field(default_factory=lambda: cache_dir() / "log" / "tests")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def log(self, test):
        path = self.logs / (test.title.replace("/", ".") + ".log")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def good(self, title, seconds):
        with self.lock:
            self.passed += 1
            say(f"ok    {title:44} {seconds:7.1f} s")

    def bad(self, title, seconds, why, text=""):
        with self.lock:
            self.failed.append((title, why, text.splitlines()[-LAST_WORDS:]))
            say(f"FAIL  {title:44} {seconds:7.1f} s  {why}")
            for line in text.splitlines():
                say("      | " + line)

    def summary(self):
        """Once more what failed: much may have been said since."""
        for title, why, lines in self.failed:
            say(f"failed: {title}: {why}")
            for line in lines:
                say("      | " + line)
        say(f"{self.passed} passed, {len(self.failed)} failed")


@dataclass
class HostTest:
    test: Test
    report: Report

    @property
    def title(self):
        return self.test.title

    def run(self):
        run_host(self.test, self.report)


def run_host(test, report):
    started = time.monotonic()
    log = report.log(test)
    with open(log, "wb") as handle:
        process = subprocess.Popen([test.path], stdin=subprocess.DEVNULL, stdout=handle,
                                   stderr=subprocess.STDOUT, cwd=TESTS.parent,
                                   start_new_session=True)
        try:
            status = process.wait(test.timeout)
        except subprocess.TimeoutExpired:
            status = "timeout"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    seconds = time.monotonic() - started
    text = log.read_text(errors="replace")
    if status == 0:
        report.good(test.title, seconds)
    elif status == "timeout":
        report.bad(test.title, seconds, f"no end after {test.timeout} s", text)
    elif status == SKIPPED:
        report.bad(test.title, seconds, "skipped", text)
    else:
        report.bad(test.title, seconds, f"status {status}", text)


class Lane:
    """The tests of one machine, in one VM as long as they pass."""

    def __init__(self, name, tests, report):
        self.machine = machines.find(name)
        self.tests = tests
        self.report = report
        self.vm = None
        self.failed_boots = 0   # in a row

    @property
    def title(self):
        return f"lane@{self.machine.name}"

    def run(self):
        started = time.monotonic()
        say(f"lane {self.machine.name}: {len(self.tests)} tests")
        try:
            self.payload = builder.build(self.machine).payload
        except Failed as error:
            self.report.bad(f"build@{self.machine.name}", time.monotonic() - started,
                            "the lane cannot run", str(error))
            return
        self.report.good(f"build@{self.machine.name}", time.monotonic() - started)
        try:
            for test in self.tests:
                self.run_test(test)
            if self.vm and self.machine.kernel == "debug":
                self.leaks()
        finally:
            self.stop()

    def stop(self):
        if self.vm:
            self.vm.close(keep_console=True)
        self.vm = None

    def boot(self):
        if self.vm:
            return
        if self.failed_boots >= 2:
            raise GuestDied("this machine did not boot twice in a row")
        self.failed_boots += 1
        self.vm = Vm(self.machine, self.payload).__enter__()
        trouble = self.vm.dmesg_check()
        if trouble:
            raise GuestDied("the kernel log shows trouble already after boot:\n"
                            + "\n".join(trouble))
        self.failed_boots = 0

    def run_test(self, test, again=False):
        started = time.monotonic()
        script = f"/{builder.GUEST_TESTS}/{test.path.relative_to(TESTS)}"
        log = self.report.log(test)
        try:
            self.boot()
            started = time.monotonic()
            status, output = self.vm.run(
                f"cd /{builder.GUEST_TESTS} && MIGD_MACHINE={self.machine.name} exec {script}",
                test.timeout, stream=False)
            trouble = self.vm.dmesg_check(allow=test.allow)
        except Failed as error:
            log.write_text(str(error))
            if self.vm and not again and self.vm.stale_code():
                say(f"again {test.title}: this QEMU ran code that the guest had replaced:\n{error}")
                self.stop()
                self.run_test(test, again=True)
                return
            self.report.bad(test.title, time.monotonic() - started, "the guest died", str(error))
            self.stop()
            return
        seconds = time.monotonic() - started
        if trouble:
            output += "\nkernel log:\n" + "\n".join(trouble) + "\n"
        log.write_text(output)
        if status == 0 and not trouble:
            self.report.good(test.title, seconds)
            return
        why = (f"no end after {test.timeout} s" if status == 124 else
               "skipped on a machine it declares" if status == SKIPPED else
               f"status {status}" if status else "trouble in the kernel log")
        self.report.bad(test.title, seconds, why, output)
        self.stop()

    def leaks(self):
        started = time.monotonic()
        title = f"kmemleak@{self.machine.name}"
        try:
            trouble = self.vm.dmesg_check(kmemleak=True)
        except Failed as error:
            trouble = str(error).splitlines()
        if trouble:
            self.report.bad(title, time.monotonic() - started, "leaks", "\n".join(trouble))
        else:
            self.report.good(title, time.monotonic() - started)


class Ahead(threading.Thread):
    """Makes the slow things of the lanes to come while others run."""

    def __init__(self, names):
        super().__init__(daemon=True)
        self.names = names

    def run(self):
        for name in self.names:
            one = machines.find(name)
            try:
                kernel.find(one)
                kernel.source()
                machines.root_image(one)
                image.sysroot(one.arch)
            except Failed:
                return      # the lane says it again, in its place


def arguments():
    parser = argparse.ArgumentParser(prog="tests/run", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the tests and stop")
    parser.add_argument("name", nargs="*", help="tests to run: NAME, NAME@MACHINE, @MACHINE or a "
                        "shell pattern; default: all")
    return parser.parse_args()


def run_all(tests, report):
    lanes = {}
    for test in tests:
        if test.machine:
            lanes.setdefault(test.machine, []).append(test)
    order = [name for name in ("amd64", "arm64", "amd64-iommu", "arm64-mte", "deb12",
                              "deb13", "amd64-debug")
             if name in lanes]
    # the debug kernel's build takes longest: first
    ahead = Ahead(sorted(order, key=lambda name: name != "amd64-debug"))
    ahead.start()
    # the longest first, by their limits: at the end each has a CPU
    host = sorted((test for test in tests if not test.machine), key=lambda test: -test.timeout)
    run_each([HostTest(test, report) for test in host], report)
    run_each([Lane(name, lanes[name], report) for name in order if name != "amd64-debug"], report)
    run_each([Lane(name, lanes[name], report) for name in order if name == "amd64-debug"], report)


def run_each(jobs, report):
    """Each of the host tests, or lanes; AT_A_TIME of them at once."""
    waiting = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    # daemons: a signal ends the run at once, and the guests with it
    workers = [threading.Thread(target=take_jobs, args=(waiting, report), daemon=True)
               for _ in range(AT_A_TIME)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def take_jobs(waiting, report):
    while True:
        try:
            job = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            job.run()
        except Exception:       # whatever it is, the run must not pass
            report.bad(job.title, 0, "stopped", traceback.format_exc())


def main():
    args = arguments()
    end_on_signals()
    started = time.monotonic()
    report = Report()
    try:
        image.check_host()
        tests = chosen(discover(), args.name)
        if args.list:
            say("\n".join(test.title for test in tests))
            return 0
        run_all(tests, report)
    except Failed as error:
        report.bad("run", time.monotonic() - started, "stopped", str(error))
    except KeyboardInterrupt:
        return 130
    report.summary()
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
