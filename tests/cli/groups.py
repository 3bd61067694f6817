# SPDX-License-Identifier: GPL-2.0
"""Groups: several processes, a unit, a cgroup as one."""

import json
import os
import signal
import subprocess

from harness import Case, read_until


class Groups(Case):
    def group(self, script, *args, code=0):
        fake = self.bus.fake(script)
        out, err = self.migctl("migrate", *(args or ["-u", "redis"]), "--to", "1", code=code)
        return fake, out, err

    def test_unit(self):
        fake, out, _ = self.group("moved")
        self.assertEqual(fake.stdout.readline(),
                         "call MigrateUnit redis.service from=-1 to=1\n")
        self.assertIn("group 3: moving unit red?is.service (4 processes) from node 0 to node 1, "
                      "copy-first, engine auto\n", out)
        self.assertIn("group 3: 50%, 2 of 4 processes, 500 pages moved", out)
        self.assertIn("group 3 moved: unit red?is.service", out)
        self.assertRegex(out, r"without +1 processes:\n +1 +exited")
        self.assertIn("blackout max 1.2 ms", out)
        self.assertNotIn("job ", out)

    def test_names(self):
        for word, unit in (("a.slice", "a.slice"), ("redis@1.2", "redis@1.2.service"),
                           ("x.socket", "x.socket"), ("a.scope", "a.scope")):
            fake = self.bus.fake("moved")
            self.migctl("migrate", "--unit", word, "--to", "1", "--quiet")
            self.assertEqual(fake.stdout.readline(), f"call MigrateUnit {unit} from=-1 to=1\n")
            fake.terminate()
            fake.wait()

    def test_cgroup(self):
        fake, _, _ = self.group("moved", "--cgroup", "/sys/fs/cgroup/a", "--max-rate", "1M",
                                "--verify")
        self.assertEqual(fake.stdout.readline(), "call MigrateCgroup /sys/fs/cgroup/a from=-1 "
                         "to=1 max-rate=1000000 verify=1\n")

    def test_pids(self):
        pids = [str(os.getpid()), str(os.getppid())]
        fake, _, _ = self.group("moved", *pids)
        self.assertEqual(fake.stdout.readline(),
                         f"call MigrateProcesses {' '.join(pids)} from=-1 to=1\n")

    def test_partly(self):
        _, out, _ = self.group("partly", code=3)
        self.assertRegex(out, r"\n +1 +forbidden +their cpuset")
        self.assertIn("the first: the cpuset of process 43", out)

    def test_outcomes(self):
        self.refused(self.group("failed", code=1)[2], "moved no page", "migctl groups 3")

    def test_gone(self):
        _, out, err = self.group("target-gone", code=1)
        self.assertIn("ended because its processes exited", out)
        self.refused(err, "all processes of group 3 exited")

    def test_refused(self):
        self.refused(self.group("no-process", code=1)[2])

    def test_json(self):
        _, out, _ = self.group("partly", "-u", "redis", "--json", code=3)
        group = json.loads(out)
        self.assertEqual([group["outcome"], group["kind"], group["processes"]],
                         ["partly", "unit", 4])

    def test_listed(self):
        self.bus.fake("hold")
        self.assertEqual(json.loads(self.migctl("groups", "--json")[0]), [])
        out, _ = self.migctl("migrate", "-u", "redis", "--to", "1", "--no-block")
        self.assertEqual(out, "3\nwatch it with `migctl groups 3` or `migctl monitor`\n")
        out, _ = self.migctl("groups")
        self.assertRegex(out, r"^ID +TARGET")
        self.assertRegex(out, r"\n 3 +red\?is.service +0 +1 +running")
        self.assertEqual(len(self.migctl("groups", "--no-legend")[0].splitlines()), 1)
        self.assertEqual(json.loads(self.migctl("groups", "3", "--json")[0])["id"], 3)
        self.assertIn("visited  ", self.migctl("groups", "3")[0])
        self.assertIn("group 3 is being cancelled", self.migctl("groups", "cancel", "3")[0])
        self.assertIn("outcome cancelled", self.migctl("groups", "3")[0])
        self.assertEqual(json.loads(self.migctl("jobs", "--json")[0]), [])
        self.assertIn("\ngroups    0 active, 1 ended\n", self.migctl("status")[0])
        self.refused(self.migctl("groups", "99", code=1)[1], "no group 99")
        self.refused(self.migctl("groups", "cancel", "99", code=1)[1], "no group 99")


class GroupInterrupts(Case):
    def test_cancel(self):
        fake = self.bus.fake("hold")
        proc = self.start("migrate", "-u", "redis", "--to", "1")
        read_until(proc.stdout, "50%")
        proc.send_signal(signal.SIGINT)
        out, err = proc.communicate()
        self.assertEqual(proc.returncode, 130, out + err)
        self.assertIn("cancelling group 3", err)
        self.assertIn("group 3 was cancelled", out)
        read_until(fake.stdout, "call Cancel")


class GroupRestarts(Case):
    def restarted(self, script, code=0):
        self.bus.fake(script)
        out, err = self.migctl("migrate", "-u", "redis", "--to", "1", code=code)
        self.assertEqual(err.count("the daemon has gone, group 3 goes on with the next one"), 1,
                         err)
        return out, err

    def test_restart(self):
        out, _ = self.restarted("restart")
        self.assertIn("group 3 moved", out)
        self.assertIn("100%", out)

    def test_forgot(self):
        """A daemon that was stopped and started has no groups: say so, at once."""
        _, err = self.restarted("restart-forgot", code=3)
        self.assertIn("does not know group 3", err)


class DryRun(Case):
    """No daemon is asked, and none is there."""

    def test_processes(self):
        out, _ = self.migctl("migrate", str(os.getpid()), "2", "--to", "0", "--dry-run")
        self.assertRegex(out, r"^ *PID +COMM +OWN +SHARED +HUGETLB +FILES +IT\n")
        self.assertRegex(out, rf"\n *{os.getpid()} +\S+ .* (moves|has nothing there)\n")
        self.assertIn("Nothing was moved.", out)
        out, _ = self.migctl("migrate", str(os.getpid()), "--to", "0", "--dry-run", "--json")
        self.assertEqual(json.loads(out)[0]["pid"], os.getpid())

    def test_none(self):
        gone = subprocess.run(["sh", "-c", "echo $$"], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        out, err = self.migctl("migrate", gone, "--to", "0", "--dry-run", code=1)
        self.assertIn("has exited", out)
        self.refused(err, "none of 1 processes")

    def test_refused(self):
        for args, code, word in ((["--cgroup", "/a/.."], 2, "'..'"),
                                 (["--cgroup", "/nowhere"], 1, "/nowhere"),
                                 (["-u", "x.socket"], 2, "x.socket"),
                                 (["-u", "redis"], 1, "redis.service")):
            self.refused(self.migctl("migrate", *args, "--to", "0", "--dry-run", code=code)[1],
                         word)
        self.refused(self.migctl("migrate", "1", "--to", "900", "--dry-run", code=1)[1],
                     "node 900")
        self.refused(self.migctl("-H", "h", "migrate", "1", "--to", "0", "--dry-run", code=2)[1],
                     "run it on h")


class Bind(Case):
    """That the kernel follows is bus/group's to show, on a machine with nodes."""

    def bind(self, script, unit, *args, code=0):
        fake = self.bus.fake(script)
        out, err = self.migctl("migrate", "-u", unit, "--to", "2", "--bind", *args, code=code)
        fake.terminate()
        return out, err, [line for line in fake.stdout if "SetUnit" in line]

    def test_bound(self):
        out, err, calls = self.bind("moved", "redis")
        self.assertEqual(err, "")
        self.assertEqual(calls, ["call SetUnitProperties redis.service runtime=1 "
                                 "AllowedMemoryNodes=04\n"])
        self.assertRegex(out, r"\n  bound    unit redis\.service to node 2, .*`systemctl set-property "
                         r"--runtime 'redis\.service' AllowedMemoryNodes=[0-9,-]+`\n$")

    def test_json(self):
        bound = json.loads(self.bind("moved", "redis", "--json")[0])["bound"]
        self.assertEqual([bound["unit"], bound["node"]], ["redis.service", 2])
        self.assertIn("AllowedMemoryNodes=", bound["undo"])

    def test_not_all(self):
        for script, code in (("partly", 3), ("failed", 1), ("cancelled", 130)):
            out, err, calls = self.bind(script, "redis", "--json", code=code)
            self.assertEqual(calls, [])
            self.assertIn("warning: unit redis.service is not bound to node 2", err)
            self.assertIsNone(json.loads(out)["bound"])

    def test_no_effect(self):
        """It is taken back, and what the unit had before is there again."""
        out, err, calls = self.bind("moved", "deaf", code=1)
        self.refused(err, "deaf.service cannot be bound", "DisableControllers")
        self.assertEqual([call.split("=")[-1] for call in calls], ["04\n", "03\n"])
        self.assertNotIn("bound  ", out)

    def test_denied(self):
        self.refused(self.bind("moved", "held", code=4)[1], "Access denied", "as root")

    def test_refused(self):
        """Before anything has moved."""
        for args, code, word in ((["-u", "x.socket"], 2, "x.socket"),
                                 (["-u", "nobody"], 1, "nobody.service"),
                                 (["--cgroup", "/a"], 2, "-u"), (["1"], 2, "-u"),
                                 (["-u", "redis", "--no-block"], 2, "--no-block")):
            fake = self.bus.fake("moved")
            self.refused(self.migctl("migrate", *args, "--to", "2", "--bind", code=code)[1], word)
            fake.terminate()
            self.assertEqual(fake.stdout.read(), "")


class GroupUsage(Case):
    def usage(self, *args, words=()):
        out, err = self.migctl(*args, code=2)
        self.assertEqual(out, "")
        self.refused(err, *words)

    def test_usage(self):
        self.usage("migrate", "--to", "1", words=["-u"])
        self.usage("migrate", "1", "-u", "a", "--to", "1", words=["choose one"])
        self.usage("migrate", "--cgroup", "/a", "-u", "a", "--to", "1", words=["choose one"])
        self.usage("migrate", "-u", "", "--to", "1", words=["--unit"])
        self.usage("migrate", "--cgroup", "a", "--to", "1", words=["--cgroup"])
        self.usage("migrate", "1", "2x", "--to", "1", words=["'2x'"])
        self.usage("migrate", "-u", "a", "--to", "1", "--range", "1000-2000",
                   words=["--range", "one process"])
        self.usage("migrate", "-u", "a", "--to", "1", "--atomic", words=["--range"])
        self.usage("groups", "x", words=["'x'"])
        self.usage("groups", "cancel", words=["which group"])
        self.usage("groups", "1", "2", words=["'2'"])
