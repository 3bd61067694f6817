# SPDX-License-Identifier: GPL-2.0
"""The Debian packages, built for the host from a clean export of the checkout:
what git has and would take, changes included, and nothing that lies about."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from cache import TOP, cache_dir, digest, made_once, output, run
from debian import codename


def git(*words, **options):
    return output(["git", "-C", TOP, *words], **options).strip()


def tree():
    """git's name of the checkout's content as it is now."""
    index = TOP / git("rev-parse", "--git-path", "index")
    with tempfile.TemporaryDirectory() as work:
        mine = Path(work) / "index"
        shutil.copy2(index, mine)
        env = dict(os.environ, GIT_INDEX_FILE=str(mine))
        git("add", "--all", env=env)
        return git("write-tree", env=env)


def packages():
    """The directory with the .deb files and their .changes."""
    name = tree()

    def make(into):
        log = cache_dir() / "log" / "package.log"
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="migd-package-") as work:
            archive, source = Path(work) / "source.tar", Path(work) / "migd"
            run(["git", "-C", TOP, "archive", "--output", archive, name], log)
            with tarfile.open(archive) as content:
                content.extractall(source)
            env = dict(os.environ, DEB_BUILD_OPTIONS=f"parallel={os.cpu_count()}")
            run(["dpkg-buildpackage", "-us", "-uc", "-b"], log, "building the Debian packages",
                cwd=source, env=env)
            for path in [*Path(work).glob("*.deb"), *Path(work).glob("*.buildinfo"),
                         *Path(work).glob("*.changes")]:
                shutil.copy2(path, into)
    return made_once("packages", digest(name, codename()), make)
