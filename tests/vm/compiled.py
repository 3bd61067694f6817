# SPDX-License-Identifier: GPL-2.0
"""What a compiler makes of the module in the guests of a fresh Debian, for ccache
there: emulated it takes ten minutes each time that dkms builds. So the same is built
before, natively, in a tree of the guest's own image: with its compiler, its headers
and its paths. All else that dkms does is done in the guest, and so is what ccache misses."""

import shutil
import tempfile
from pathlib import Path

import package
from cache import HERE, cache_dir, digest, made_once, run
from debian import versions
from fresh import kernel_packages, root_image

# tests/vm/inside.sh and tests/deb/life.sh name it, too
CCACHE = "var/cache/ccache"
# All have the files of one image: their times and sizes tell whether they are the
# same, without reading a thousand headers for each object. That the compiler itself
# lists these headers saves a run of the preprocessor.
CCACHE_CONF = """\
sloppiness = file_stat_matches, file_stat_matches_ctime
depend_mode = true
"""
INSIDE = HERE / "inside.sh"


def tree(release, where, ready=None):
    """The image as a directory, for tests/vm/inside.sh to work in; with what is in
    that directory of ccache's."""
    run(["unsquashfs", "-q", "-n", "-no-xattrs", "-d", where, root_image(release)],
        cache_dir() / "log" / f"tree-{release}.log", f"unpacking a fresh {release}")
    if ready:
        shutil.copytree(ready, where / CCACHE)
    else:
        (where / CCACHE).mkdir()
        (where / CCACHE / "ccache.conf").write_text(CCACHE_CONF)


def kernel_upgrade(release):
    """The packages of an upgrade to another kernel, without those that the image
    has: another flavour's headers, whose common part is there."""
    abi = versions(release)["abi"]
    there = {path.name for path in kernel_packages(release, [(abi, "amd64")]).iterdir()}
    return [path for path in sorted(kernel_packages(release, [(abi, "cloud-amd64")]).iterdir())
            if path.name not in there]


def steps(release):
    """{step: packages} of what tests/deb/life.sh installs there, one after the other."""
    def ours(directory):
        return [path for path in directory.glob("*.deb") if "-dbgsym_" not in path.name]
    return {"first": ours(package.packages()), "next": ours(package.packages(of_next=True)),
            "kernel": kernel_upgrade(release)}


def objects(release):
    """A directory for ccache with all that the compiler makes in these steps."""
    packages = {step: [path for path in paths if not path.name.startswith("migd_")]
                for step, paths in steps(release).items()}
    root_image(release)     # so that its time is not taken for the compiler's

    def make(into):
        log = cache_dir() / "log" / f"compiled-{release}.log"
        log.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="migd-compiled-") as work:
            root = Path(work) / "root"
            tree(release, root)
            for step, paths in packages.items():
                (root / "srv" / step).mkdir()
                for path in paths:
                    shutil.copy(path, root / "srv" / step)
                run([INSIDE, root, "sh", "-c",
                     f"apt-get -q -y --no-install-recommends install /srv/{step}/*.deb"],
                    log, f"compiling the module for {release}, {step}")
            run([INSIDE, root, "ccache", "--zero-stats"], log)
            shutil.copytree(root / CCACHE, into, dirs_exist_ok=True)
    key = digest(root_image(release).parent.name, Path(__file__), INSIDE,
                 *[path for paths in packages.values() for path in paths])
    return made_once(f"compiled-{release}", key, make)
