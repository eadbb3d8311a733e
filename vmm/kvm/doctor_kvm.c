/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/doctor_kvm.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "error_text.h"
#include "finding.h"
#include "kvm/kvm_caps.h"
#include "kvm/probe.h"

/* Between what instruction emulators reach (under 10) and what CPUs do (over 1000), in millions of
 * instructions a second. */
#define SPEED_SLOW 50

/* Above, in microseconds, something emulates the hardware's support for virtual machines. */
#define EXIT_SLOW 30

#define REPEATS 5

/* --- /dev/kvm --------------------------------------------------------------------------------- */

/* What stands between this host and a /dev/kvm. Intel SDM 2, CPUID leaf 1; AMD APM 3, leaf
 * 0x80000001. */
static const char *advice_no_device(void)
{
	unsigned eax, ebx, ecx, edx;
	bool vmx, svm = false, guest;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return "the CPU is too old for KVM";
	vmx = ecx & 1u << 5;
	guest = ecx & 1u << 31;
	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
		svm = ecx & 1u << 2;
	if (vmx)
		return "load the module: modprobe kvm_intel (in a container: pass the device in)";
	if (svm)
		return "load the module: modprobe kvm_amd (in a container: pass the device in)";
	if (guest)
		return "this is a virtual machine: have nested virtualisation switched on for it";
	return "switch on virtualisation (VT-x, SVM) in the firmware's setup, then load kvm_intel "
	       "or kvm_amd";
}

/* The group that may use /dev/kvm is "kvm" nearly everywhere. Its name is not looked up: that would
 * load what nsswitch.conf names into a program that is linked statically. */
static void advise_permission(void)
{
	struct stat st;

	if (stat("/dev/kvm", &st) == 0 && st.st_mode & S_IWGRP && st.st_gid != 0)
		finding(FINDING_MISSING, "/dev/kvm",
			"not permitted: join its group %u: usermod -aG kvm $USER as root, then log "
			"in again",
			(unsigned)st.st_gid);
	else
		finding(FINDING_MISSING, "/dev/kvm",
			"not permitted: as root, chgrp kvm and chmod g+rw it, and add yourself to "
			"the group");
}

/* The open device, or -1 with advice. */
static int open_device(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		finding(FINDING_OK, "/dev/kvm", "can be opened");
		return fd;
	}
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		finding(FINDING_MISSING, "/dev/kvm", "%s", advice_no_device());
		break;
	case EACCES:
		advise_permission();
		break;
	case EPERM:
		finding(FINDING_MISSING, "/dev/kvm",
			"a sandbox or container forbids it: pass the device in (--device "
			"/dev/kvm)");
		break;
	default:
		finding(FINDING_MISSING, "/dev/kvm", "%s", error_text(errno));
		break;
	}
	return -1;
}

/* --- what KVM says that it has ---------------------------------------------------------------- */

static bool check_version(int fd)
{
	int version = ioctl(fd, KVM_GET_API_VERSION, 0);

	if (version == KVM_API_VERSION)
		finding(FINDING_OK, "KVM API", "version %d", version);
	else if (version < 0)
		finding(FINDING_MISSING, "KVM API", "/dev/kvm is not KVM's: %s", error_text(errno));
	else
		finding(FINDING_MISSING, "KVM API",
			"version %d, not %d: the kernel is older than 2007", version,
			KVM_API_VERSION);
	return version == KVM_API_VERSION;
}

static const char *advice_no_capability(enum kvm_need need)
{
	switch (need) {
	case KVM_NEEDED:
		return ": needs a newer kernel";
	case KVM_NEEDED_BY_PC:
		return ": these cannot run here";
	default:
		return ": vole can do without";
	}
}

/* True if all that is needed is there. */
static bool check_capabilities(int fd)
{
	bool all = true;
	size_t count;
	const struct kvm_capability *capability = kvm_capabilities(&count);

	for (; count > 0; count--, capability++) {
		bool there = kvm_has(fd, capability->number);

		finding(there ? FINDING_OK : FINDING_MISSING, capability->name, "%s%s",
			capability->use, there ? "" : advice_no_capability(capability->need));
		all &= there || capability->need != KVM_NEEDED;
	}
	return all;
}

static void show_cpus(int fd)
{
	int count = ioctl(fd, KVM_CHECK_EXTENSION, (long)KVM_CAP_NR_VCPUS);

	if (count > 0)
		finding(FINDING_OK, "CPUs", "%d in a VM are sensible here", count);
}

/* --- what a VM shows -------------------------------------------------------------------------- */

static const char *failure(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "KVM cannot run the instruction";
	case -EFAULT:
		return "it raises an exception";
	case -ETIMEDOUT:
		return "no end was seen";
	case -ENODEV:
		return "KVM does not stop there";
	default:
		return strerror(-err);
	}
}

/* A measurement, by the best of several: other programs can only make it look worse. */
static int best_of(struct probe *probe, int (*function)(struct probe *, double *), double *best)
{
	for (unsigned i = 0; i < REPEATS; i++) {
		double microseconds;
		int ret = function(probe, &microseconds);

		if (ret < 0)
			return ret;
		if (i == 0 || microseconds < *best)
			*best = microseconds;
	}
	return 0;
}

/* Sets millions of instructions a second. */
static bool try_speed(struct probe *probe, double *speed)
{
	double microseconds, millions;
	int ret = best_of(probe, probe_speed, &microseconds);

	if (ret < 0) {
		finding(FINDING_MISSING, "guest code", "%s", failure(ret));
		return false;
	}
	*speed = millions = 1e6 / microseconds;
	finding(millions < SPEED_SLOW ? FINDING_SLOW : FINDING_OK, "guest code",
		"%.1f million instructions a second%s", millions,
		millions < SPEED_SLOW ? ": KVM emulates them (or the host is very busy)" : "");
	return true;
}

static bool try_time(struct probe *probe, int (*function)(struct probe *, double *),
	const char *subject, const char *meaning)
{
	double microseconds;
	int ret = best_of(probe, function, &microseconds);

	if (ret < 0) {
		finding(FINDING_MISSING, subject, "%s: %s", failure(ret), meaning);
		return false;
	}
	finding(microseconds > EXIT_SLOW ? FINDING_SLOW : FINDING_OK, subject, "%.1f us: %s",
		microseconds, meaning);
	return true;
}

static bool try_iret(struct probe *probe)
{
	double microseconds;
	int ret = best_of(probe, probe_iret, &microseconds);

	if (ret < 0) {
		finding(FINDING_MISSING, "iret", "%s: interrupt handlers cannot return",
			failure(ret));
		return false;
	}
	finding(probe->vcpu.completed ? FINDING_SLOW : FINDING_OK, "iret", "%.1f us%s",
		microseconds,
		probe->vcpu.completed ? ": KVM has no such instruction, vole completes it" : "");
	return true;
}

/* What a kernel may want and vole does not need. */
static void try_feature(struct probe *probe, int (*function)(struct probe *), const char *subject,
	const char *there, const char *not_there)
{
	int ret = function(probe);

	if (ret < 0)
		finding(FINDING_MISSING, subject, "%s: %s", failure(ret), not_there);
	else
		finding(FINDING_OK, subject, "%s", there);
}

/* True if `vole run` can work. */
static bool try_machine(struct probe *probe, double *speed)
{
	bool works = try_speed(probe, speed);

	works &= try_time(
		probe, probe_exit, "exit to vole", "what a register access of a driver costs");
	works &= try_time(probe, probe_ioeventfd, "ioeventfd", "what a notification costs");
	works &= try_time(probe, probe_interrupt, "irqfd", "from a device to the guest's handler");
	works &= try_iret(probe);
	try_feature(probe, probe_system_call, "int n in user mode", "kernels can have system calls",
		"kernels with system calls do not run here");
	try_feature(probe, probe_paging, "32-bit paging", "kernels can use it",
		"kernels that switch it on crash here");
	try_feature(probe, probe_sse, "SSE", "kernels can use it",
		"compile kernels with -mgeneral-regs-only");
	try_feature(probe, probe_breakpoint, "hardware breakpoints", "gdb's hbreak works",
		"gdb's hbreak needs --engine soft; break works");
	try_feature(probe, probe_watchpoint, "watchpoints", "gdb's watch works, by debug registers",
		"gdb's watch needs --engine soft, or has gdb step and compare");
	return works;
}

static bool check_machine(double *speed)
{
	struct probe probe;
	int ret = probe_init(&probe);
	bool works = false;

	fflush(stdout); /* what was said on standard error belongs here */
	if (ret == 0)
		works = try_machine(&probe, speed);
	else if (ret == -EBUSY)
		finding(FINDING_MISSING, "a VM",
			"%s: another hypervisor (VirtualBox, VMware) holds the CPU; end it",
			error_text(-ret));
	else
		finding(FINDING_MISSING, "a VM", "%s", error_text(-ret));
	probe_free(&probe);
	return works;
}

double doctor_kvm(void)
{
	int fd = open_device();
	double speed = 0;
	bool works;

	if (fd < 0)
		return 0;
	works = check_version(fd) && check_capabilities(fd);
	if (works)
		show_cpus(fd);
	close(fd);
	return works && check_machine(&speed) ? speed : 0;
}
