# SPDX-License-Identifier: GPL-2.0
"""Tables, events and completion."""

import json
import os
import re
import signal
import subprocess

from harness import COMPLETION, MIGCTL, Case, read_until


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

    def test_change_engines(self):
        fake = self.bus.fake("moved")
        for verb, call in (("release", "Release /org/migd1/engine/dma0chan0"),
                           ("claim", "ClaimEngine dma0chan0")):
            out, _ = self.migctl("engines", verb, "dma0chan0")
            self.assertRegex(out, r"\ndma0chan0 ")
            self.assertEqual(fake.stdout.readline(), f"call {call}\n")
        self.refused(self.migctl("engines", "release", "nope", code=1)[1], "'nope'",
                     "migctl engines")

    def test_stats(self):
        self.bus.fake("moved")
        out, _ = self.migctl("stats")
        self.assertIn("7  pages left, file: page cache of files", out)
        self.assertRegex(out, r"9  times blackout +p50 210 us, .*, p99\.9 990 us")
        self.assertEqual(json.loads(self.migctl("stats", "--json")[0])["jobs"], 3)

    def test_policy(self):
        self.bus.fake("moved")
        shown = "default-engine=auto\ndeadline=20000us\nbatch-pages=512\nmax-rate=none\n" \
            "total-rate=none\nnice=0\njobs-per-user=8\npressure=none\n"
        self.assertEqual(self.migctl("policy")[0], shown)
        out, _ = self.migctl("policy", "set", "default-engine=cpu", "deadline=1s",
                             "batch-pages=64", "max-rate=2Gi", "total-rate=4Gi",
                             "nice=7", "jobs-per-user=2", "pressure=200ms")
        self.assertEqual(out, "default-engine=cpu\ndeadline=1000000us\nbatch-pages=64\n"
                         "max-rate=2147483648\ntotal-rate=4294967296\nnice=7\njobs-per-user=2\n"
                         "pressure=200000us\n")
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
    def verbs(self):
        return re.findall(r"^  ([a-z]+) ", self.migctl("--help")[0], re.M)

    def complete(self, *words):
        """What Tab offers after these words."""
        script = (f'. "{COMPLETION}"\nCOMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n'
                  '_migctl\nprintf "%s\\n" "${COMPREPLY[@]}"\n')
        env = dict(self.bus.env, PATH=":".join(
            [os.path.dirname(MIGCTL), self.bus.tmp.name, os.environ["PATH"]]))
        out = subprocess.run(["bash", "-c", script, "bash", "migctl", *words], env=env, text=True,
                             check=True, stdout=subprocess.PIPE).stdout
        return out.split()

    def test_static(self):
        self.assertEqual(self.complete("st"), ["status", "stats"])
        self.assertIn("--no-block", self.complete("migrate", "--"))
        self.assertEqual(self.complete("migrate", "--order", ""), ["copy-first", "state-first"])
        self.assertEqual(self.complete("explain", "1", "--order", "s"), ["state-first"])
        self.assertIn(str(os.getpid()), self.complete("explain", ""))
        self.assertEqual(self.complete("stats", "--format", ""), ["table", "json", "openmetrics"])
        self.assertIn(str(os.getpid()), self.complete("migrate", ""))
        self.assertIn("0", self.complete("migrate", "1", "--to", ""))
        self.assertEqual(self.complete("policy", ""), ["set"])
        self.assertEqual(self.complete("engines", ""), ["release", "claim"])
        self.assertIn("deadline=", self.complete("policy", "set", ""))
        self.assertEqual(self.complete("policy", "set", "max-rate", "=", "1"), ["100M", "1G"])
        self.assertEqual(self.complete("policy", "set", "default-engine", "="),
                         ["auto", "cpu", "dma"])
        self.assertEqual(self.complete("migrate", "1", "--deadline", "2"), ["20ms"])
        self.assertEqual(self.complete("migrate", "1", "--deadline", "=", "2"), ["20ms"])
        self.assertIn("0", self.complete("migrate", "1", "--to", "="))
        self.assertIn("0", self.complete("migrate", "1", "--from", ""))
        ranges = self.complete("migrate", "--to", "1", str(os.getpid()), "--range", "")
        self.assertTrue(ranges)
        for word in ranges:
            self.assertRegex(word, "^[0-9a-f]+-[0-9a-f]+$")
        # Without a daemon there is nothing to offer, and none is started.
        self.assertEqual(self.complete("jobs", ""), [])

    def test_remote(self):
        """For another machine nothing of this one is offered."""
        self.bus.fake("moved")
        self.assertEqual(self.complete("-H", "far", "st"), ["status", "stats"])
        self.assertEqual(self.complete("--host", "=", "far", "st"), ["status", "stats"])
        self.assertIn("--host", self.complete("--"))
        self.assertEqual(self.complete("-H", "far", "engines", ""), ["release", "claim"])
        self.assertEqual(self.complete("-H", "far", "engines", "release", ""), [])
        self.assertEqual(self.complete("-H", "far", "migrate", ""), [])
        self.assertEqual(self.complete("-H", "far", "migrate", "1", "--to", ""), [])

    def test_every_verb(self):
        """The help's verbs and options are those of the completion and of the page."""
        with open(f"{os.path.dirname(COMPLETION)}/../migctl.1", encoding="utf-8") as f:
            page = f.read()
        verbs = self.verbs()
        self.assertIn("migrate", verbs)
        self.assertEqual(sorted(word for word in self.complete("") if word[0] != "-"),
                         sorted(verbs))
        for verb in verbs:
            self.assertTrue(re.search(rf"(?m)^\.It Cm {verb}\b", page), verb)
            listed = set(re.findall(r"--[a-z-]+", self.migctl(verb, "--help")[0]))
            self.assertTrue(set(self.complete(verb, "--")) <= listed)
            for option in re.findall(r"^ .*?(--[a-z-]+)", self.migctl(verb, "--help")[0], re.M):
                self.assertIn(option, self.complete(verb, "--"))
                self.assertTrue(re.search(rf"\bFl (\w , )?{option[1:]}\b", page), option)

    def test_groups(self):
        """Units from systemctl, cgroups from the file system."""
        with open(f"{self.bus.tmp.name}/systemctl", "w", encoding="ascii",
                  opener=lambda path, flags: os.open(path, flags, 0o755)) as f:
            f.write('#!/bin/sh\necho "a.service loaded active running x"\n'
                    'echo "b.slice loaded active active y"\n'
                    'echo "c\\x2dd.slice loaded active active z"\n'
                    'echo "gone.service loaded active exited w"\n')
        for option in ("-u", "--unit"):
            self.assertEqual(self.complete("migrate", option, ""),
                             ["a.service", "b.slice", "c\\x2dd.slice"])
            self.assertEqual(self.complete("migrate", option, "c\\\\x"), ["c\\x2dd.slice"])
        self.assertEqual(self.complete("migrate", "--cgroup", "/sys/fs/cgrou"), ["/sys/fs/cgroup"])
        self.assertEqual(self.complete("-H", "host", "migrate", "-u", ""), [])
        self.bus.fake("hold")
        self.migctl("migrate", "-u", "redis", "--to", "1", "--no-block")
        self.assertEqual(self.complete("groups", ""), ["cancel", "3"])
        self.assertEqual(self.complete("groups", "cancel", ""), ["3"])

    def test_service(self):
        self.bus.fake("hold")
        self.migrate("--no-block")
        for verb in ("cancel", "set", "pause", "resume"):
            self.assertEqual(self.complete(verb, ""), ["7"])
        self.assertIn("20ms", self.complete("set", "7", "--deadline", ""))
        self.assertEqual(self.complete("jobs", ""), ["7"])
        self.assertIn("cpu", self.complete("migrate", "1", "--engine", ""))
        self.assertIn("dma0chan0", self.complete("engines", "release", ""))
        self.assertIn("dma0chan0", self.complete("policy", "set", "default-engine", "=", "dma0"))
