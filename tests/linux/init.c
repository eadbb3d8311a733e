/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first program of a Linux guest that exists to test virtio devices: it drives each one through
 * the kernel's own driver, reports in TAP on the console, then ends the machine.
 *
 * The kernel's command line steers it (unknown words NAME=VALUE become the environment):
 *
 *   need=LIST      comma-separated devices that must be there: vda vdb vdc hvc rng; what is absent
 *                  and not in LIST is skipped
 *   cpus=N         so many CPUs must be there (1); the last is given the devices' interrupts
 *   rng_bytes=N    read so many random bytes (1 MiB)
 *   disk_bytes=N   touch at most N bytes at the start of each disk (1 MiB)
 *   hvc=echo       send a line to the virtio console, expect the same line back
 *   hvc_bytes=N    then send N bytes, lines of 63 digits, for the host to check, and ask for
 *                  the same
 *   end=reboot     restart the machine at the end
 *   end=off        power it off
 *
 * Every disk that is not read-only is overwritten: afterwards the 32-bit word at byte offset O of
 * its first disk_bytes is (O + 3) * 2654435761.
 */
#include <asm/ioctls.h>
#include <linux/reboot.h>

#include "test.h"

/* At most: console, entropy, three disks. */
#define DEVICES 5

static void uptime(const char *what)
{
	long now[2] = {0, 0};

	SYS3(__NR_clock_gettime, 1, now, 0);
	say("# %s at %u ms\n", what, (uint32_t)now[0] * 1000u + (uint32_t)(now[1] / 1000000));
}

static void mount(const char *type, const char *path)
{
	SYS3(__NR_mkdir, path, 0755, 0);
	SYS5(__NR_mount, type, path, type, 0, NULL);
}

static bool ends_with(const char *line, const char *end)
{
	return length(line) >= length(end) &&
	       same(line + length(line) - length(end), end, length(end));
}

/* Lines of /proc/interrupts about virtio. */
static void show_interrupts(void)
{
	int fd = sys_open("/proc/interrupts", O_RDONLY);
	long n = fd < 0 ? 0 : sys_read(fd, buffer, CHUNK - 1);
	char *line = (char *)buffer;

	for (long i = 0; i < n; i++) {
		if (buffer[i] != '\n')
			continue;
		buffer[i] = 0;
		if (ends_with(line, "virtio0") || ends_with(line, "virtio1") ||
			ends_with(line, "virtio2") || ends_with(line, "virtio3") ||
			ends_with(line, "virtio4"))
			say("# irq %s\n", line);
		line = (char *)buffer + i + 1;
	}
	sys_close(fd);
}

/* Shows the features that were agreed on, from feature 0 on, as '0' or '1'. */
static void show_features(void)
{
	char path[64];

	for (unsigned i = 0; i < DEVICES; i++) {
		format(path, sizeof path, "/sys/bus/virtio/devices/virtio%u/features", i);
		say("# features virtio%u %s\n", i, line_of(path));
	}
}

_Noreturn static void end_machine(void)
{
	const char *end = setting("end");
	bool off = end && same(end, "off", 4);

	SYS3(__NR_sync, 0, 0, 0);
	sys_ioctl(1, TCSBRK, (void *)1); /* the console has sent all of it */
	SYS5(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		off ? LINUX_REBOOT_CMD_POWER_OFF : LINUX_REBOOT_CMD_RESTART, 0, 0);
	for (;;)
		SYS3(__NR_pause, 0, 0, 0);
}

/* The stack as the kernel leaves it: argc, argv, NULL, environment, NULL, auxiliary vector. */
_Noreturn void start(long *stack);
_Noreturn void start(long *stack)
{
	char **environment = (char **)(stack + 1 + stack[0] + 1);
	long *auxiliary = (long *)environment;

	while (*auxiliary++)
		;
	system_call_init(auxiliary);
	test_init(environment);
	uptime("init");
	mount("devtmpfs", "/dev");
	mount("proc", "/proc");
	mount("sysfs", "/sys");
	say("# %s\n", line_of("/proc/version"));
	test_cpus();
	test_entropy();
	test_console();
	test_disk("vda");
	test_disk("vdb");
	test_disk("vdc");
	show_interrupts();
	show_features();
	uptime("done");
	say("# %s\n", test_done() ? "all passed" : "failed");
	end_machine();
}

#ifdef __i386__
__asm__(".globl _start\n"
	"_start: xor %ebp, %ebp; mov %esp, %eax; and $-16, %esp; sub $12, %esp; push %eax\n"
	"	call start\n");
#else
__asm__(".globl _start\n"
	"_start: xor %ebp, %ebp; mov %rsp, %rdi; and $-16, %rsp\n"
	"	call start\n");
#endif
