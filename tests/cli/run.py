#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""migctl against a service with a script (fake-migd), on a bus of its own.

    run.py MIGCTL FAKE-MIGD VERSION COMPLETION [TEST...]

Each wait is for a line that somebody prints or a process that ends.
"""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

if len(sys.argv) < 5:
    sys.exit(__doc__)
MIGCTL, FAKE, VERSION, COMPLETION = (os.path.abspath(a) if "/" in a else a for a in sys.argv[1:5])

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={dir}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{dir}/services</servicedir>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*"/><allow send_type="signal"/>
    <allow receive_sender="*"/>
    {rules}
  </policy>
</busconfig>
"""


class Bus:
    """A dbus-daemon, in which fake-migd may be started or activated."""

    def __init__(self, rules="", activate=None):
        self.tmp = tempfile.TemporaryDirectory(prefix="migctl-test-")
        self.address = f"unix:path={self.tmp.name}/bus"
        self.env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address, TERM="xterm", LC_ALL="C")
        self.fakes = []
        os.mkdir(f"{self.tmp.name}/services")
        if activate:
            with open(f"{self.tmp.name}/services/org.migd1.service", "w", encoding="ascii") as f:
                f.write("[D-BUS Service]\nName=org.migd1\n"
                        f"Exec=/usr/bin/env DBUS_SYSTEM_BUS_ADDRESS={self.address} {activate}\n")
        with open(f"{self.tmp.name}/bus.conf", "w", encoding="ascii") as f:
            f.write(BUS_CONFIG.format(dir=self.tmp.name, rules=rules))
        # pylint: disable=consider-using-with
        self.daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self.tmp.name}/bus.conf", "--nofork", "--nopidfile",
             "--print-address=1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.daemon.stdout.readline().startswith("unix:"):
            raise RuntimeError("dbus-daemon did not start")

    def fake(self, script):
        proc = subprocess.Popen([FAKE, script], env=self.env, stdout=subprocess.PIPE, text=True)
        self.fakes.append(proc)
        line = proc.stdout.readline()
        if line != "ready\n":
            raise RuntimeError(f"fake-migd {script} said {line!r}")
        return proc

    def close(self):
        for proc in self.fakes:
            proc.terminate()
            proc.wait()
            proc.stdout.close()
        self.daemon.terminate()
        self.daemon.wait()
        self.daemon.stdout.close()
        self.tmp.cleanup()


def read_until(stream, pattern, seen=""):
    """Read lines until one has the pattern; returns all of them."""
    while not re.search(pattern, seen):
        line = stream.readline()
        if not line:
            raise AssertionError(f"no {pattern!r} in {seen!r}")
        seen += line
    return seen


class Case(unittest.TestCase):
    rules = ""
    activate = None

    def setUp(self):
        self.bus = Bus(self.rules, self.activate)
        self.addCleanup(self.bus.close)

    def start(self, *args, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        proc = subprocess.Popen([MIGCTL, *args], env=self.bus.env, stderr=subprocess.PIPE,
                                text=True, **kwargs)
        self.addCleanup(proc.stderr.close)
        if proc.stdout:
            self.addCleanup(proc.stdout.close)
        return proc

    def migctl(self, *args, code=0):
        proc = self.start(*args)
        out, err = proc.communicate()
        self.assertEqual(proc.returncode, code, f"{args}: {out}{err}")
        self.no_junk(out + err)
        return out, err

    def no_junk(self, text):
        """Sentences begin with our name; nothing of others reaches a terminal raw."""
        self.assertNotIn("Sanitizer", text)
        self.assertNotIn("\x1b[2J", text)

    def refused(self, err, *words):
        """One sentence on stderr, with these words."""
        lines = [line for line in err.splitlines() if not line.startswith("migctl: warning: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertTrue(lines[0].startswith("migctl: "), err)
        for word in words:
            self.assertIn(word, lines[0])

    def migrate(self, *args, code=0):
        return self.migctl("migrate", str(os.getpid()), "--from", "0", "--to", "1", *args,
                           code=code)

    def start_migrate(self, *args, **kwargs):
        return self.start("migrate", str(os.getpid()), "--from", "0", "--to", "1", *args, **kwargs)


class Outcomes(Case):
    def outcome(self, script, code):
        self.bus.fake(script)
        return self.migrate(code=code)

    def test_moved(self):
        out, _ = self.outcome("moved", 0)
        self.assertIn("job 7: moving process 4242 (redis?[2J) from node 0 to node 1", out)
        self.assertIn("job 7 moved: process 4242", out)
        self.assertIn("1000 of 1000 pages, 3.9 MiB in 2.00 s, 2.0 MB/s", out)
        self.assertIn("blackout p50 210 us, p99 480 us, max 1.2 ms", out)
        lines = [line for line in out.splitlines() if "%" in line]
        self.assertEqual(len(lines), 10, out)
        self.assertNotIn("\r", out)

    def test_nothing(self):
        self.assertIn("found nothing to move", self.outcome("nothing", 0)[0])

    def test_partly(self):
        out, _ = self.outcome("partly", 3)
        self.assertIn("moved only a part", out)
        self.assertRegex(out, r"100 +file +page cache of files +migratepages\(8\)")
        self.assertNotIn("no-memory", out)

    def test_failed(self):
        self.refused(self.outcome("failed", 1)[1], "moved no page", "migctl jobs 7")

    def test_target_gone(self):
        self.refused(self.outcome("target-gone", 1)[1], "exited")

    def test_server_lost(self):
        self.refused(self.outcome("server-lost", 1)[1], "lost its daemon", "journalctl")

    def test_server_lost_partly(self):
        self.refused(self.outcome("server-lost-partly", 3)[1], "moved 500 of 1000")

    def test_cancelled_by_another(self):
        self.assertIn("was cancelled", self.outcome("cancelled", 130)[0])

    def test_removed(self):
        self.outcome("vanish", 0)

    def test_quiet(self):
        self.bus.fake("partly")
        out, _ = self.migrate("--quiet", code=3)
        self.assertEqual(out, "")

    def test_json(self):
        self.bus.fake("partly")
        out, _ = self.migrate("--json", code=3)
        self.assertEqual(json.loads(out)["outcome"], "partly")

    def test_options(self):
        fake = self.bus.fake("moved")
        self.migrate("--order", "state-first", "--engine", "dma0chan0", "--batch-pages", "256",
                     "--deadline", "20ms", "--max-rate", "500M", "--range",
                     "7f0000000000-7f0000010000", "--range", "0x10000-0x20000",
                     "--verify", "--atomic")
        line = fake.stdout.readline()
        self.assertEqual(line, "call MigrateProcess from=0 to=1 order=state-first "
                         "engine=dma0chan0 batch-pages=256 deadline-us=20000 max-rate=500000000 "
                         "ranges=7f0000000000-7f0000010000 ranges=10000-20000 "
                         "verify=1 atomic=1\n")
        self.migctl("migrate", str(os.getpid()), "--to", "1")
        self.assertEqual(fake.stdout.readline(), "call MigrateProcess from=-1 to=1\n")
        _, err = self.migctl("migrate", "1", "--to", "1", "--atomic", code=2)
        self.assertIn("--atomic needs at least one --range", err)


class Refusals(Case):
    def test_denied(self):
        self.bus.fake("denied")
        self.refused(self.migrate(code=4)[1], "refuses")
        self.refused(self.migctl("policy", "set", "deadline=5ms", code=4)[1], "refuses")

    def test_module(self):
        self.bus.fake("module-missing")
        self.refused(self.migrate(code=5)[1])
        out, err = self.migctl("status", code=5)
        self.assertRegex(out, r"ready +no")
        self.refused(err, "modprobe")

    def test_version(self):
        self.bus.fake("version-mismatch")
        self.refused(self.migrate(code=5)[1])

    def test_no_process(self):
        self.bus.fake("no-process")
        self.refused(self.migrate(code=1)[1])

    def test_bad_option(self):
        self.bus.fake("bad-option")
        self.refused(self.migrate(code=2)[1])

    def test_no_daemon(self):
        for verb in ("status", "jobs", "engines", "stats", "policy", "monitor"):
            self.refused(self.migctl(verb, code=5)[1], "not running", "systemctl start migd")
        self.refused(self.migrate(code=5)[1], "not running")
        self.refused(self.migctl("cancel", "7", code=5)[1], "not running")

    def test_no_bus(self):
        self.bus.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        self.refused(self.migctl("status", code=5)[1], "no system bus", "dbus")
        self.refused(self.migrate(code=5)[1], "no system bus")

    def test_no_job(self):
        self.bus.fake("moved")
        self.refused(self.migctl("jobs", "99", code=1)[1], "no job 99")
        self.refused(self.migctl("cancel", "99", code=1)[1], "no job 99")


class DeniedByTheBus(Case):
    rules = ('<deny send_destination="org.migd1" send_interface="org.migd1.Manager" '
             'send_member="MigrateProcess"/>')

    def test_denied(self):
        self.bus.fake("moved")
        self.refused(self.migrate(code=4)[1], "root")


class Activation(Case):
    activate = f"{FAKE} moved"

    def test_activated(self):
        self.refused(self.migctl("status", "--no-start", code=5)[1], "not running")
        self.assertRegex(self.migctl("status")[0], r"ready +yes")


class FailingActivation(Case):
    activate = "/bin/false"

    def test_activation(self):
        self.refused(self.migrate(code=5)[1], "could not be started", "journalctl")


class Usage(Case):
    def usage(self, *args, words=()):
        out, err = self.migctl(*args, code=2)
        self.assertEqual(out, "")
        self.refused(err, *words)

    def test_verbs(self):
        self.usage(words=["--help"])
        self.usage("migrat", words=["did you mean 'migrate'"])
        self.usage("zzzzzzzz", words=["--help"])
        self.usage("--jsn", words=["--help"])

    def test_unknown_options(self):
        for verb in ("status", "migrate", "jobs", "cancel", "engines", "stats", "policy",
                     "monitor"):
            self.usage(verb, "--bogus", words=["--bogus", f"migctl {verb} --help"])
            self.usage(verb, "-Z", words=["-Z"])
            self.usage(verb, "--json=1", words=["no value"])
            self.assertIn("Usage:", self.migctl(verb, "--help")[0])

    def test_too_many(self):
        for verb in ("status", "engines", "stats", "policy", "monitor"):
            self.usage(verb, "more", words=["'more'"])
        self.usage("jobs", "1", "2", words=["'2'"])
        self.usage("cancel", "1", "2", words=["'2'"])
        self.usage("migrate", "1", "2", "--to", "1", words=["'2'"])

    def test_values(self):
        self.usage("migrate", words=["pid"])
        self.usage("migrate", "abc", "--to", "1", words=["abc"])
        self.usage("migrate", "0", "--to", "1", words=["pid"])
        self.usage("migrate", "-5", "--to", "1", words=["-5"])
        self.usage("migrate", "1", words=["--to"])
        self.usage("migrate", "1", "--to", words=["needs a value"])
        self.usage("migrate", "1", "--to", "x", words=["--to"])
        self.usage("migrate", "1", "--from", "1", "--to", "1", words=["same node"])
        for option, values in {
                "--order": ["fast", ""], "--engine": [""], "--batch-pages": ["0", "many", "-1"],
                "--deadline": ["5", "0ms", "5000s", "-1ms"], "--max-rate": ["5Q", "-5", "fast"],
                "--range": ["10", "20000-10000", "10001-20000", "0-zz"],
                "--daemon-timeout": ["soon"]}.items():
            for value in values:
                self.usage("migrate", "1", "--to", "1", f"{option}={value}", words=[option])
        self.usage("jobs", "seven", words=["seven"])
        self.usage("cancel", words=["id"])
        self.usage("policy", "set", words=["KEY=VALUE"])
        self.usage("policy", "set", "colour=red", words=["colour"])
        self.usage("policy", "set", "deadline=5", words=["deadline"])

    def test_help(self):
        self.assertIn("monitor", self.migctl("--help")[0])
        self.assertEqual(self.migctl("--version")[0], f"migctl {VERSION}\n")


    def test_full(self):
        self.bus.fake("moved")
        for args in (["--help"], ["status"], ["jobs", "--json"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                proc = self.start(*args, stdout=full)
                self.refused(proc.communicate()[1], "could not be written")
                self.assertEqual(proc.returncode, 1)


class Interrupts(Case):
    def test_cancel(self):
        for signo in (signal.SIGINT, signal.SIGTERM):
            fake = self.bus.fake("hold")
            proc = self.start_migrate()
            read_until(proc.stdout, "50%")
            proc.send_signal(signo)
            out, err = proc.communicate()
            self.assertEqual(proc.returncode, 130, out + err)
            self.assertIn("cancelling job 7", err)
            self.assertIn("job 7 was cancelled", out)
            read_until(fake.stdout, "call Cancel")
            fake.terminate()
            fake.wait()

    def test_leave(self):
        fake = self.bus.fake("deaf")
        proc = self.start_migrate()
        read_until(proc.stdout, "50%")
        proc.send_signal(signal.SIGINT)
        read_until(fake.stdout, "call Cancel")
        proc.send_signal(signal.SIGINT)
        out, err = proc.communicate()
        self.assertEqual(proc.returncode, 130, out + err)
        self.assertIn("left while job 7 is being cancelled", err)

    def test_no_block(self):
        self.bus.fake("hold")
        out, _ = self.migrate("--no-block")
        self.assertTrue(out.startswith("7\n"), out)
        self.assertIn("migctl jobs 7", out)
        out, _ = self.migrate("--no-block", "--json")
        self.assertEqual(json.loads(out)["state"], "running")
        self.assertIn("being cancelled", self.migctl("cancel", "7")[0])
        self.assertIn("outcome cancelled", self.migctl("jobs", "7")[0])


class Restarts(Case):
    def restarted(self, script, *args, code=0):
        self.bus.fake(script)
        out, err = self.migrate(*args, code=code)
        self.assertEqual(err.count("the daemon has gone, job 7 goes on"), 1, err)
        return out, err

    def test_restart(self):
        out, _ = self.restarted("restart")
        self.assertIn("job 7 moved", out)
        self.assertIn("100%", out)

    def test_late(self):
        self.restarted("restart-late")

    def test_lost(self):
        self.restarted("restart-lost", code=3)

    def test_never(self):
        _, err = self.restarted("restart-never", "--daemon-timeout", "1us", code=5)
        self.assertIn("has not come back with job 7", err)

    def test_interrupted_meanwhile(self):
        fake = self.bus.fake("restart-held")
        proc = self.start_migrate()
        err = read_until(proc.stderr, "daemon has gone")
        proc.send_signal(signal.SIGINT)
        err = read_until(proc.stderr, "cancelling job 7", err)
        fake.send_signal(signal.SIGUSR1)
        out, rest = proc.communicate()
        self.assertEqual(proc.returncode, 130, out + err + rest)
        self.assertIn("job 7 was cancelled", out)
        read_until(fake.stdout, "call Cancel")


class Terminal(Case):
    def screen(self, script, columns, *args, term="xterm"):
        """What a terminal of that width gets; the exit code."""
        self.bus.fake(script)
        self.bus.env["TERM"] = term
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        proc = self.start_migrate(*args, stdout=slave, stdin=slave)
        os.close(slave)
        data = b""
        try:
            while chunk := os.read(master, 4096):
                data += chunk
        except OSError:
            pass    # the other end is closed: all has been read
        os.close(master)
        proc.wait()
        self.no_junk(data.decode())
        return data.decode(), proc.returncode

    def bars(self, text):
        return [part.split("\x1b[K")[0] for part in text.split("\r") if "\x1b[K" in part]

    def test_bar(self):
        for columns in (200, 80, 40, 20, 5):
            text, code = self.screen("moved", columns)
            bars = self.bars(text)
            self.assertEqual(code, 0)
            self.assertGreaterEqual(len(bars), 10, text)
            for bar in bars:
                self.assertLess(len(bar), columns)
            self.assertEqual(len(bars), len(set(bars)), "drawn twice")
            self.assertIn("100%", bars[-1])
            self.bus.fakes[-1].terminate()
            self.bus.fakes[-1].wait()
            if columns >= 80:
                self.assertRegex(bars[-1], r"job 7 \[#+\] 100%  1000/1000 pages  \S+ MB/s  0:00")
                self.assertRegex(bars[5], r"\[#+\.+\]")
                self.assertIn("\r\njob 7 moved", text)

    def test_left(self):
        text, code = self.screen("partly", 80)
        bars = self.bars(text)
        self.assertEqual(code, 3)
        self.assertRegex(bars[5], r" 50%  500/1000 pages ")
        self.assertRegex(bars[-1], r"job 7 \[#+\] 100%  1000/1000 pages ")

    def test_dumb(self):
        text, _ = self.screen("moved", 80, term="dumb")
        self.assertEqual(self.bars(text), [])
        self.assertIn("job 7: 50%, 500 of 1000 pages", text)

    def test_json(self):
        text, _ = self.screen("moved", 80, "--json")
        self.assertEqual(json.loads(text)["outcome"], "moved")


class Tables(Case):
    def test_status(self):
        self.bus.fake("moved")
        out, _ = self.migctl("status")
        self.assertIn("engines   cpu (ready), dma0chan0 (ready), ", out)
        self.assertRegex(out, r",\n {10}dma\dchan0 \(ready\), ")
        self.assertIn(", dma7chan0 (ready)\n", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80, out)
        self.assertIn("0: 1024.0 MiB free of 2048.0 MiB", out)
        self.assertEqual(json.loads(self.migctl("status", "--json")[0])["version"], "0.1")

    def test_jobs(self):
        self.bus.fake("moved")
        self.assertEqual(json.loads(self.migctl("jobs", "--json")[0]), [])
        self.migrate("--quiet")
        out, _ = self.migctl("jobs")
        self.assertRegex(out, r"^ID +PID +COMM")
        self.assertRegex(out, r"\n 7 +4242 +redis\?\[2J +0 +1 +copy-first +auto +done +moved")
        out, _ = self.migctl("jobs", "--no-legend")
        self.assertEqual(out.split()[0], "7")
        self.assertEqual(len(out.splitlines()), 1)
        self.assertEqual(json.loads(self.migctl("jobs", "--json")[0])[0]["id"], 7)
        self.assertEqual(json.loads(self.migctl("jobs", "7", "--json")[0])["id"], 7)
        self.assertIn("commit   p50", self.migctl("jobs", "7")[0])

    def test_engines(self):
        self.bus.fake("moved")
        out, _ = self.migctl("engines")
        self.assertRegex(out, r"\ncpu +- +- +- +ready +3 +300 +1.2 MiB +0 +0 +0 +210 us +480 us")
        self.assertEqual(json.loads(self.migctl("engines", "--json")[0])[0]["name"], "cpu")

    def test_stats(self):
        self.bus.fake("moved")
        out, _ = self.migctl("stats")
        self.assertIn("7  pages left, file: page cache of files", out)
        self.assertRegex(out, r"9  times blackout +p50 210 us")
        self.assertEqual(json.loads(self.migctl("stats", "--json")[0])["jobs"], 3)

    def test_policy(self):
        self.bus.fake("moved")
        shown = "default-engine=auto\ndeadline=20000us\nbatch-pages=512\nmax-rate=none\n"
        self.assertEqual(self.migctl("policy")[0], shown)
        out, _ = self.migctl("policy", "set", "default-engine=cpu", "deadline=1s",
                             "batch-pages=64", "max-rate=2Gi")
        self.assertEqual(out, "default-engine=cpu\ndeadline=1000000us\nbatch-pages=64\n"
                         "max-rate=2147483648\n")
        self.assertEqual(self.migctl("policy", "set", *shown.split())[0], shown)
        out, _ = self.migctl("policy", "set", "default-engine=dma", "--json")
        self.assertEqual(json.loads(out), {"default_engine": "dma"})


class Monitor(Case):
    def test_lines(self):
        self.bus.fake("events")
        proc = self.start("monitor")
        out = read_until(proc.stdout, "listening")
        self.migrate("--quiet")
        out = read_until(proc.stdout, "job 7: done, outcome moved, 1000 pages moved", out)
        for line in ("job 7: new", "job 7: running, 500 pages moved",
                     "engine dma0chan0: fault, the engine answered with an error",
                     "job 7: a batch was rescued (deadline), 12 pages moved, 4 put back",
                     "engine dma0chan0: 4 pages in quarantine"):
            self.assertIn(line, out)
        proc.send_signal(signal.SIGINT)
        self.assertEqual(proc.wait(), 0)

    def test_json(self):
        fake = self.bus.fake("events")
        proc = self.start("monitor", "--json")
        events = [json.loads(proc.stdout.readline())]
        self.assertEqual(events[0]["event"], "listening")
        self.migrate("--quiet")
        fake.terminate()
        while events[-1]["event"] != "daemon-gone":
            events.append(json.loads(proc.stdout.readline()))
        proc.terminate()
        self.assertEqual(proc.wait(), 0)
        kinds = {event["event"] for event in events}
        self.assertTrue({"job-progress", "job-done", "engine-fault", "batch-rescued", "quarantine",
                         "daemon-gone"} <= kinds, kinds)


class Completion(Case):
    def complete(self, *words):
        """What Tab offers after these words."""
        script = (f'. "{COMPLETION}"\nCOMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n'
                  '_migctl\nprintf "%s\\n" "${COMPREPLY[@]}"\n')
        env = dict(self.bus.env, PATH=os.path.dirname(MIGCTL) + ":" + os.environ["PATH"])
        out = subprocess.run(["bash", "-c", script, "bash", "migctl", *words], env=env, text=True,
                             check=True, stdout=subprocess.PIPE).stdout
        return out.split()

    def test_static(self):
        self.assertEqual(self.complete("st"), ["status", "stats"])
        self.assertIn("--no-block", self.complete("migrate", "--"))
        self.assertEqual(self.complete("migrate", "--order", ""), ["copy-first", "state-first"])
        self.assertIn(str(os.getpid()), self.complete("migrate", ""))
        self.assertIn("0", self.complete("migrate", "1", "--to", ""))
        self.assertEqual(self.complete("policy", ""), ["set"])
        self.assertIn("deadline=", self.complete("policy", "set", ""))
        # Without a daemon there is nothing to offer, and none is started.
        self.assertEqual(self.complete("jobs", ""), [])

    def test_every_option(self):
        for verb in ("status", "migrate", "jobs", "cancel", "engines", "stats", "policy",
                     "monitor"):
            listed = set(re.findall(r"--[a-z-]+", self.migctl(verb, "--help")[0]))
            self.assertTrue(set(self.complete(verb, "--")) <= listed)
            for option in re.findall(r"^ .*?(--[a-z-]+)", self.migctl(verb, "--help")[0], re.M):
                self.assertIn(option, self.complete(verb, "--"))

    def test_service(self):
        self.bus.fake("hold")
        self.migrate("--no-block")
        self.assertEqual(self.complete("cancel", ""), ["7"])
        self.assertEqual(self.complete("jobs", ""), ["7"])
        self.assertIn("cpu", self.complete("migrate", "1", "--engine", ""))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
