/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vole doctor when things fail: open() and ioctl() of this program's own, which pass calls on until
 * told to fail. A whole run of it is tested where there is a /dev/kvm.
 */
#include "doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

static struct {
	int open_errno;         /* of an open of /dev/kvm; 0: none */
	unsigned ioctls_passed; /* so many are passed on, then each fails */
	unsigned ioctls;        /* seen */
	int lacks;              /* a capability that KVM does not have then, -1: none */
} host;

/* Both take the place of libc's. */
int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (host.open_errno && strcmp(path, "/dev/kvm") == 0) {
		errno = host.open_errno;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	if (host.ioctls++ >= host.ioctls_passed) {
		errno = EIO;
		return -1;
	}
	if (request == KVM_CHECK_EXTENSION && (intptr_t)argument == host.lacks)
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* doctor() with its standard output in text. */
static int consult(char *text, size_t size)
{
	int saved, ends[2], status;
	ssize_t len;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	if (saved < 0 || pipe(ends) < 0) {
		printf("Bail out! no pipe\n");
		exit(1);
	}
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	host.ioctls = 0;
	capture_begin();
	status = doctor();
	capture_end();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	len = read(ends[0], text, size - 1); /* a pipe holds more than doctor() says */
	close(ends[0]);
	text[len < 0 ? 0 : len] = '\0';
	return status;
}

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static char text[16384];

/* The end of what doctor() says where KVM is of no use, with status 0. */
static const char soft_only[] = "\nvole can run here, with its software CPU,";

static void test_no_device(void)
{
	static const struct {
		int error;
		const char *advice, *name;
	} cases[] = {
		{EACCES, "not permitted", "not permitted: which group"},
		{EPERM, "container", "forbidden: a sandbox or container"},
		{EMFILE, "Too many open files", "another error is named"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		host.open_errno = cases[i].error;
		ok(consult(text, sizeof text) == 0 &&
				strncmp(text, "missing  /dev/kvm ", 18) == 0 &&
				strstr(text, cases[i].advice) && strstr(text, soft_only),
			"/dev/kvm %s", cases[i].name);
	}
	host.open_errno = ENOENT;
	ok(consult(text, sizeof text) == 0 &&
			(strstr(text, "modprobe") || strstr(text, "nested") ||
				strstr(text, "firmware")) &&
			strstr(text, soft_only),
		"/dev/kvm absent: what to switch on or load");
	host.open_errno = 0;
}

/* Each line but the last two starts with one of the three words and has its columns. */
static bool well_formed(char *report)
{
	char *rest, *line = strtok_r(report, "\n", &rest);
	bool well = true;

	for (; line && strncmp(line, "vole can", 8) != 0; line = strtok_r(NULL, "\n", &rest)) {
		well &= strncmp(line, "ok       ", 9) == 0 || strncmp(line, "missing  ", 9) == 0 ||
			strncmp(line, "slow     ", 9) == 0;
		well &= strlen(line) > 41 && line[40] == ' ' && line[41] != ' ';
	}
	return well && line;
}

/* The failures of what comes before the measurements, and some of those. */
static void test_failing_ioctls(void)
{
	unsigned before = open_fds(), wrong = 0, tried = 0;

	for (host.ioctls_passed = 0; host.ioctls_passed < 60; host.ioctls_passed++, tried++) {
		int status = consult(text, sizeof text);
		bool bad = status != 0 || !strstr(text, "missing") || !strstr(text, soft_only) ||
			   open_fds() != before;

		if (bad)
			printf("# from ioctl %u on: status %d\n", host.ioctls_passed, status);
		wrong += bad;
	}
	ok(wrong == 0,
		"from any ioctl on all fail: a reason, the software CPU, no descriptor is left");
}

/* Not all boards need it. */
static void test_no_pc(void)
{
	host.ioctls_passed = -1u;
	host.lacks = KVM_CAP_IRQCHIP;
	ok(consult(text, sizeof text) == 0 && strstr(text, "missing  KVM_CAP_IRQCHIP") &&
			strstr(text, "Linux and firmware") &&
			strstr(text, "\nvole can run here, with KVM."),
		"no irqchip of a PC in KVM: who needs it is said, and that vole can run");
	host.lacks = -1;
}

static void test_whole(void)
{
	unsigned before = open_fds();
	int status;

	host.ioctls_passed = -1u;
	status = consult(text, sizeof text);
	is(status, 0, "a host with /dev/kvm");
	ok(strstr(text, "\nvole can run here, with KVM.") || strstr(text, soft_only),
		"it ends with the engine that guests run on");
	ok(strstr(text, "KVM_CAP_SPLIT_IRQCHIP") && strstr(text, "guest code") &&
			strstr(text, "ioeventfd") && strstr(text, "iret") &&
			strstr(text, "32-bit paging") && strstr(text, "SSE") &&
			strstr(text, "software CPU"),
		"capabilities and measurements are there");
	ok(well_formed(text), "one aligned line per finding");
	is(open_fds(), before, "no descriptor is left");
}

int main(void)
{
	host.lacks = -1;
	test_no_device();
	if (access("/dev/kvm", R_OK | W_OK) == 0) {
		test_failing_ioctls();
		test_whole();
		test_no_pc();
	} else {
		ok(true, "a VM of the host's # SKIP no permitted /dev/kvm");
	}
	return tap_done();
}
