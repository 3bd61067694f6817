# SPDX-License-Identifier: GPL-2.0
"""migctl -H: the bus of another machine, over an ssh that stays on this one."""

import os

from harness import Case


class Remote(Case):
    def setUp(self):
        super().setUp()
        self.ssh("echo \"$*\" >>{dir}/ssh.log\nexec systemd-stdio-bridge -p {bus}\n")
        # Nothing but ssh leads to the service.
        self.bus.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"

    def ssh(self, script):
        where = self.bus.tmp.name
        path = f"{where}/ssh"
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + script.format(dir=where, bus=self.bus.address))
        os.chmod(path, 0o755)
        self.bus.env["PATH"] = f"{where}:{os.environ['PATH']}"
        self.bus.env["SYSTEMD_SSH"] = path

    def fake(self, script):
        self.bus.env["DBUS_SYSTEM_BUS_ADDRESS"] = self.bus.address
        fake = self.bus.fake(script)
        self.bus.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        return fake

    def test_spellings(self):
        self.fake("moved")
        for words in (["-H", "root@far"], ["-Hroot@far"], ["--host", "root@far"],
                      ["--host=root@far"]):
            out, _ = self.migctl(*words, "stats")
            self.assertIn("3  jobs submitted", out)
        with open(f"{self.bus.tmp.name}/ssh.log", encoding="ascii") as log:
            calls = log.read().splitlines()
        self.assertEqual(len(calls), 4)
        for call in calls:
            self.assertRegex(call, r"root@far .*systemd-stdio-bridge")

    def test_job(self):
        """A pid of that machine: there is none such here, and no check says so."""
        self.fake("hold")
        out, err = self.migctl("-H", "far", "migrate", "4194304", "--from", "0", "--to", "1",
                               "--no-block")
        self.assertEqual(out.splitlines()[0], "7")
        self.assertEqual(err, "")
        self.assertEqual(self.migctl("-H", "far", "jobs", "--no-legend")[0].split()[0], "7")
        self.migctl("-H", "far", "cancel", "7")

    def test_refused(self):
        self.refused(self.migctl("-H", code=2)[1], "USER@")
        self.refused(self.migctl("--host=", "stats", code=2)[1], "USER@")
        self.refused(self.migctl("-H", "far", code=2)[1], "verb")
        self.refused(self.migctl("-H", "far", "doctor", code=2)[1], "ssh far migctl doctor")
        self.refused(self.migctl("-H", "far", "migrate", "1", "--to", "1", code=2)[1],
                     "--no-block", "monitor")

    def test_unreachable(self):
        self.ssh("exit 255\n")
        self.refused(self.migctl("-H", "far", "stats", code=5)[1], "far")
