/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least KVM program that does what `vole run hello.elf` does: one VM, 16 MiB, one CPU with a
 * local APIC, 32-bit protected mode, a few bytes through port 0xe9, the end through port 0xf4. What
 * it costs as a process, statically linked, is the floor that vole's start is measured against. It
 * checks its calls and does nothing else.
 */

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <vole/ports.h>

#define RAM_SIZE      0x1000000u
#define CODE          0x100000u
#define TEXT          0x101000u
#define CPUID_ENTRIES 128
#define IOAPIC_PINS   24

/*
 *	mov	$TEXT, %esi
 * 1:	lodsb
 *	test	%al, %al
 *	jz	2f
 *	out	%al, $0xe9
 *	jmp	1b
 * 2:	xor	%eax, %eax
 *	out	%eax, $0xf4
 */
static const uint8_t code[] = {
	0xbe, 0x00, 0x10, 0x10, 0x00, /* mov */
	0xac,                         /* lodsb */
	0x84, 0xc0,                   /* test */
	0x74, 0x04,                   /* jz */
	0xe6, VOLE_PORT_DEBUG,        /* out */
	0xeb, 0xf7,                   /* jmp */
	0x31, 0xc0,                   /* xor */
	0xe7, VOLE_PORT_EXIT,         /* out */
};
static const char text[] = "Hello from a kernel!\n";

/* 0 is an ioctl's argument where there is none. */
static int kvm(int fd, unsigned long request, const void *argument)
{
	int ret = ioctl(fd, request, argument);

	if (ret < 0)
		err(125, "ioctl 0x%lx", request);
	return ret;
}

static void *map(size_t size, int flags, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		err(125, "mmap");
	return memory;
}

static void add_memory(int vm)
{
	uint8_t *ram = map(RAM_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	struct kvm_userspace_memory_region region = {
		.memory_size = RAM_SIZE,
		.userspace_addr = (uintptr_t)ram,
	};

	memcpy(ram + CODE, code, sizeof code);
	memcpy(ram + TEXT, text, sizeof text);
	kvm(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static void set_cpuid(int device, int vcpu)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof *cpuid + CPUID_ENTRIES * sizeof *cpuid->entries);

	if (!cpuid)
		err(125, "calloc");
	cpuid->nent = CPUID_ENTRIES;
	kvm(device, KVM_GET_SUPPORTED_CPUID, cpuid);
	kvm(vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
}

static void set_registers(int vcpu)
{
	struct kvm_regs regs = {.rip = CODE, .rflags = 0x2};
	struct kvm_segment flat = {
		.limit = 0xffffffff,
		.selector = 0x8,
		.type = 0xb,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
	struct kvm_sregs sregs;

	kvm(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs = flat;
	flat.selector = 0x10;
	flat.type = 0x3;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	sregs.cr0 |= 0x1;
	kvm(vcpu, KVM_SET_SREGS, &sregs);
	kvm(vcpu, KVM_SET_REGS, &regs);
}

/* The guest's exit code. */
static int run(int vcpu, struct kvm_run *state)
{
	for (;;) {
		const uint8_t *data = (const uint8_t *)state;

		kvm(vcpu, KVM_RUN, NULL);
		if (state->exit_reason != KVM_EXIT_IO)
			errx(126, "exit reason %u", state->exit_reason);
		data += state->io.data_offset;
		if (state->io.port == VOLE_PORT_EXIT)
			return *data;
		if (write(STDOUT_FILENO, data, 1) < 0)
			err(125, "standard output");
	}
}

int main(void)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {IOAPIC_PINS}};
	int device = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu;

	if (device < 0)
		err(125, "/dev/kvm");
	vm = kvm(device, KVM_CREATE_VM, NULL);
	add_memory(vm);
	kvm(vm, KVM_ENABLE_CAP, &split);
	vcpu = kvm(vm, KVM_CREATE_VCPU, NULL);
	set_cpuid(device, vcpu);
	set_registers(vcpu);
	return run(vcpu, map((size_t)kvm(device, KVM_GET_VCPU_MMAP_SIZE, NULL), MAP_SHARED, vcpu));
}
