# SPDX-License-Identifier: GPL-2.0
"""Debian's archive: a private apt that knows amd64 and arm64, so that the
system's own dpkg architectures stay as they are. Follows the mirrors and the
release that the host is configured with; another release is asked for by its
codename, and comes from the same mirrors."""

import json
import time

from cache import Failed, cache_dir, digest, locked, made_once, output, run, say

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
REFRESH_DAYS = 7
SERIES = "6.12"

CONFIG = """\
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; "arm64"; }};
#clear Dir::Etc::sourceparts;
Dir::State "{dir}/state";
Dir::State::status "{dir}/status";
Dir::Cache "{dir}/cache";
Dir::Etc::sourcelist "{dir}/sources.list";
Dir::Etc::sourceparts "{dir}/sources.list.d";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User "root";
"""


def codename():
    for line in open("/etc/os-release", encoding="utf-8"):
        if line.startswith("VERSION_CODENAME="):
            return line.split("=")[1].strip().strip('"')
    return "bookworm"


def suffix(release):
    """Of what is another release's than the host's in the cache."""
    return "" if release in ("", codename()) else f"-{release}"


def sources(release=""):
    """sources.list lines for the host's own Debian mirrors."""
    listing = output(["apt-get", "indextargets", "--format",
                      "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"])
    lines = []
    for line in listing.splitlines():
        origin, uri, suite, component = line.split("|")
        suite = suite.replace(codename(), release or codename())
        text = f"deb [signed-by={KEYRING}] {uri} {suite} {component}"
        if origin == "Debian" and component == "main" and text not in lines:
            lines.append(text)
    if not lines:
        raise Failed("apt on this machine has no Debian mirror: run 'apt-get update' first, "
                     "with the Debian 12 main, updates and security archives configured.")
    return lines


class Apt:
    def __init__(self, release=""):
        self.dir = cache_dir() / f"apt{suffix(release)}"
        self.log = cache_dir() / "log" / "apt.log"
        self.env = None
        for sub in ("state/lists/partial", "cache/archives/partial", "sources.list.d"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / "status").touch()
        (self.dir / "sources.list").write_text("\n".join(sources(release)) + "\n")
        config = self.dir / "apt.conf"
        config.write_text(CONFIG.format(dir=self.dir))
        import os
        self.env = dict(os.environ, APT_CONFIG=str(config))

    def update(self):
        run(["apt-get", "-q", "update"], self.log, "reading Debian's package lists", env=self.env)

    def field(self, package, name):
        """A field of the newest version of a package."""
        text = output(["apt-cache", "show", "--no-all-versions", package], env=self.env)
        for line in text.splitlines():
            if line.startswith(name + ": "):
                return line[len(name) + 2:]
        raise Failed(f"the package {package} has no field {name}")

    def search(self, pattern):
        """Packages whose name this regular expression finds."""
        lines = output(["apt-cache", "search", "--names-only", pattern], env=self.env)
        return [line.split()[0] for line in lines.splitlines()]

    def download(self, packages, into):
        names = [word.split("=")[0] for word in packages]
        more = f" and {len(names) - 3} more packages" if len(names) > 4 else ""
        run(["apt-get", "-q", "download", *packages], self.log,
            "downloading " + " ".join(names[:3] if more else names) + more,
            cwd=into, env=self.env)


def versions(release=""):
    """{"source": version of linux-source, "abi": release without flavour}:
    the newest of the series, asked for once a week."""
    stamp = cache_dir() / f"kernel-version{suffix(release)}.json"
    with locked("apt"):
        if stamp.exists() and time.time() - stamp.stat().st_mtime < REFRESH_DAYS * 86400:
            return json.loads(stamp.read_text())
        apt = Apt(release)
        try:
            apt.update()
            # the name without a series is that of a release's first one
            series = f"-{SERIES}" if (release or codename()) == "bookworm" else ""
            depends = apt.field(f"linux-image{series}-amd64", "Depends").split()[0]
            found = {"source": apt.field(f"linux-source-{SERIES}", "Version"),
                     "abi": depends.removeprefix("linux-image-").removesuffix("-amd64")}
        except Failed:
            if stamp.exists():
                say("debian: no answer from the archive, staying with the known kernel version")
                return json.loads(stamp.read_text())
            raise
        stamp.write_text(json.dumps(found) + "\n")
        return found


def unpacked(name, packages, finish=lambda tree: None, release=""):
    """Cached directory with the contents of these packages (name:arch=version
    allowed), nothing configured; finish(tree) completes it."""
    def make(into):
        with locked("apt"):
            Apt(release).download(packages, into)
        for deb in sorted(into.glob("*.deb")):
            run(["dpkg-deb", "-x", deb, into], cache_dir() / "log" / "apt.log",
                f"unpacking {deb.name}")
            deb.unlink()
        finish(into)
    return made_once(name, digest(*packages), make)


def promtool():
    """The directory of promtool; to install its package would start a server."""
    versions()      # with a cold cache, this reads the package lists
    return unpacked("promtool", ["prometheus"]) / "usr/bin"
