# SPDX-License-Identifier: GPL-2.0
"""The Debian packages, built for the host from a clean export of the checkout:
what git has and would take, changes included, and nothing that lies about. But
not the tests: no package has them, so that a changed one needs no new packages."""

import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from cache import TOP, Failed, cache_dir, digest, made_once, output, run
from debian import codename


def git(*words, **options):
    return output(["git", "-C", TOP, *words], **options).strip()


def tree():
    """git's name of the checkout's content as it is now, without the tests."""
    index = TOP / git("rev-parse", "--git-path", "index")
    with tempfile.TemporaryDirectory() as work:
        mine = Path(work) / "index"
        shutil.copy2(index, mine)
        env = dict(os.environ, GIT_INDEX_FILE=str(mine))
        git("add", "--all", env=env)
        git("rm", "-r", "-q", "--cached", "tests", env=env)
        return git("write-tree", env=env)


def next_version(source):
    """Makes the sources there those of the version after theirs."""
    head = re.compile(r"^migd \((\d+\.\d+\.)(\d+)\)", re.M)
    log = source / "debian/changelog"
    major, minor = head.match(log.read_text()).groups()
    # static/version names the places
    for name in ("meson.build", "kmod/internal.h", "debian/changelog"):
        path = source / name
        before = path.read_text()
        after = before.replace(f"{major}{minor}", f"{major}{int(minor) + 1}", 1)
        if after == before:
            raise Failed(f"{name} does not name version {major}{minor}")
        path.write_text(after)


def packages(of_next=False):
    """The directory with the .deb files and their .changes; those of a version
    of which nothing but its number is new, to upgrade to."""
    name = tree()

    def make(into):
        log = cache_dir() / "log" / "package.log"
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="migd-package-") as work:
            archive, source = Path(work) / "source.tar", Path(work) / "migd"
            run(["git", "-C", TOP, "archive", "--output", archive, name], log)
            with tarfile.open(archive) as content:
                content.extractall(source)
            if of_next:
                next_version(source)
            # nobody measures or debugs those of the next version
            options = f"parallel={os.cpu_count()}{' noopt noautodbgsym' if of_next else ''}"
            env = dict(os.environ, DEB_BUILD_OPTIONS=options)
            run(["dpkg-buildpackage", "-us", "-uc", "-b"], log, "building the Debian packages",
                cwd=source, env=env)
            for path in [*Path(work).glob("*.deb"), *Path(work).glob("*.buildinfo"),
                         *Path(work).glob("*.changes")]:
                shutil.copy2(path, into)
    kind = "packages-next" if of_next else "packages"
    return made_once(kind, digest(kind, name, codename(), Path(__file__)), make)
