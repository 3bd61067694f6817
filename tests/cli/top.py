# SPDX-License-Identifier: GPL-2.0
"""migctl top on a terminal of the test's own."""

import fcntl
import os
import pty
import signal
import struct
import termios

from harness import Case


class Top(Case):
    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.seen = ""

    def size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def top(self, *args):
        return self.start("top", *args, stdin=self.slave, stdout=self.slave)

    def until(self, text):
        """Read what is drawn until the text comes, after what was waited for before.

        Only what has changed is drawn, so the text is best one that was nowhere."""
        while text not in self.seen:
            self.seen += os.read(self.master, 4096).decode()
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def ended(self, proc, code=0):
        _, err = proc.communicate()
        self.assertEqual(proc.returncode, code, err)
        self.no_junk(err)
        return err

    def test_shows_and_quits(self):
        self.bus.fake("hold")
        self.migrate("--no-block")
        self.size(30, 80)
        proc = self.top("--delay", "100ms")
        self.until("serves module 0.1")
        self.until("4242")
        self.until("dma7chan0")
        # a second sample
        self.until("MB/s")
        os.write(self.master, b"xq")
        self.ended(proc)
        # the screen of before is back
        self.until("\x1b[?1049l")

    def test_small_and_resized(self):
        self.bus.fake("moved")
        self.size(6, 40)
        proc = self.top()
        self.until("lines more than fit")
        self.size(40, 100)
        proc.send_signal(signal.SIGWINCH)
        self.until("dma7chan0")
        proc.send_signal(signal.SIGINT)
        self.ended(proc)

    def test_daemon_goes(self):
        fake = self.bus.fake("moved")
        self.size(24, 80)
        proc = self.top("-d", "100ms")
        self.until("q quits")
        fake.terminate()
        fake.wait()
        self.until("cannot start it")
        self.bus.fake("moved")
        self.until("serves module")
        os.write(self.master, b"q")
        self.ended(proc)

    def test_refusals(self):
        self.bus.fake("moved")
        self.refused(self.migctl("top", code=2)[1], "top draws on a terminal")
        self.refused(self.migctl("top", "--delay", "1", code=2)[1], "--delay '1'", "500ms")
        self.refused(self.migctl("top", "-d", "10ms", code=2)[1], "100ms or more")
        self.bus.env["TERM"] = "no-such-terminal"
        self.refused(self.ended(self.top(), 1), "no-such-terminal", "set TERM")
