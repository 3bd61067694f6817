// SPDX-License-Identifier: GPL-2.0
/* Tests of the checks of migctl doctor, on trees of files and what a daemon might say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "test-tree.h"
#include "text.h"

static struct doctor d;
static struct finding f;

#define CHECK(x)	tree_check(x, #x, __LINE__, f.text)

/* The check says this level, with words in its text or its fix. */
#define SAYS(run, want, words) do {					\
	examine(run);							\
	CHECK(f.level == (want));					\
	CHECK(strstr(f.text, words) || strstr(f.fix, words));		\
	CHECK((f.level == DOCTOR_OK) == !f.fix[0]);			\
} while (0)

static void examine(void (*run)(const struct doctor *d, struct finding *f))
{
	f = (struct finding){ };
	run(&d, &f);
}

static void kernel(const char *release)
{
	char line[128];

	snprintf(line, sizeof(line), "%s\n", release);
	put("/proc/sys/kernel/osrelease", line);
}

static void machine(void)
{
	kernel(KERNEL_TESTED ".9");
	put("/sys/devices/system/node/has_memory", "0-1\n");
	put("/proc/self/status", "Name:\tx\nMems_allowed_list:\t0-1\n");
	put("/proc/self/cgroup", "0::/user.slice\n");
	put("/proc/sys/kernel/numa_balancing", "0\n");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("/sys/devices/virtual/memory_tiering/memory_tier4/nodelist", "0-1\n");
	put("/sys/devices/virtual/memory_tiering/uevent", "");
	put("/sys/kernel/mm/numa/demotion_enabled", "false\n");
}

static void test_kernel(void)
{
	SAYS(doctor_kernel, DOCTOR_OK, KERNEL_TESTED ".9");
	kernel("6.1.0-43-amd64");
	SAYS(doctor_kernel, DOCTOR_FAIL, "older than " KERNEL_MIN);
	kernel("9.0.1");
	SAYS(doctor_kernel, DOCTOR_WARN, "not of the series");
	kernel(KERNEL_TESTED ".9");
	put("/boot/config-" KERNEL_TESTED ".9",
	    "CONFIG_NUMA=y\nCONFIG_MIGRATION=y\n# CONFIG_DEVICE_MIGRATION is not set\nCONFIG_IO_URING=y\nCONFIG_DMA_ENGINE=y\nCONFIG_MODULES=y\n");
	SAYS(doctor_kernel, DOCTOR_FAIL, "without CONFIG_DEVICE_MIGRATION");
	put_away("/boot/config-" KERNEL_TESTED ".9");
	put_away("/proc/sys/kernel/osrelease");
	SAYS(doctor_kernel, DOCTOR_FAIL, "osrelease");
	kernel(KERNEL_TESTED ".9");
}

static void test_io_uring(void)
{
	SAYS(doctor_io_uring, DOCTOR_OK, "not restricted");
	put("/proc/sys/kernel/io_uring_disabled", "1\n");
	SAYS(doctor_io_uring, DOCTOR_WARN, "io_uring_group");
	put("/proc/sys/kernel/io_uring_disabled", "2\n");
	SAYS(doctor_io_uring, DOCTOR_FAIL, "sysctl kernel.io_uring_disabled=0");
	put("/proc/sys/kernel/io_uring_disabled", "0\n");
	SAYS(doctor_io_uring, DOCTOR_OK, "not restricted");
}

#define DEP	"/lib/modules/" KERNEL_TESTED ".9/modules.dep"
#define FILE_OF	"/lib/modules/" KERNEL_TESTED ".9/updates/dkms/migd.ko"

static void test_module(void)
{
	SAYS(doctor_module, DOCTOR_FAIL, "neither loaded nor installed");
	put(DEP, "kernel/drivers/notmigd.ko: x.ko\nkernel/migdx.ko:\n");
	SAYS(doctor_module, DOCTOR_FAIL, "dkms autoinstall -k " KERNEL_TESTED ".9");
	put(DEP, "kernel/drivers/notmigd.ko: x.ko\nupdates/dkms/migd.ko: x.ko\n");
	SAYS(doctor_module, DOCTOR_WARN, FILE_OF " is installed, but not loaded");
	d.running = true;
	SAYS(doctor_module, DOCTOR_FAIL, "modprobe migd");
	d.running = false;
	put("/sys/module/migd/version", "0.1.0\n");
	SAYS(doctor_module, DOCTOR_OK, "migd 0.1.0 is loaded");
	put_away(DEP);
	SAYS(doctor_module, DOCTOR_WARN, "not installed for kernel");
	put_away("/sys/module/migd/version");
}

#define EFIVARS	"/sys/firmware/efi/efivars/"
#define VARIABLE EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOCKDOWN "/sys/kernel/security/lockdown"

static void test_signature(void)
{
	static const char unsigned_file[] = "\177ELF, and longer than the mark that is not here";
#define KEY(name)	"1a2b I------ 1 perm 1f030000 0 0 asymmetri " name ": 1d: X509.rsa 1d []\n"
	static const char key[] = KEY("Debian CA");
	static const char both_keys[] = KEY("Debian CA") KEY("DKMS module signing key");
	static const char dkms_file[] =
		"\177ELF 0\"DKMS module signing key 0~Module signature appended~\n";
	static const char signed_file[] = "\177ELF, and so on~Module signature appended~\n";

	SAYS(doctor_signature, DOCTOR_OK, "no UEFI");
	put("/sys/firmware/efi/fw_platform_size", "64\n");
	SAYS(doctor_signature, DOCTOR_OK, "cannot be read");
	put_bytes(VARIABLE, "\6\0\0\0\0", 5);
	SAYS(doctor_signature, DOCTOR_OK, "Secure Boot is off");
	put_bytes(VARIABLE, "\6\0\0\0\1", 5);
	put(LOCKDOWN, "none [integrity] confidentiality\n");
	SAYS(doctor_signature, DOCTOR_WARN, "must be signed");

	put(DEP, "updates/dkms/migd.ko:\n");
	put(FILE_OF, unsigned_file);
	SAYS(doctor_signature, DOCTOR_FAIL, "Secure Boot is on, and the kernel is locked down");
	CHECK(strstr(f.fix, "mokutil --import /var/lib/dkms/mok.pub") &&
	      strstr(f.fix, "makes a key"));
	put("/var/lib/dkms/mok.pub", "");
	SAYS(doctor_signature, DOCTOR_FAIL, "dkms install --force migd/" MIGCTL_VERSION);
	CHECK(strstr(f.fix, "mokutil --import /var/lib/dkms/mok.pub"));
	put(FILE_OF, signed_file);
	SAYS(doctor_signature, DOCTOR_WARN, "Key was rejected by service");
	put(FILE_OF, dkms_file);
	SAYS(doctor_signature, DOCTOR_WARN, "Key was rejected by service");
	put("/proc/keys", key);
	SAYS(doctor_signature, DOCTOR_FAIL, "not among the kernel's");
	CHECK(strstr(f.fix, "mokutil --import /var/lib/dkms/mok.pub"));
	put("/proc/keys", both_keys);
	SAYS(doctor_signature, DOCTOR_OK, "the kernel has it");
	d.uid = 1000;
	SAYS(doctor_signature, DOCTOR_WARN, "Key was rejected by service");
	d.uid = 0;
	put(DEP, "updates/dkms/migd.ko.xz:\n");
	SAYS(doctor_signature, DOCTOR_WARN, "modinfo -F signer migd");

	put(LOCKDOWN, "[none] integrity confidentiality\n");
	put(DEP, "updates/dkms/migd.ko:\n");
	put(FILE_OF, unsigned_file);
	SAYS(doctor_signature, DOCTOR_OK, "takes unsigned modules");
	put("/sys/module/module/parameters/sig_enforce", "Y\n");
	SAYS(doctor_signature, DOCTOR_FAIL, "module.sig_enforce");

	put("/sys/module/migd/version", "0.1.0\n");
	put("/sys/module/migd/taint", "OE\n");
	SAYS(doctor_signature, DOCTOR_WARN, "unsigned but loaded");
	put("/sys/module/migd/taint", "O\n");
	SAYS(doctor_signature, DOCTOR_OK, "a key that the kernel knows");
	put_bytes(VARIABLE, "\6\0\0\0\0", 5);
	put("/sys/module/module/parameters/sig_enforce", "N\n");
	put("/sys/module/migd/taint", "OE\n");
	SAYS(doctor_signature, DOCTOR_OK, "the kernel takes it");
	put_away("/sys/module/migd/version");
}

static void unit(const char *load, const char *active, const char *result)
{
	d.unit.known = true;
	snprintf(d.unit.load, sizeof(d.unit.load), "%s", load);
	snprintf(d.unit.active, sizeof(d.unit.active), "%s", active);
	snprintf(d.unit.result, sizeof(d.unit.result), "%s", result);
	d.unit.memlock = -1;
}

static void test_daemon(void)
{
	d = (struct doctor){ .root = tree_root, .no_bus = "it does not answer" };
	SAYS(doctor_daemon, DOCTOR_FAIL, "systemctl status dbus");
	d = (struct doctor){ .root = tree_root };
	SAYS(doctor_daemon, DOCTOR_WARN, "systemctl start migd.service");
	unit("not-found", "inactive", "success");
	SAYS(doctor_daemon, DOCTOR_FAIL, "not installed");
	unit("masked", "inactive", "success");
	SAYS(doctor_daemon, DOCTOR_FAIL, "systemctl unmask migd.service");
	unit("bad-setting", "inactive", "success");
	SAYS(doctor_daemon, DOCTOR_FAIL, "bad-setting");
	unit("loaded", "failed", "start-limit-hit");
	SAYS(doctor_daemon, DOCTOR_FAIL, "systemctl reset-failed migd.service");
	unit("loaded", "failed", "exit-code");
	SAYS(doctor_daemon, DOCTOR_FAIL, "exit-code");
	unit("loaded", "activating", "success");
	SAYS(doctor_daemon, DOCTOR_WARN, "starting");
	unit("loaded", "inactive", "success");
	SAYS(doctor_daemon, DOCTOR_WARN, "systemctl start migd.service");
	d.running = true;
	snprintf(d.says.version, sizeof(d.says.version), MIGCTL_VERSION);
	snprintf(d.says.error, sizeof(d.says.error), "it is not loaded: modprobe migd");
	SAYS(doctor_daemon, DOCTOR_FAIL, "modprobe migd");
	d.says.ready = 1;
	SAYS(doctor_daemon, DOCTOR_OK, "serves");
	snprintf(d.no_answer, sizeof(d.no_answer), "migd does not answer");
	SAYS(doctor_daemon, DOCTOR_FAIL, "systemctl restart migd.service");
	d.no_answer[0] = '\0';
}

static void test_versions(void)
{
	SAYS(doctor_versions, DOCTOR_OK, "module not loaded");
	put("/sys/module/migd/version", MIGCTL_VERSION "\n");
	SAYS(doctor_versions, DOCTOR_OK, "module " MIGCTL_VERSION);
	put("/sys/module/migd/version", "0.0.9\n");
	SAYS(doctor_versions, DOCTOR_WARN, "modprobe -r migd");
	put_away("/sys/module/migd/version");
	snprintf(d.says.version, sizeof(d.says.version), "0.0.8");
	SAYS(doctor_versions, DOCTOR_WARN, "0.0.8");
	d.says.version[0] = '\0';
}

static void permissions(const char *own, const char *others, const char *policy)
{
	snprintf(d.may.own, sizeof(d.may.own), "%s", own);
	snprintf(d.may.others, sizeof(d.may.others), "%s", others);
	snprintf(d.may.policy, sizeof(d.may.policy), "%s", policy);
}

static void test_permission(void)
{
	d.uid = 1000;
	permissions("yes", "password", "no");
	SAYS(doctor_permission, DOCTOR_OK, "1000 may move its own processes: yes; those of others: with an administrator's password; set policy and engines: no");
	permissions("no", "yes", "yes");
	SAYS(doctor_permission, DOCTOR_OK, "own processes: no; those of others: yes; set policy and engines: yes");
	permissions("no", "password", "yes");
	SAYS(doctor_permission, DOCTOR_WARN, "own processes: no; those of others: with an administrator's password; set policy and engines: yes");
	SAYS(doctor_permission, DOCTOR_WARN, "allow org.migd1.migrate-own, see migd(8)");
	snprintf(d.denied, sizeof(d.denied), "user 1000 may not, as polkit is not there");
	SAYS(doctor_permission, DOCTOR_WARN, "user 1000 may not, as polkit is not there");
	SAYS(doctor_permission, DOCTOR_WARN, "as root");
	d.denied[0] = '\0';
	d.running = false;
	SAYS(doctor_permission, DOCTOR_WARN, "as root");
	d.uid = 0;
	SAYS(doctor_permission, DOCTOR_OK, "root");
}

static void test_limits(void)
{
	SAYS(doctor_limits, DOCTOR_OK, "may lock all of its memory");
	put("/sys/module/migd/parameters/max_locked_pages", "256\n");
	SAYS(doctor_limits, DOCTOR_OK, "at most 256 pages");
	d.all = json_pack("{s{si}}", "policy", "batch_pages", 512);
	SAYS(doctor_limits, DOCTOR_WARN, "batch-pages=256");
	doctor_forget(&d);
	d.unit.memlock = 8 << 20;
	SAYS(doctor_limits, DOCTOR_WARN, "8.0 MiB");
	d.unit.memlock = -1;
}

static void test_memory(void)
{
	SAYS(doctor_nodes, DOCTOR_OK, "2 nodes with memory: 0-1");
	SAYS(doctor_cpuset, DOCTOR_OK, "all nodes");
	SAYS(doctor_balancing, DOCTOR_OK, "off");
	SAYS(doctor_thp, DOCTOR_OK, "madvise; huge pages");
	SAYS(doctor_tiers, DOCTOR_OK, "one tier");
	SAYS(doctor_pressure, DOCTOR_WARN, "psi=1");
	put("/proc/pressure/memory",
	    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	SAYS(doctor_pressure, DOCTOR_OK, "tells of memory pressure");
	put("/proc/self/status", "Name:\tx\nMems_allowed_list:\t1\n");
	SAYS(doctor_cpuset, DOCTOR_WARN, "/sys/fs/cgroup/user.slice/cpuset.mems");
	put("/proc/self/status", "Name:\tx\n");
	SAYS(doctor_cpuset, DOCTOR_OK, "no cpusets");
	put("/sys/devices/system/node/has_memory", "0\n");
	SAYS(doctor_nodes, DOCTOR_FAIL, "only one node");
	put("/proc/sys/kernel/numa_balancing", "2\n");
	SAYS(doctor_balancing, DOCTOR_WARN, "sysctl kernel.numa_balancing=0");
	put_away("/proc/sys/kernel/numa_balancing");
	SAYS(doctor_balancing, DOCTOR_OK, "off");
	put("/sys/devices/virtual/memory_tiering/memory_tier22/nodelist", "2\n");
	SAYS(doctor_tiers, DOCTOR_OK, "memory_tier4 has node 0-1, memory_tier22 has node 2");
	put("/sys/kernel/mm/numa/demotion_enabled", "true\n");
	SAYS(doctor_tiers, DOCTOR_WARN, "demotion_enabled");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
	SAYS(doctor_thp, DOCTOR_OK, "no transparent huge pages are made");
}

static void channel(int i, const char *driver, const char *in_use)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/dma/dma%dchan0/in_use", i);
	put(path, in_use);
	snprintf(path, sizeof(path), "/sys/class/dma/dma%dchan0/device/driver", i);
	put_link(path, driver);
}

static void domain(int i, const char *type)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/dma/dma%dchan0/device/iommu_group/type", i);
	put(path, type);
}

static void test_channels(void)
{
	d.says.ready = 0;
	SAYS(doctor_channels, DOCTOR_WARN, "no DMA channel");
	SAYS(doctor_iommu, DOCTOR_OK, "no DMA channel");
	SAYS(doctor_engines, DOCTOR_OK, "does not serve");
	channel(0, "../../bus/pci/drivers/ioatdma", "1\n");
	channel(1, "../../bus/pci/drivers/ioatdma", "1\n");
	channel(2, "../../bus/amba/drivers/dma-pl330", "0\n");
	SAYS(doctor_channels, DOCTOR_OK, "3 found; held by others: dma0chan0 (ioatdma), dma1chan0 (ioatdma); free: dma2chan0 (dma-pl330); the daemon claims");
	put("/sys/kernel/debug/dmaengine/summary",
	    "dma0 (0000:00:04.0): number of channels: 1\n dma0chan0    | in-use\n\n"
	    "dma1 (0000:00:05.0): number of channels: 1\n dma1chan0    | 2440000.serial:tx\n");
	SAYS(doctor_channels, DOCTOR_OK, "held by others: dma0chan0 (ioatdma), dma1chan0 (2440000.serial:tx); free");
	put_away("/sys/kernel/debug/dmaengine/summary");
	SAYS(doctor_iommu, DOCTOR_OK, "none before the channels");

	d.all = json_pack("{s[{ssss}]}", "engines", "name", "cpu", "state", "ready");
	SAYS(doctor_channels, DOCTOR_WARN, "does not serve");
	d.says.ready = 1;
	SAYS(doctor_channels, DOCTOR_WARN, "none of 3 is claimed");
	SAYS(doctor_engines, DOCTOR_OK, "1 ready");
	json_array_append_new(json_object_get(d.all, "engines"),
			      json_pack("{ssss}", "name", "dma0chan0", "state", "ready"));
	SAYS(doctor_channels, DOCTOR_OK, "1 of 3 claimed by migd: dma0chan0 (ioatdma); held by others: dma1chan0 (ioatdma); free, as they cannot");
	json_array_append_new(json_object_get(d.all, "engines"),
			      json_pack("{sssssi}", "name", "dma1chan0", "state", "disabled",
					"quarantined", 3));
	SAYS(doctor_engines, DOCTOR_WARN, "dma1chan0 (disabled); 3 pages");
	doctor_forget(&d);

	for (int i = 3; i < 40; i++)
		channel(i, "../../bus/pci/drivers/ioatdma", "0\n");
	SAYS(doctor_channels, DOCTOR_OK, " ...; the daemon claims");

	domain(0, "identity\n");
	SAYS(doctor_iommu, DOCTOR_OK, "identity before 1 of 40");
	domain(1, "DMA-FQ\n");
	SAYS(doctor_iommu, DOCTOR_OK, "lazy (DMA-FQ) before 1 of 40");
	domain(2, "DMA\n");
	SAYS(doctor_iommu, DOCTOR_WARN, "iommu.strict=0");
	domain(1, "blocked\n");
	SAYS(doctor_iommu, DOCTOR_WARN, "dma1chan0 (blocked)");
}

int main(void)
{
	tree_new();
	d.root = tree_root;
	machine();
	test_kernel();
	test_io_uring();
	test_module();
	test_signature();
	test_daemon();
	test_versions();
	test_permission();
	test_limits();
	test_memory();
	test_channels();
	return tree_end();
}
