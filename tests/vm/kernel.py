# SPDX-License-Identifier: GPL-2.0
"""Kernels for the machines: Debian's own images and headers for amd64 and
arm64, and a debug kernel built from Debian's linux-source."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from cache import HERE, Failed, cache_dir, digest, made_once, output, run
from debian import SERIES, suffix, unpacked, versions

DEBUG_CONFIG = HERE / "debug.config"
DEBUG_OBJECTS = 1420    # compiled files of the debug kernel, for the progress line

# what an external module's build reads, from the source and the object tree
HEADER_SOURCES = """Makefile Kbuild include arch/x86/Makefile* arch/x86/include arch/x86/scripts
arch/x86/tools arch/x86/entry/syscalls scripts/Makefile* scripts/Kbuild.include scripts/*.sh
scripts/basic scripts/mod scripts/module-common.c scripts/module.lds.S scripts/subarch.include
scripts/checkpatch.pl scripts/check-local-export""".split()
HEADER_OBJECTS = """.config Module.symvers include/config include/generated
arch/x86/include/generated scripts/basic/fixdep scripts/mod/modpost scripts/mod/*.o
scripts/module.lds scripts/module-common.o tools/objtool/objtool""".split()


@dataclass(frozen=True)
class Kernel:
    release: str
    image: Path
    modules: Path           # .../lib/modules/RELEASE
    headers: Path | None    # the directory for make -C


def stock(arch, debian=""):
    """Debian's kernel, unpacked into the cache and not installed."""
    abi = versions(debian)["abi"]
    release = f"{abi}-{arch}"

    def finish(tree):
        # Debian 13's is in /usr/lib, where Debian 12's depmod does not look
        if not (tree / "lib").exists():
            (tree / "lib").symlink_to("usr/lib")
        run(["/sbin/depmod", "-b", tree, release], cache_dir() / "log" / "depmod.log")
    tree = unpacked(f"kernel{suffix(debian)}-{arch}", [f"linux-image-{release}:{arch}"], finish,
                    debian)
    # the tools of another release's headers may not run here
    headers = None if suffix(debian) else stock_headers(arch, abi)
    return Kernel(release, tree / "boot" / f"vmlinuz-{release}",
                  modules_of(tree, release), headers)


def modules_of(tree, release):
    for base in ("usr/lib", "lib"):
        path = tree / base / "modules" / release
        if path.is_dir():
            return path
    raise Failed(f"the package of kernel {release} has no modules")


def stock_headers(arch, abi):
    # scripts and tools run on the host, so linux-kbuild is amd64's for both
    tree = unpacked(f"headers-{arch}", [f"linux-headers-{abi}-{arch}:{arch}",
                                        f"linux-headers-{abi}-common:all",
                                        f"linux-kbuild-{abi}:amd64"])
    headers = tree / "usr/src" / f"linux-headers-{abi}-{arch}"
    makefile = headers / "Makefile"
    wanted = f"include {tree}/usr/src/linux-headers-{abi}-common/Makefile\n"
    if makefile.read_text() != wanted:
        makefile.write_text(wanted)
    return headers


def source():
    """The unpacked tree of linux-source at the same version."""
    version = versions()["source"]

    def make(into):
        deb = unpacked("source-package", [f"linux-source-{SERIES}={version}"])
        archive = deb / f"usr/src/linux-source-{SERIES}.tar.xz"
        run(["tar", "-xJf", archive, "-C", into, "--strip-components=1"],
            cache_dir() / "log" / "source.log", "unpacking linux-source")
        shutil.rmtree(deb)
    return made_once("source", re.sub(r"[^0-9A-Za-z.]+", "-", version), make)


def objects_done(log):
    """Progress of a kernel build, from the lines of its log."""
    def status():
        try:
            done = len(re.findall(rb"^  (?:CC|AS) ", log.read_bytes(), re.M))
        except OSError:
            return ""
        return f"{done} of about {DEBUG_OBJECTS} files compiled"
    return status


def debug():
    version = versions()["source"]
    key = digest(version, DEBUG_CONFIG, *HEADER_SOURCES, *HEADER_OBJECTS,
                 output(["gcc", "-dumpfullversion"]))

    def make(into):
        # the object tree has a name of its own: an interrupted build goes on
        objects = cache_dir() / "debug-objects"
        objects.mkdir(exist_ok=True)
        build_debug(source(), objects)
        install_debug(source(), objects, into)
        shutil.rmtree(objects)
    tree = made_once("kernel-debug", key, make)
    release = (tree / "release").read_text().strip()
    return Kernel(release, tree / "bzImage", modules_of(tree, release), tree / "headers")


def build_debug(tree, objects):
    log = cache_dir() / "log" / "debug-kernel.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    make = ["nice", "make", "-C", tree, f"O={objects}", "ARCH=x86_64"]
    wanted = [line for line in DEBUG_CONFIG.read_text().splitlines() if line.startswith("CONFIG_")]
    run([*make, f"KCONFIG_ALLCONFIG={DEBUG_CONFIG}", "allnoconfig"], log,
        "configuring the debug kernel")
    got = (objects / ".config").read_text().splitlines()
    lost = [line for line in wanted if line not in got]
    if lost:
        raise Failed(f"the debug kernel's configuration lost {', '.join(lost)}: "
                     f"a dependency in {DEBUG_CONFIG} is missing")
    run([*make, f"-j{os.cpu_count()}", "bzImage", "modules"], log,
        "building the debug kernel", objects_done(log))


def install_debug(tree, objects, into):
    log = cache_dir() / "log" / "debug-kernel.log"
    run(["make", "-C", tree, f"O={objects}", "ARCH=x86_64", f"INSTALL_MOD_PATH={into}",
         "modules_install"], log, "installing the debug kernel's modules")
    shutil.copy(objects / "arch/x86/boot/bzImage", into)
    shutil.copy(objects / "include/config/kernel.release", into / "release")
    headers = into / "headers"
    headers.mkdir()
    for base, patterns in ((tree, HEADER_SOURCES), (objects, HEADER_OBJECTS)):
        names = [str(path.relative_to(base)) for pattern in patterns
                 for path in base.glob(pattern)]
        run(["cp", "-a", "--parents", *names, headers], log, "collecting headers", cwd=base)
    modules = modules_of(into, (into / "release").read_text().strip())
    for link in ("build", "source"):
        (modules / link).unlink(missing_ok=True)


def headers(machine):
    """The kernel build directory (make -C) for a machine."""
    return debug().headers if machine.kernel == "debug" else stock_headers(
        machine.arch, versions()["abi"])


def find(machine):
    return debug() if machine.kernel == "debug" else stock(machine.arch, machine.debian)
