# SPDX-License-Identifier: GPL-2.0
"""Builds what a machine runs: the module and the test engine against its
kernel, the daemon, the tools and the tests for its architecture, and puts
them into a payload directory. Works on a copy: the checkout stays clean."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import compiled
import image
import kernel
from cache import TOP, cache_dir, digest, forget_unused, locked, run

# products of kbuild in the copied tree, which the next copy must not delete
KBUILD_PRODUCTS = ("*.o", "*.ko", "*.mod", "*.mod.c", ".*.cmd", "*.a", "modules.order",
                   "Module.symvers", ".module-common.o", ".tmp_*")
GUEST_TESTS = "usr/lib/migd/tests"
NOT_IN_GUEST = ("vm", "engine", "static")


@dataclass
class Build:
    dir: Path
    log: Path
    payload: Path

    @property
    def source(self):
        return self.dir / "source"


def copy_sources(into):
    """The checkout as it is now, with modification times, so that make and
    ninja rebuild only what changed."""
    into.mkdir(parents=True, exist_ok=True)
    run(["rsync", "-a", "--delete", "--exclude=/.git", "--exclude=__pycache__",
         *[f"--exclude={pattern}" for pattern in KBUILD_PRODUCTS], f"{TOP}/", f"{into}/"],
        cache_dir() / "log" / "copy.log")


def make_module(build, headers, directory, *more):
    run(["make", "-C", headers, f"M={build.source / directory}", *more,
         f"-j{os.cpu_count()}", "modules"], build.log, f"building {directory}")
    return sorted((build.source / directory).glob("*.ko"))


def make_engine(build, one, headers):
    """The DMA engine's driver: ours for the LSI, the kernel's own on arm64."""
    if one.arch == "amd64":
        return make_module(build, headers, "tests/engine")
    out = build.dir / "zynqmp"
    run([build.source / "tests/engine/zynqmp.sh", headers, kernel.source(), out], build.log,
        "building zynqmp_dma")
    return [out / "zynqmp_dma.ko"]


def make_selftest(build, one):
    """The kernel's own test of migration, for those machines that run it."""
    if one.arch != "amd64":
        return
    out = build.dir / "selftest"
    run([build.source / "tests/fault/others/selftest-build.sh", kernel.source(), out], build.log,
        "building selftests/mm/migration")
    there = build.payload / GUEST_TESTS / "fault/others"
    there.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / "selftest-migration", there)


def make_user_space(build, one):
    """meson setup, compile, install into the payload."""
    tree = build.dir / ("meson-asan" if one.sanitize else "meson")
    if not (tree / "build.ninja").exists():
        shutil.rmtree(tree, ignore_errors=True)
        options = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", "-Dkmod=disabled",
                   "-Dtests=true", "--werror", "--buildtype=debugoptimized"]
        if one.sanitize:
            options += ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
        if image.cross_file(one.arch):
            options += ["--cross-file", image.cross_file(one.arch)]
        run(["meson", "setup", *options, tree, build.source], build.log, "configuring user space")
    run(["ninja", "-C", tree], build.log, f"building user space for {one.name}")
    run(["meson", "install", "-C", tree, "--no-rebuild", "--destdir", build.payload], build.log)
    if one.sanitize:
        allow_leak_check(build.payload)


def allow_leak_check(payload):
    """LeakSanitizer stops the threads with ptrace(2) when the daemon exits;
    the unit's system call filter would make that an exit with failure."""
    drop_in = payload / "etc/systemd/system/migd.service.d/sanitizers.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nSystemCallFilter=ptrace\n")


def guest_tests(top=TOP):
    """(name, path, header) of the executables under tests/ that declare their
    machines in a comment line."""
    found = []
    for path in sorted((top / "tests").rglob("*")):
        relative = path.relative_to(top / "tests")
        if (len(relative.parts) < 2 or relative.parts[0] in NOT_IN_GUEST or not path.is_file()
                or not os.access(path, os.X_OK)):
            continue
        header = read_header(path)
        if header.get("machines"):
            found.append((str(relative.with_suffix("")), path, header))
    return found


def read_header(path):
    """The `# key: value` lines in the first comment block of a script."""
    header = {}
    for line in path.read_bytes()[:4096].decode(errors="replace").splitlines():
        if not line.startswith("#"):
            break
        key, colon, value = line.lstrip("# ").partition(":")
        if colon and " " not in key:
            header[key] = value.strip()
    return header


def copy_tests(build, wanted=""):
    """Those of a folder below tests/, or all."""
    for name, path, _ in guest_tests(build.source):
        if name.startswith(wanted):
            there = build.payload / GUEST_TESTS / path.relative_to(build.source / "tests")
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, there)
    shutil.copy2(build.source / "tests/lib.sh", build.payload / GUEST_TESTS)


def build_packages(one):
    """For a machine that has nothing of ours: the packages to install and to upgrade
    to, what debian/tests has for a machine that has installed them, and what spares
    that machine's compiler."""
    work = cache_dir() / f"build-{one.name}-{digest(TOP.as_posix())}"
    work.mkdir(exist_ok=True)
    os.utime(work)
    forget_unused(f"build-{one.name}", work)
    result = Build(work, cache_dir() / "log" / f"build-{one.name}.log", work / "payload")
    with locked(f"build-{one.name}"):
        copy_sources(result.source)
        shutil.rmtree(result.payload, ignore_errors=True)
        copy_tests(result, "deb/")
        there = result.payload / GUEST_TESTS / "deb"
        shutil.copytree(result.source / "debian/tests", there / "tests")
        for step, paths in compiled.steps(one.debian).items():
            (there / step).mkdir()
            for path in paths:
                shutil.copy(path, there / step)
        shutil.copytree(compiled.objects(one.debian), result.payload / compiled.CCACHE)
    return result


def build(one):
    """Build everything for a machine; the Build with its payload."""
    if one.debian:
        return build_packages(one)
    headers = kernel.headers(one)
    name = one.name.removesuffix("-iommu").removesuffix("-mte")     # the same kernel
    # meson keeps the options, the cross file and so the sysroot that it was set up with
    setup = (Path(__file__), image.cross_file(one.arch) or "")
    work = cache_dir() / f"build-{name}-{digest(headers.as_posix(), TOP.as_posix(), *setup)}"
    work.mkdir(exist_ok=True)
    os.utime(work)
    forget_unused(f"build-{name}", work)
    result = Build(work, cache_dir() / "log" / f"build-{one.name}.log",
                   work / f"payload-{one.name}")    # another lane's guest may boot from its own
    with locked(f"build-{name}"):
        result.log.parent.mkdir(exist_ok=True)
        result.log.unlink(missing_ok=True)
        copy_sources(result.source)
        shutil.rmtree(result.payload, ignore_errors=True)
        result.payload.mkdir()
        modules = []
        if (result.source / "kmod/Kbuild").exists():
            modules += make_module(result, headers, "kmod")
        modules += make_engine(result, one, headers)
        if (result.source / "meson.build").exists():
            make_user_space(result, one)
        make_selftest(result, one)
        release = kernel.find(one).release
        extra = result.payload / "usr/lib/modules" / release / "extra"
        extra.mkdir(parents=True)
        for module in modules:
            shutil.copy(module, extra)
        copy_tests(result)
    return result
