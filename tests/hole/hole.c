/* SPDX-License-Identifier: BSD-2-Clause */
#include "../guest/sandbox-hole.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/ports.h"

/* The state of the hole: what the guest has written so far, and what was opened before vole was
 * shut in: another VM with a vCPU, and another pseudo-terminal. -1: this host has none. */
static struct {
	char name[64];
	size_t len;
	int vm, vcpu, pty;
	pid_t parent;
} hole;

__attribute__((constructor)) static void prepare(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	hole.parent = getppid();
	hole.vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	hole.vcpu = hole.vm < 0 ? -1 : ioctl(hole.vm, KVM_CREATE_VCPU, 0);
	if (kvm >= 0)
		close(kvm);
	if (hole.vm >= 0)
		fcntl(hole.vm, F_SETFD, FD_CLOEXEC);
	if (hole.vcpu >= 0)
		fcntl(hole.vcpu, F_SETFD, FD_CLOEXEC);
	hole.pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (hole.pty >= 0)
		unlockpt(hole.pty);
}

/* --- the calls -------------------------------------------------------------------------------- */

/* Each returns what its system call returns. Raw ones are those that the C library would make by
 * another one. */

static long call_open(void)
{
#ifdef __NR_open
	return syscall(__NR_open, "/etc/passwd", O_RDONLY);
#else
	return open("/etc/passwd", O_RDONLY);
#endif
}

static long call_openat(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long call_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long call_connect(void)
{
	struct sockaddr_un address = {AF_UNIX, "/run/nobody"};

	return connect(STDERR_FILENO, (struct sockaddr *)&address, sizeof address);
}

static long call_execve(void)
{
	char name[] = "true";
	char *const words[] = {name, NULL};

	return execv("/bin/true", words);
}

static long map(int protection, int flags, int fd)
{
	return mmap(NULL, 4096, protection, flags, fd, 0) == MAP_FAILED ? -1 : 0;
}

static long call_mmap_exec(void)
{
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static long call_mmap_file(void)
{
	return map(PROT_READ, MAP_PRIVATE, STDIN_FILENO);
}

static long call_mprotect_exec(void)
{
	static _Alignas(4096) char page[4096];

	return mprotect(page, sizeof page, PROT_READ | PROT_EXEC);
}

static long call_mremap(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mremap(page, 4096, 2 * 4096L, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0;
}

static long call_ptrace(void)
{
	return ptrace(PTRACE_CONT, hole.parent, NULL, NULL);
}

static long call_process_vm_readv(void)
{
	return syscall(__NR_process_vm_readv, hole.parent, NULL, 0, NULL, 0, 0);
}

static long call_kill(void)
{
	return kill(hole.parent, 0);
}

static long call_tgkill(void)
{
	return syscall(__NR_tgkill, hole.parent, hole.parent, 0);
}

static long call_fork(void)
{
	long pid = syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long call_clone3(void)
{
	return syscall(__NR_clone3, NULL, 0);
}

static long call_unlinkat(void)
{
	return unlinkat(AT_FDCWD, "/nothing", 0);
}

static long call_newfstatat(void)
{
	char room[256];

	return syscall(__NR_newfstatat, AT_FDCWD, "/etc/passwd", room, 0);
}

/* As some C libraries do fstat(). */
static long call_fstat(void)
{
	char room[256];

	return syscall(__NR_newfstatat, STDERR_FILENO, "", room, AT_EMPTY_PATH);
}

static long call_memfd_create(void)
{
	return memfd_create("hole", 0);
}

static long call_bpf(void)
{
	return syscall(__NR_bpf, 0, NULL, 0);
}

static long call_io_uring_setup(void)
{
	return syscall(__NR_io_uring_setup, 1, NULL);
}

static long call_fcntl_setown(void)
{
	return fcntl(STDERR_FILENO, F_SETOWN, hole.parent);
}

static long call_madvise(void)
{
	return syscall(__NR_madvise, NULL, 0, MADV_MERGEABLE);
}

static long call_prctl(void)
{
	return syscall(__NR_prctl, 1, 0, 0, 0, 0); /* PR_SET_PDEATHSIG */
}

/* Types into the terminal, for the shell to read. */
static long call_tiocsti(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static long call_create_vm(void)
{
	return ioctl(hole.vm, KVM_CREATE_VM, 0);
}

static long call_create_vcpu(void)
{
	return ioctl(hole.vm, KVM_CREATE_VCPU, 1L);
}

static long call_other_vcpu(void)
{
	struct kvm_regs regs;

	return ioctl(hole.vcpu, KVM_GET_REGS, &regs);
}

/* This one is for landlock: the filter permits it. */
static long call_other_pty(void)
{
	return ioctl(hole.pty, TIOCGPTPEER, O_RDWR | O_NOCTTY);
}

/* A call of the kernel's for another kind of program: getpid() of 32-bit x86, which is write() of
 * this one. */
static long call_32_bit(void)
{
#ifdef __x86_64__
	long result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	errno = ENOSYS;
	return -1;
#endif
}

static long call_x32(void)
{
	return syscall(0x40000000 + __NR_getpid);
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{"open", call_open},
	{"openat", call_openat},
	{"socket", call_socket},
	{"connect", call_connect},
	{"execve", call_execve},
	{"mmap-exec", call_mmap_exec},
	{"mmap-file", call_mmap_file},
	{"mprotect-exec", call_mprotect_exec},
	{"ptrace", call_ptrace},
	{"process_vm_readv", call_process_vm_readv},
	{"kill", call_kill},
	{"tgkill", call_tgkill},
	{"fork", call_fork},
	{"clone3", call_clone3},
	{"mremap", call_mremap},
	{"unlinkat", call_unlinkat},
	{"newfstatat", call_newfstatat},
	{"fstat", call_fstat},
	{"memfd_create", call_memfd_create},
	{"bpf", call_bpf},
	{"io_uring_setup", call_io_uring_setup},
	{"fcntl-setown", call_fcntl_setown},
	{"madvise", call_madvise},
	{"prctl", call_prctl},
	{"tiocsti", call_tiocsti},
	{"create-vm", call_create_vm},
	{"create-vcpu", call_create_vcpu},
	{"other-vcpu", call_other_vcpu},
	{"other-pty", call_other_pty},
	{"32-bit", call_32_bit},
	{"x32", call_x32},
};

static uint32_t make_call(void)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (strcmp(hole.name, calls[i].name) == 0)
			return calls[i].call() < 0 ? (uint32_t)errno : 0;
	return UINT32_MAX;
}

/* --- the port --------------------------------------------------------------------------------- */

/* Declares a function, and what it is led to. */
#define WRAPPED(type, name) type __real_##name, __wrap_##name

WRAPPED(vm_port_access, ports_access);

/* The linker puts it in the place of ports_access() (--wrap). */
int __wrap_ports_access(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	uint32_t error;

	if (port != HOLE_PORT)
		return __real_ports_access(cpu, port, is_write, data, len);
	if (is_write && len == 1 && hole.len < sizeof hole.name - 1)
		hole.name[hole.len++] = (char)*data;
	if (is_write || len != sizeof error)
		return 0;
	error = make_call();
	memcpy(data, &error, sizeof error);
	return 0;
}
