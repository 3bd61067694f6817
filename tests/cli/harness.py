# SPDX-License-Identifier: GPL-2.0
"""A bus of the test's own, with fake-migd on it, and migctl to ask it.

Each wait is for a line that somebody prints or a process that ends."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

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
