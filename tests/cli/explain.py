# SPDX-License-Identifier: GPL-2.0
"""migctl explain: what is refused. What it tells is tested beside its code."""

import json
import os
import subprocess

from harness import Case


class Explain(Case):
    """No daemon is asked, and none is there."""

    def test_usage(self):
        pid = str(os.getpid())
        for args, words in (([], ["which process", "migctl explain --help"]),
                            (["x"], ["'x'", "no pid"]),
                            ([pid, "-u", "redis"], ["choose one"]),
                            ([pid, "10001-20000"], ["10001-20000", "START-END"]),
                            ([pid, "--range", "20000-10000"], ["20000-10000", "START-END"]),
                            ([pid, "10000-30000", "--range", "20000-40000"], ["overlap"]),
                            (["1", "2", "10000-20000"], ["one process"]),
                            ([pid, "--order", "x"], ["copy-first or state-first"]),
                            ([pid, "--to", "one"], ["number of a node"]),
                            ([pid, "--to", "0", "--from", "0"], ["same node 0"]),
                            ([pid, "--engine", "cpu"], ["--engine"])):
            out, err = self.migctl("explain", *args, code=2)
            self.assertEqual(out, "")
            self.refused(err, *words)
        self.refused(self.migctl("-H", "h", "explain", "1", code=2)[1], "run it on h")

    def test_nothing_there(self):
        gone = subprocess.run(["sh", "-c", "echo $$"], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        self.refused(self.migctl("explain", gone, "--to", "900", code=1)[1], "node 900")
        out, err = self.migctl("explain", gone, "--to", "0", code=1)
        self.assertIn(f"process {gone} () has exited\n", out)
        self.refused(err, "none of 1 processes")
        out, err = self.migctl("explain", gone, gone, "--json", code=1)
        told = json.loads(out)
        self.assertEqual([(p["pid"], p["verdict"], p["moves"]) for p in told["processes"]],
                         [(int(gone), "has exited", False)] * 2)
        self.assertEqual((told["total"], told["left"], told["order"]), (0, {}, "copy-first"))
        self.refused(err, "none of 2 processes")
        self.refused(self.migctl("explain", "--cgroup", "/nowhere", code=1)[1], "/nowhere")
