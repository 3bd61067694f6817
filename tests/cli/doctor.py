# SPDX-License-Identifier: GPL-2.0
"""migctl doctor: what it makes of bus and daemon. What it says of the machine
that the test runs on is not looked at; tools/test-doctor.c has made-up ones."""

import json
import socket

from harness import FAKE, Case


class Doctor(Case):
    def doctor(self, *args):
        """The findings by name; the exit code fits them, and each problem has a fix."""
        proc = self.start("doctor", "--json", *args)
        out, err = proc.communicate()
        self.assertEqual(err, "")
        self.no_junk(out)
        told = json.loads(out)
        checks = told["checks"]
        for level in ("ok", "warn", "fail"):
            self.assertEqual(told[level], sum(c["level"] == level for c in checks))
        self.assertEqual(proc.returncode, 1 if told["fail"] else 0)
        for check in checks:
            self.assertEqual(check["level"] == "ok", "fix" not in check, check)
        return {check["check"]: check for check in checks}

    def says(self, finding, level, *words):
        self.assertEqual(finding["level"], level, finding)
        for word in words:
            self.assertIn(word, finding["text"] + " fix: " + finding.get("fix", ""))

    def test_no_daemon(self):
        self.says(self.doctor()["daemon"], "warn", "systemctl start migd.service")
        self.says(self.doctor("--start")["daemon"], "fail", "not running")

    def test_serving(self):
        self.bus.fake("moved")
        found = self.doctor()
        self.says(found["daemon"], "ok", "runs and serves")
        self.says(found["versions"], "warn", "0.1 ", "one version")
        self.says(found["permission"], "ok", "its own processes: yes",
                  "those of others: with an administrator's password", "engines: no")
        self.says(found["engines"], "ok", "9 ready")

    def test_denied(self):
        self.bus.fake("denied")
        self.says(self.doctor()["permission"], "warn", "the fake refuses this", "as root")

    def test_not_ready(self):
        self.bus.fake("module-missing")
        self.says(self.doctor()["daemon"], "fail", "does not serve", "modprobe")

    def test_no_bus(self):
        self.bus.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        self.says(self.doctor()["daemon"], "fail", "No such file", "systemctl status dbus")

    def test_dead_bus(self):
        """Somebody listens and never answers."""
        path = self.bus.tmp.name + "/dead"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            self.bus.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={path}"
            self.says(self.doctor()["daemon"], "fail", "does not answer", "systemctl status dbus")

    def test_text(self):
        self.bus.fake("moved")
        proc = self.start("doctor")
        out, err = proc.communicate()
        self.assertEqual(err, "")
        lines = out.splitlines()
        self.assertIn("ok    daemon      migd 0.1 runs and serves", lines)
        for before, line in zip(lines, lines[1:]):
            if before.startswith(("warn", "fail")):
                self.assertTrue(line.startswith(" " * 18 + "fix: "), line)
        self.assertRegex(lines[-1], r"^\d+ ok, \d+ warnings, \d+ failed$")

    def test_usage(self):
        self.refused(self.migctl("doctor", "nurse", code=2)[1], "'nurse'")
        self.refused(self.migctl("doctor", "--start", "--no-start", code=2)[1], "contradict")


class Activation(Case):
    activate = f"{FAKE} moved"

    def test_start(self):
        """A daemon that could be started is only when that is asked for."""
        self.assertNotIn("runs and serves", self.start("doctor").communicate()[0])
        self.assertIn("runs and serves", self.start("doctor", "--start").communicate()[0])
