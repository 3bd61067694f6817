# SPDX-License-Identifier: GPL-2.0
"""The machines: QEMU command lines, accelerator, device tree."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import fresh
import image
import kernel
from cache import Failed, cache_dir, digest, made_once, output, run, say

NODE_BYTES = 1 << 30    # memory of node 0 and of node 1; together below 4 GiB
LSI_DEVICES = 4


@dataclass(frozen=True)
class Machine:
    name: str
    arch: str
    kernel: str = "stock"
    iommu: bool = False
    sanitize: bool = False      # daemon and tools with ASan and UBSan
    tags: bool = False          # memory tags (MTE); a machine without a DMA engine
    debian: str = ""            # this release as it is after its installation, and no payload built
    boot_seconds: int = 60      # generous: a loaded host is slow

    @property
    def description(self):
        kind = {"stock": "Debian's 6.12 kernel", "debug": "debug kernel"}[self.kernel]
        if self.tags:
            engine = "no DMA engine, memory tags"
        elif self.arch == "arm64":
            engine = "ZynqMP ADMA, 8 channels"
        else:
            engine = f"{LSI_DEVICES} LSI 53C895A"
        if self.debian:
            kind = f"fresh {self.debian} with its 6.12 kernel"
        return (f"{self.arch}, {kind}, {engine}{', intel-iommu' if self.iommu else ''}"
                f"{', user space with ASan and UBSan' if self.sanitize else ''}")


MACHINES = {machine.name: machine for machine in (
    Machine("amd64", "amd64", boot_seconds=120),
    # not the debug kernel, where a daemon with ASan takes half a minute to start
    Machine("amd64-iommu", "amd64", iommu=True, sanitize=True, boot_seconds=120),
    Machine("amd64-debug", "amd64", kernel="debug", boot_seconds=300),
    Machine("arm64", "arm64", boot_seconds=180),
    Machine("arm64-mte", "arm64", tags=True, boot_seconds=180),
    Machine("deb12", "amd64", debian="bookworm", boot_seconds=180),
    Machine("deb13", "amd64", debian="trixie", boot_seconds=180),
)}


def find(name):
    if name not in MACHINES:
        raise Failed(f"there is no machine '{name}'; there are {', '.join(MACHINES)}.")
    return MACHINES[name]


def accelerator(arch):
    """(name, reason): kvm only when a tiny guest really boots under it."""
    if arch != "amd64":
        return "tcg", "the guest's architecture is not the host's"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "no usable /dev/kvm"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def probe(into):
        (into / "result").write_text("kvm" if kvm_boots() else "tcg")
    found = (made_once("accelerator", digest(boot), probe) / "result").read_text()
    if found == "kvm":
        return "kvm", "a probe guest booted under it"
    return "tcg", "/dev/kvm exists, but a probe guest did not boot under it"


def qemu_version(arch):
    """(major, minor)"""
    name = {"amd64": "x86_64", "arm64": "aarch64"}[arch]
    first = output([f"qemu-system-{name}", "--version"]).split()[3]
    return tuple(int(part) for part in first.split(".")[:2])


def kvm_boots():
    """Does a kernel reach its init? An init that powers off is enough."""
    stock = kernel.stock("amd64")
    command = ["qemu-system-x86_64", "-M", "q35", "-accel", "kvm", "-cpu", "max", "-m", "512M",
               "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
               "-kernel", stock.image, "-initrd", image.initramfs(stock, "amd64"),
               "-append", "console=ttyS0 panic=-1"]
    try:
        result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return False
    # without disks our init says so and powers off
    return b"initramfs: no disk" in result.stdout


def device_tree():
    """QEMU's own tree of xlnx-versal-virt with two nodes of memory. QEMU
    replaces nodes named memory*, Linux looks at device_type only; a node that
    only the distance map names exists without memory (node 2)."""
    version = output(["qemu-system-aarch64", "--version"]).splitlines()[0]

    def make(into):
        log = cache_dir() / "log" / "device-tree.log"
        raw, tree = into / "raw.dtb", into / "machine.dtb"
        # with a -kernel, or there is only one CPU in it
        run(["qemu-system-aarch64", "-M", f"xlnx-versal-virt,dumpdtb={raw}", "-smp", "4",
             "-m", str(2 * NODE_BYTES >> 20), "-display", "none", "-serial", "null",
             "-nic", "none", "-kernel", kernel.stock("arm64").image], log)
        # drops the NOP tags that fdtput stumbles over
        run(["dtc", "-q", "-I", "dtb", "-O", "dtb", "-o", tree, raw], log)

        def put(node, name, *values, kind="x"):
            run(["fdtput", "-t", kind, tree, node, name, *values], log)
        names = output(["fdtget", "-l", tree, "/"]).split()
        for name in names:
            if name.startswith("memory@"):
                run(["fdtput", "-r", tree, f"/{name}"], log)
        for nid in (0, 1):
            start = f"{nid * NODE_BYTES:x}"
            node = f"/ram@{start}"
            run(["fdtput", "-c", tree, node], log)
            put(node, "device_type", "memory", kind="s")
            put(node, "reg", "0", start, "0", f"{NODE_BYTES:x}")
            put(node, "numa-node-id", str(nid))
        # without a seed the first getrandom(2) takes 20 s
        put("/chosen", "rng-seed", *[f"{byte:x}" for byte in os.urandom(64)], kind="bx")
        run(["fdtput", "-c", tree, "/distance-map"], log)
        put("/distance-map", "compatible", "numa-distance-map-v1", kind="s")
        put("/distance-map", "distance-matrix",
            *[word for a in range(3) for b in range(3)
              for word in (str(a), str(b), "a" if a == b else "14")])
        for name in output(["fdtget", "-l", tree, "/cpus"]).split():
            if name.startswith("cpu@"):
                put(f"/cpus/{name}", "numa-node-id", "0")
        engines = sorted(name for name in names if name.startswith("dma@"))
        for index, name in enumerate(engines):
            put(f"/{name}", "numa-node-id", str(2 * index // len(engines)))
            run(["fdtput", tree, f"/{name}", "dma-coherent"], log)
    key = digest(version, kernel.stock("arm64").release, Path(__file__))
    return made_once("device-tree", key, make) / "machine.dtb"


def root_image(machine):
    return fresh.root_image(machine.debian) if machine.debian else image.root_image(machine.arch)


def kernel_arguments(machine, icount):
    words = ["loglevel=5", "oops=panic", "panic=-1", "log_buf_len=4M", "systemd.show_status=false"]
    words.append("console=ttyS0" if machine.arch == "amd64" else "console=ttyAMA0")
    if machine.arch == "amd64":
        words.append("tsc=reliable")
    # QEMU keeps its translations by virtual and physical address: processes that each
    # have libc elsewhere leave thousands of them on its pages. When such a page has been
    # moved, the first stores into the old one walk them all, and a CPU that clears it
    # stops for half a minute.
    words.append("norandmaps")
    words.append(f"maxcpus={1 if icount else 2}")
    # to switch it off later patches the scheduler's code, and an emulated CPU
    # that runs that code at the time may take the patch's int3 for an error
    words.append("numa_balancing=disable")
    if machine.iommu:
        words += ["intel_iommu=on", "iommu=nopt"]
    if machine.kernel == "debug":
        words += ["panic_on_warn=1", "kasan.fault=panic"]
    return " ".join(words)


def amd64_hardware(machine, icount):
    cpus = 1 if icount else 2
    # Without erms: the emulation of `rep movsb` takes an interrupt between any two
    # bytes. On a loaded host, where a tick takes longer than the time to the next
    # one, a CPU that clears or copies a page got no further than a byte per tick.
    words = ["qemu-system-x86_64", "-M", "q35" + (",kernel-irqchip=split" if machine.iommu else ""),
             "-cpu", "max,la57=off,-erms,-fsrm",
             "-smp", str(cpus + 2), "-m", f"{2 * NODE_BYTES >> 20}"]
    for nid in (0, 1):
        words += ["-object", f"memory-backend-ram,id=ram{nid},size={NODE_BYTES}"]
    # Two more CPUs, which maxcpus= leaves offline: the one of node 2 brings a
    # node without memory online, the one of node 1 keeps Linux from numbering
    # the nodes otherwise (it takes those of CPUs first).
    words += ["-numa", "node,nodeid=0,memdev=ram0," +
              ",".join(f"cpus={cpu}" for cpu in range(cpus)),
              "-numa", f"node,nodeid=1,memdev=ram1,cpus={cpus}",
              "-numa", f"node,nodeid=2,cpus={cpus + 1}",
              "-numa", "dist,src=0,dst=1,val=20", "-numa", "dist,src=0,dst=2,val=20",
              "-numa", "dist,src=1,dst=2,val=20"]
    if machine.iommu:
        words += ["-device", "intel-iommu"]
    # on pcie.0: behind a bridge the interrupt pin does not arrive
    for _ in range(LSI_DEVICES):
        words += ["-device", "lsi53c895a"]
    return words


def arm64_hardware(icount):
    # 4 of them, two are R5: Linux sees two A72
    return ["qemu-system-aarch64", "-M", "xlnx-versal-virt", "-smp", "4",
            "-m", f"{2 * NODE_BYTES >> 20}", "-dtb", device_tree()]


def arm64_tags_hardware(icount):
    """Its CPUs have memory tags, which no machine with an engine has."""
    cpus = 1 if icount else 2
    # pointer authentication by QEMU's own cheap algorithm: the architected one
    # is half of all instructions' time under emulation
    words = ["qemu-system-aarch64", "-M", "virt,mte=on", "-cpu", "max,pauth-impdef=on",
             "-smp", str(cpus), "-m", f"{2 * NODE_BYTES >> 20}"]
    for nid in (0, 1):
        words += ["-object", f"memory-backend-ram,id=ram{nid},size={NODE_BYTES}"]
    # node 2 is in the distance map only
    return words + ["-numa", f"node,nodeid=0,memdev=ram0,cpus=0-{cpus - 1}",
                    "-numa", "node,nodeid=1,memdev=ram1", "-numa", "node,nodeid=2",
                    "-numa", "dist,src=0,dst=1,val=20", "-numa", "dist,src=0,dst=2,val=20",
                    "-numa", "dist,src=1,dst=2,val=20"]


def command_line(machine, kern, disk, run_dir, icount):
    """The QEMU command; sockets and console log are in run_dir."""
    if machine.arch == "amd64":
        accel, bus = accelerator("amd64")[0], "pci"
        words = amd64_hardware(machine, icount)
    else:
        accel, bus = "tcg", "device"
        words = arm64_tags_hardware(icount) if machine.tags else arm64_hardware(icount)
    if icount:
        words += ["-accel", "tcg", "-icount", "shift=0,sleep=off"]
    else:
        words += ["-accel", "kvm" if accel == "kvm" else "tcg,thread=multi"]
    root = root_image(machine)
    words += ["-nodefaults"] if machine.arch == "amd64" else ["-nic", "none", "-monitor", "none"]
    for path, serial in ((root, "root"), (disk, "payload")):
        words += ["-drive", f"file={path},if=none,id={serial},format=raw,readonly=on",
                  "-device", f"virtio-blk-{bus},drive={serial},serial={serial}"]
    words += ["-device", f"virtio-serial-{bus}",
              "-chardev", f"socket,id=agent,path={run_dir}/agent,server=on,wait=off",
              "-device", "virtserialport,chardev=agent,name=org.migd1.agent",
              "-display", "none", "-no-reboot", "-serial", f"file:{run_dir}/console.log",
              "-kernel", kern.image, "-initrd", image.initramfs(kern, machine.arch),
              "-append", kernel_arguments(machine, icount)]
    return [str(word) for word in words]




def explain(machine, icount):
    """One line: what this machine is and how it runs."""
    accel, reason = accelerator(machine.arch)
    if icount:
        accel, reason = "tcg", "-icount counts guest instructions"
    say(f"vm: {machine.name}: {machine.description}; accelerator {accel} ({reason})")
