# SPDX-License-Identifier: GPL-2.0
"""migctl stats --format: the text for Prometheus, and the other formats."""

import json
import shutil
import subprocess

from harness import Case


class Metrics(Case):
    def setUp(self):
        super().setUp()
        self.bus.fake("moved")

    def metrics(self):
        return self.migctl("stats", "--format=openmetrics")[0]

    def promtool(self, text):
        """Exit code and what promtool has against the text."""
        if not shutil.which("promtool"):
            self.fail("promtool is missing: PATH=$PATH:$(tests/vm/vm.py promtool) has it")
        proc = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return proc.returncode, proc.stdout

    def test_promtool(self):
        text = self.metrics()
        self.assertEqual(self.promtool(text), (0, ""), text)
        # It does read it: without its HELP a metric is found.
        code, found = self.promtool(text.replace("# HELP migd_jobs_total ", "# "))
        self.assertNotEqual(code, 0)
        self.assertIn("migd_jobs_total", found)

    def test_samples(self):
        lines = self.metrics().splitlines()
        for line in ("# TYPE migd_jobs_total counter",
                     "migd_jobs_total 3",
                     "migd_pages_moved_total 1000",
                     'migd_pages_left_total{reason="file"} 7',
                     'migd_pages_left_total{reason="busy"} 2',
                     'migd_batches_rescued_total{cause="deadline"} 1',
                     'migd_batches_rescued_total{cause="server-lost"} 0',
                     "migd_daemon_fallbacks_total 5",
                     "# TYPE migd_blackout_seconds summary",
                     'migd_blackout_seconds{quantile="0.5"} 0.000210000',
                     'migd_blackout_seconds{quantile="0.999"} 0.000990000',
                     'migd_blackout_seconds{quantile="1"} 0.001200000',
                     "migd_blackout_seconds_sum 12.000000034",
                     "migd_blackout_seconds_count 9",
                     'migd_engine_info{engine="cpu",device="",driver="",state="ready"} 1',
                     'migd_engine_copied_bytes_total{engine="cpu"} 1228800',
                     'migd_engine_errors_total{engine="dma7chan0"} 7',
                     'migd_engine_quarantine_pages{engine="dma7chan0"} 0',
                     'migd_engine_copy_seconds{engine="cpu",quantile="0.99"} 0.000480000',
                     'migd_engine_copy_seconds_count{engine="cpu"} 9'):
            self.assertIn(line, lines)
        self.assertEqual(lines[-1], "# EOF")

    def test_nothing_invented(self):
        """What the service does not report has no metric."""
        text = self.metrics()
        for name in ("migd_lock_seconds", "migd_pages_undone_total",
                     'migd_engine_errors_total{engine="cpu"}',
                     'migd_engine_copy_seconds_count{engine="dma0chan0"}'):
            self.assertNotIn(name, text)

    def test_formats(self):
        for last in ("--format=json", "--json"):
            out, _ = self.migctl("stats", "--format=table", last)
            self.assertEqual(json.loads(out)["jobs"], 3)
        self.assertEqual(self.migctl("stats", "--json", "--format=table"), self.migctl("stats"))
