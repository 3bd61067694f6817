# SPDX-License-Identifier: GPL-2.0
"""Jobs: what becomes of them, and how that is told."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios

from harness import Case, read_until


class Outcomes(Case):
    def outcome(self, script, code):
        self.bus.fake(script)
        return self.migrate(code=code)

    def test_moved(self):
        out, _ = self.outcome("moved", 0)
        self.assertIn("job 7: moving process 4242 (redis?[2J) from node 0 to node 1", out)
        self.assertIn("job 7 moved: process 4242", out)
        self.assertIn("1000 of 1000 pages, 3.9 MiB in 2.00 s, 2.0 MB/s", out)
        self.assertIn("blackout p50 210 us, p99 480 us, p99.9 990 us, max 1.2 ms", out)
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

    def test_unknown(self):
        self.refused(self.outcome("unknown", 1)[1], "could not listen", "numa_maps")

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
                     "--deadline", "20ms", "--max-rate", "500M", "--nice", "10", "--range",
                     "7f0000000000-7f0000010000", "--range", "0x10000-0x20000",
                     "--verify", "--atomic")
        line = fake.stdout.readline()
        self.assertEqual(line, "call MigrateProcess from=0 to=1 order=state-first "
                         "engine=dma0chan0 batch-pages=256 deadline-us=20000 max-rate=500000000 "
                         "nice=10 ranges=7f0000000000-7f0000010000 ranges=10000-20000 "
                         "verify=1 atomic=1\n")
        self.migctl("migrate", str(os.getpid()), "--to", "1")
        self.assertEqual(fake.stdout.readline(), "call MigrateProcess from=-1 to=1\n")
        _, err = self.migctl("migrate", "1", "--to", "1", "--atomic", code=2)
        self.assertIn("--atomic needs at least one --range", err)


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


class Recount(Case):
    """What came back is counted in test-recount.c, and in bus/group of a machine with nodes."""

    def test_stays(self):
        self.bus.fake("moved")
        out, _ = self.migrate("--recount", "1ms")
        self.assertRegex(out, r"job 7 moved: .*\n(.*\n)*  recount  in 1 ms; interrupt to count at "
                         r"once\n  recount  after \S+ m?s: 0 of 1000 moved pages are back on node 0")

    def test_json(self):
        self.bus.fake("partly")
        job = json.loads(self.migrate("--recount", "1ms", "--json", code=3)[0])
        self.assertEqual([job["outcome"], job["recount"]["back"], job["recount"]["causes"],
                          job["recount"]["interrupted"]], ["partly", 0, [], False])
        self.assertGreaterEqual(job["recount"]["after_usec"], 1000)

    def test_nothing(self):
        """Nothing has moved: there is nothing to wait for."""
        self.bus.fake("nothing")
        self.assertNotIn("recount", self.migrate("--recount", "3600s")[0])

    def test_interrupt(self):
        self.bus.fake("moved")
        for args in ([str(os.getpid())], ["-u", "redis"]):
            proc = self.start("migrate", *args, "--from", "0", "--to", "1", "--recount", "3600s")
            seen = read_until(proc.stdout, "interrupt to count at once")
            proc.send_signal(signal.SIGINT)
            out, err = proc.communicate()
            self.assertEqual(proc.returncode, 0, seen + out + err)
            self.assertRegex(out, "after .*: 0 of 1000 moved pages are back on node 0")

    def test_exited(self):
        self.bus.fake("moved")
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as target:
            proc = self.start("migrate", str(target.pid), "--to", "1", "--recount", "3600s")
            read_until(proc.stdout, "interrupt to count at once")
        proc.send_signal(signal.SIGTERM)
        _, err = proc.communicate()
        self.assertEqual(proc.returncode, 1, err)
        self.refused(err, "exited before their pages were counted")

    def test_usage(self):
        for args, word in ((["--recount", "0s"], "'0s'"), (["--recount", "x"], "'x'"),
                           (["--recount", "1s", "--no-block"], "--no-block")):
            self.refused(self.migrate(*args, code=2)[1], "--recount", word)


class Changes(Case):
    def test_set(self):
        fake = self.bus.fake("hold")
        self.migrate("--no-block")
        fake.stdout.readline()
        out, _ = self.migctl("set", "7", "--max-rate", "2K", "--deadline", "20ms")
        self.assertEqual(out, "job 7 has the new limits from its next batch on\n")
        self.assertEqual(fake.stdout.readline(), "call Set DeadlineUSec=20000\n")
        self.assertEqual(fake.stdout.readline(), "call Set MaxRate=2000\n")
        self.migctl("set", "7", "--max-bandwidth", "none", "--nice", "19")
        self.assertEqual(fake.stdout.readline(), "call Set MaxRate=0\n")
        self.assertEqual(fake.stdout.readline(), "call Set Nice=19\n")

    def test_pause(self):
        fake = self.bus.fake("hold")
        self.migrate("--no-block")
        fake.stdout.readline()
        self.assertIn("job 7 waits", self.migctl("pause", "7")[0])
        self.assertEqual(fake.stdout.readline(), "call Pause\n")
        self.assertEqual(json.loads(self.migctl("resume", "7", "--json")[0])["id"], 7)
        self.assertEqual(fake.stdout.readline(), "call Resume\n")
        for verb in ("pause", "resume"):
            self.refused(self.migctl(verb, "99", code=1)[1], "no job 99")
        self.refused(self.migctl("set", "99", "--max-rate=1M", code=1)[1], "no job 99")


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

    def test_ended_unheard(self):
        out, _ = self.restarted("restart-unheard")
        self.assertIn("job 7 moved", out)

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

    def test_shrunk(self):
        text, code = self.screen("shrunk", 80)
        self.assertEqual(code, 0)
        self.assertRegex(self.bars(text)[-1], r"job 7 \[#+\] 100%  990/1000 pages ")

    def test_dumb(self):
        text, _ = self.screen("moved", 80, term="dumb")
        self.assertEqual(self.bars(text), [])
        self.assertIn("job 7: 50%, 500 of 1000 pages", text)

    def test_json(self):
        text, _ = self.screen("moved", 80, "--json")
        self.assertEqual(json.loads(text)["outcome"], "moved")
