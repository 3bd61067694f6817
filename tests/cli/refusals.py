# SPDX-License-Identifier: GPL-2.0
"""What is refused, by whom, and in which words."""

from harness import FAKE, VERSION, Case


class Refusals(Case):
    def test_denied(self):
        self.bus.fake("denied")
        self.refused(self.migrate(code=4)[1], "refuses")
        self.refused(self.migctl("policy", "set", "deadline=5ms", code=4)[1], "refuses")
        self.refused(self.migctl("engines", "claim", "dma0chan0", code=4)[1], "refuses")
        self.refused(self.migctl("engines", "release", "dma0chan0", code=4)[1], "refuses")

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
        for verb in ("status", "doctor", "migrate", "jobs", "cancel", "set", "pause", "resume",
                     "groups", "engines", "stats", "policy", "monitor", "top"):
            self.usage(verb, "--bogus", words=["--bogus", f"migctl {verb} --help"])
            self.usage(verb, "-Z", words=["-Z"])
            self.usage(verb, "--no-start=1", words=["no value"])
            self.assertIn("Usage:", self.migctl(verb, "--help")[0])

    def test_too_many(self):
        for verb in ("status", "engines", "stats", "policy", "monitor", "top"):
            self.usage(verb, "more", words=["'more'"])
        self.usage("jobs", "1", "2", words=["'2'"])
        self.usage("cancel", "1", "2", words=["'2'"])
        self.usage("engines", "claim", "1", "2", words=["'2'"])
        self.usage("engines", "release", words=["release which engine"])

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
                "--nice": ["20", "-1", "very"],
                "--range": ["10", "20000-10000", "10001-20000", "0-zz"],
                "--daemon-timeout": ["soon"]}.items():
            for value in values:
                self.usage("migrate", "1", "--to", "1", f"{option}={value}", words=[option])
        self.usage("jobs", "seven", words=["seven"])
        self.usage("stats", "--format=xml", words=["'xml'", "table, json or openmetrics"])
        self.usage("stats", "--format", words=["needs a value"])
        for verb in ("cancel", "pause", "resume"):
            self.usage(verb, words=["id"])
        self.usage("set", "7", words=["--max-rate, --deadline or --nice"])
        self.usage("set", "7", "--nice=20", words=["--nice"])
        self.usage("migrate", "1", "--to", "1", "--max-bandwidth=5Q", words=["--max-rate"])
        self.usage("policy", "set", "nice=20", words=["nice"])
        self.usage("set", "--max-rate=1M", words=["id"])
        self.usage("set", "7", "--max-rate=fast", words=["--max-rate"])
        self.usage("set", "7", "--deadline=5", words=["--deadline"])
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
