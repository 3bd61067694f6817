# SPDX-License-Identifier: GPL-2.0
"""Debian as somebody has it who is about to install the packages: a release
with a 6.12 kernel, the headers of that kernel, dkms and its compiler. There is
no network in a guest, so what else they depend on is in an archive on it."""

import re
import shutil
from pathlib import Path

from cache import HERE, TOP, cache_dir, digest, locked, made_once, output, run
from debian import Apt, suffix, versions
from image import mmdebstrap, squash, word_list

RELEASES = ("bookworm", "trixie")
ARCHIVE = "/srv/archive"
# The driver of the machine's DMA engine, built on the way for the release's kernel
ENGINE = "/usr/lib/migd-engine/migd_lsi.ko"
ENGINE_SOURCES = TOP / "tests/engine"

HEADERS = re.compile(r"linux-headers-(\d+\.\d+\.\S*?)-((?:cloud-|rt-)?amd64)")
# what is beside them in the archive, and the kernel itself
BESIDE = re.compile(r"linux-(?:headers|kbuild|compiler)-[^\s,]+")
KERNEL = re.compile(r"(linux-image-\S+) \(= (\S+)\)")


def kernels(release, every=False):
    """(ABI, flavour) of the kernels whose headers the release offers: of each
    series and flavour the newest, or every one."""
    versions(release)       # with a cold cache, this reads the package lists
    apt = Apt(release)
    found = []
    for name in apt.search("^linux-headers-"):
        match = HEADERS.fullmatch(name)
        if match:
            found.append(match.groups())
    found.sort(key=lambda one: ([int(number) for number in re.findall(r"\d+", one[0])], one[1]))
    if every:
        return found
    return list({(*abi.split(".")[:2], flavour): (abi, flavour)
                 for abi, flavour in found}.values())


def kernel_packages(release, chosen):
    """A directory with the headers of these kernels and all that belongs to
    them but the kernels themselves, for which there are packages without content:
    nobody boots them, and each is 100 MB."""
    names = [f"linux-headers-{abi}-{flavour}" for abi, flavour in chosen]

    def make(into):
        with locked("apt"):
            apt = Apt(release)
            wanted = set(names)
            for name in names:
                depends = apt.field(name, "Depends")
                wanted.update(BESIDE.findall(depends))
                kernel = KERNEL.search(depends)
                if kernel:
                    empty_package(into, *kernel.groups())
            apt.download(sorted(wanted), into)
    return made_once(f"kernel-packages{suffix(release)}", digest(release, *names), make)


def empty_package(into, name, version):
    tree = into / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
        "Maintainer: nobody <nobody@example.org>\n"
        "Description: stands for a kernel that nobody boots\n")
    run(["dpkg-deb", "--root-owner-group", "--build", tree, into],
        cache_dir() / "log" / "apt.log")
    shutil.rmtree(tree)


def archive(release, packages, into):
    """These packages with an index, as apt reads it."""
    into.mkdir()
    with locked("apt"):
        Apt(release).download(packages, into)
    (into / "Packages").write_text(output(["dpkg-scanpackages", "."], cwd=into))


def root_image(release):
    """As image.root_image(), with nothing left out."""
    packages = word_list(HERE / "guest-packages.fresh")
    further = word_list(HERE / "guest-packages.archive")
    abi = versions(release)["abi"]

    def make(into):
        archive(release, further, into / "archive")
        headers = kernel_packages(release, [(abi, "amd64")])
        hooks = [f"--customize-hook={line}" for line in (
            f"cp -r {headers} \"$1\"/tmp/kernel",
            "chroot \"$1\" sh -c 'apt-get -q -y --no-install-recommends install /tmp/kernel/*.deb'",
            f"cp -r {ENGINE_SOURCES} \"$1\"/tmp/engine",
            f"chroot \"$1\" make -C /lib/modules/{abi}-amd64/build M=/tmp/engine modules",
            f"install -D -m 0644 \"$1\"/tmp/engine/migd_lsi.ko \"$1\"{ENGINE}",
            "rm -r \"$1\"/tmp/kernel \"$1\"/tmp/engine",
            f"cp -r {into}/archive \"$1\"{ARCHIVE}",
            "rm -f \"$1\"/etc/apt/sources.list.d/*",
            f"echo 'deb [trusted=yes] file:{ARCHIVE} ./' >\"$1\"/etc/apt/sources.list")]
        mmdebstrap("amd64", "minbase", packages, into / "root.tar",
                   f"making the root image of a fresh {release}", (), hooks, release)
        squash(into, release)
        shutil.rmtree(into / "archive")
    key = digest(release, abi, Path(__file__), *packages, *further,
                 *sorted(ENGINE_SOURCES.glob("*.[ch]")), ENGINE_SOURCES / "Kbuild")
    return made_once(f"root-fresh-{release}", key, make) / "root.squashfs"
