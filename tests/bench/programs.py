# SPDX-License-Identifier: GPL-2.0
"""The C programs that the benchmark brings into the guest."""

import image
from cache import TOP, cache_dir, digest, made_once, run

FLAGS = ["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]


def compiled(arch, name, sources, libraries=(), static=False):
    """The program NAME made from these files of the checkout, for ARCH."""
    paths = [TOP / source for source in sources]
    headers = sorted({path for source in paths for path in source.parent.glob("*.h")})
    root = image.sysroot(arch)
    flags = [*FLAGS, *(["-static"] if static else [f"--sysroot={root}"])]

    def make(into):
        run([f"{image.TRIPLET[arch]}-gcc", *flags, *paths, "-o", into / name,
             *[f"-l{library}" for library in libraries]],
            cache_dir() / "log" / f"{name}-{arch}.log", f"building {name} for {arch}")
    key = digest(*flags, *libraries, *paths, *headers)
    return made_once(f"{name}-{arch}", key, make) / name


def bench(arch):
    """(the benchmark, the process that it moves)."""
    sources = ["main.c", "process.c", "idle.c", "syscalls.c", "bus.c", "share.c"]
    return (compiled(arch, "migd-bench", [f"tests/bench/{name}" for name in sources], ["systemd"]),
            compiled(arch, "migd-bench-target", ["tests/bench/target.c"], static=True))
