/* SPDX-License-Identifier: BSD-2-Clause */
#include "trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <vole/ports.h>

#include "kvm/emulate.h"
#include "layout.h"
#include "log.h"

/* The VM's RAM. */
#define RAM_SIZE     0x100000u
#define GDT          0x1000u
#define TSS          0x1800u
#define IDT          0x2000u
#define PAGES        0x3000u /* page directory */
#define CODE         0x4000u
#define HANDLER      0x5000u
#define STACK_TOP    0x9000u
#define TSS_SIZE     0x68u
#define LOOPS        200u
#define SPEED_NS_MIN 4000000u /* long enough for a clock that other programs disturb */
#define NS_PER_US    1e3
#define NS_PER_S     1000000000ull

#define SELECTOR_CODE  0x08
#define SELECTOR_DATA  0x10
#define SELECTOR_CODE3 0x1b
#define SELECTOR_DATA3 0x23
#define SELECTOR_TSS   0x28

#define INTERRUPT_VECTOR   0x40
#define SYSTEM_CALL_VECTOR 0x80

#define CR0_PE     0x00000001u
#define CR0_MP     0x00000002u
#define CR0_ET     0x00000010u
#define CR4_PSE    0x00000010u
#define CR4_OSFXSR 0x00000200u

/*
 * The programs, in 32-bit assembly; the file is 64-bit otherwise. Each ends by a write to
 * VOLE_PORT_EXIT (0xf4). ECX is LOOPS, or as said; EBX what the trial needs.
 */
#define PROGRAM(name, code)                                                   \
	extern const uint8_t name[], name##_end[];                            \
	__asm__(".pushsection .rodata\n.code32\n" #name ":\n" code "\n" #name \
		"_end:\n.code64\n.popsection\n")

/* What the gates lead to; EOI is for interrupts (Intel SDM 3, 11.8.5). Out of user mode only CS and
 * SS are good. */
PROGRAM(handler, "movl $0, %ss:0xfee000b0; out %eax, $0xf4");
PROGRAM(speed_program, "1: dec %ecx; jnz 1b; out %eax, $0xf4");
PROGRAM(exit_program, "1: out %al, $0xe9; dec %ecx; jnz 1b; out %eax, $0xf4");
PROGRAM(ioeventfd_program, "1: mov %eax, (%ebx); dec %ecx; jnz 1b; out %eax, $0xf4");
/* EBX: local APIC. Spurious-interrupt vector register: APIC on (Intel SDM 3, 11.9). */
PROGRAM(interrupt_program, "movl $0x1ff, 0xf0(%ebx); out %al, $0xe9; sti; 1: hlt; jmp 1b");
/* EBX: CODE. */
PROGRAM(iret_program, "lea 2f - iret_program(%ebx), %eax;"
		      "1: pushf; push %cs; push %eax; iret; 2: dec %ecx; jnz 1b;"
		      "out %eax, $0xf4");
/* EBX: CODE, ECX: selector of the TSS, EDX: of the stack at CPL 3, ESI: of the code there. */
PROGRAM(system_call_program, "ltr %cx; lea 1f - system_call_program(%ebx), %eax;"
			     "push %edx; push $0xa000; pushf; push %esi; push %eax; iret;"
			     "1: int $0x80");
/* EBX: page directory. */
PROGRAM(paging_program, "mov %ebx, %cr3; mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0;"
			"jmp 1f; 1: out %eax, $0xf4");
PROGRAM(sse_program, "pxor %xmm0, %xmm0; out %eax, $0xf4");

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

/* --- the VM ----------------------------------------------------------------------------------- */

/* Its work is to make KVM_RUN return with EINTR. */
static void alarm_rang(int signal)
{
	(void)signal;
}

/* Rings after seconds, and then again and again: the first one may come just before KVM_RUN. */
static void alarm_set(time_t seconds)
{
	struct itimerval interval = {
		.it_value = {.tv_sec = seconds},
		.it_interval = {.tv_usec = 10000},
	};

	setitimer(ITIMER_REAL, &interval, NULL);
}

static void put64(struct trial *trial, uint32_t address, uint64_t value)
{
	memcpy(trial->ram + address, &value, sizeof value);
}

static void put32(struct trial *trial, uint32_t address, uint32_t value)
{
	memcpy(trial->ram + address, &value, sizeof value);
}

/* GDT, a TSS for the way from CPL 3 to CPL 0, and an identity map of 4 MiB pages. */
static void write_tables(struct trial *trial)
{
	put64(trial, GDT + (SELECTOR_CODE & ~7), 0x00cf9b000000ffff);
	put64(trial, GDT + (SELECTOR_DATA & ~7), 0x00cf93000000ffff);
	put64(trial, GDT + (SELECTOR_CODE3 & ~7), 0x00cffb000000ffff);
	put64(trial, GDT + (SELECTOR_DATA3 & ~7), 0x00cff3000000ffff);
	put32(trial, TSS + 4, STACK_TOP);     /* ESP0 */
	put32(trial, TSS + 8, SELECTOR_DATA); /* SS0 */
	put32(trial, PAGES, 0x00000083);      /* writable, 4 MiB, present */
	memcpy(trial->ram + HANDLER, handler, (size_t)(handler_end - handler));
}

static int trial_memory(struct trial *trial)
{
	void *ram =
		mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ram == MAP_FAILED) {
		int ret = -errno;

		say("memory for a VM: %s", strerror(-ret));
		return ret;
	}
	trial->ram = ram;
	write_tables(trial);
	return kvm_add_memory(&trial->kvm, 0, RAM_SIZE, ram, false);
}

static int trial_vcpu(struct trial *trial)
{
	void *run;

	trial->vcpu = kvm_create_vcpu(&trial->kvm, 0);
	if (trial->vcpu < 0)
		return trial->vcpu;
	run = mmap(NULL, trial->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, trial->vcpu, 0);
	if (run == MAP_FAILED) {
		int ret = -errno;

		say("memory of a vCPU: %s", strerror(-ret));
		return ret;
	}
	trial->run = run;
	return kvm_ioctl(trial->vcpu, KVM_GET_SREGS, &trial->reset);
}

int trial_init(struct trial *trial)
{
	struct sigaction action = {.sa_handler = alarm_rang};
	int ret;

	*trial = (struct trial){.kvm = KVM_EMPTY, .vcpu = -1, .ioeventfd = -1, .irqfd = -1};
	sigaction(SIGALRM, &action, &trial->old_alarm);
	ret = kvm_init(&trial->kvm);
	if (ret == 0)
		ret = trial_memory(trial);
	if (ret == 0)
		ret = kvm_create_split_irqchip(&trial->kvm);
	if (ret == 0)
		ret = trial_vcpu(trial);
	return ret;
}

void trial_free(struct trial *trial)
{
	if (trial->run)
		munmap(trial->run, trial->kvm.run_size);
	if (trial->vcpu >= 0)
		close(trial->vcpu);
	if (trial->ioeventfd >= 0)
		close(trial->ioeventfd);
	if (trial->irqfd >= 0)
		close(trial->irqfd);
	kvm_free(&trial->kvm);
	if (trial->ram)
		munmap(trial->ram, RAM_SIZE);
	alarm_set(0);
	sigaction(SIGALRM, &trial->old_alarm, NULL);
}

/* --- running a program ------------------------------------------------------------------------ */

static struct kvm_segment segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = selector & 3,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

/* The state that a program starts in: 32 bits, flat, paging off, no IDT, so that an exception ends
 * the VM. */
static struct kvm_sregs flat_sregs(const struct trial *trial)
{
	struct kvm_sregs sregs = trial->reset;

	sregs.cs = segment(SELECTOR_CODE, 0xb);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment(SELECTOR_DATA, 0x3);
	sregs.gdt = (struct kvm_dtable){.base = GDT, .limit = SELECTOR_TSS + 7};
	sregs.idt = (struct kvm_dtable){.base = IDT, .limit = 0};
	sregs.cr0 = CR0_PE | CR0_MP | CR0_ET;
	sregs.cr4 = 0;
	return sregs;
}

/* Make the vCPU ready to run a program from its start. */
static int program_load(struct trial *trial, const uint8_t *program, const uint8_t *program_end,
	const struct kvm_sregs *sregs, uint32_t ebx, uint32_t ecx)
{
	struct kvm_mp_state running = {.mp_state = KVM_MP_STATE_RUNNABLE};
	struct kvm_regs regs = {
		.rip = CODE,
		.rsp = STACK_TOP,
		.rflags = 0x2,
		.rbx = ebx,
		.rcx = ecx,
		.rdx = SELECTOR_DATA3,
		.rsi = SELECTOR_CODE3,
	};
	int ret;

	memcpy(trial->ram + CODE, program, (size_t)(program_end - program));
	trial->completed = false;
	trial->deadline = now() + TRIAL_SECONDS * NS_PER_S;
	alarm_set(TRIAL_SECONDS);
	ret = kvm_ioctl(trial->vcpu, KVM_SET_SREGS, sregs);
	if (ret == 0)
		ret = kvm_ioctl(trial->vcpu, KVM_SET_REGS, &regs);
	if (ret == 0)
		ret = kvm_ioctl(trial->vcpu, KVM_SET_MP_STATE, &running);
	return ret;
}

#define LOAD(trial, program, sregs, ebx, ecx) \
	program_load(trial, program, program##_end, sregs, ebx, ecx)

/* Run to the next port write. The port, or -errno. */
static int program_run(struct trial *trial)
{
	int ret;

	do {
		ret = ioctl(trial->vcpu, KVM_RUN, 0) < 0 ? -errno : 0;
	} while (ret == -EINTR && now() < trial->deadline);
	if (ret == -EINTR)
		return -ETIMEDOUT;
	if (ret < 0) {
		say("KVM_RUN: %s", strerror(-ret));
		return ret;
	}
	switch (trial->run->exit_reason) {
	case KVM_EXIT_IO:
		return trial->run->io.port;
	case KVM_EXIT_INTERNAL_ERROR:
		return -EOPNOTSUPP;
	case KVM_EXIT_SHUTDOWN:
		return -EFAULT;
	default:
		return -EIO;
	}
}

static int ram_read(void *ctx, uint64_t linear, void *dst, size_t len)
{
	struct trial *trial = ctx;

	if (linear > RAM_SIZE || len > RAM_SIZE - linear)
		return -EFAULT;
	memcpy(dst, trial->ram + linear, len);
	return 0;
}

static int ram_write(void *ctx, uint64_t linear, const void *src, size_t len)
{
	struct trial *trial = ctx;

	if (linear > RAM_SIZE || len > RAM_SIZE - linear)
		return -EFAULT;
	memcpy(trial->ram + linear, src, len);
	return 0;
}

/* As a vCPU of `vole run` does it. */
static int complete_instruction(struct trial *trial)
{
	struct emulate e = {.ctx = trial, .read = ram_read, .write = ram_write};
	uint8_t byte;
	int ret = kvm_ioctl(trial->vcpu, KVM_GET_REGS, &e.regs);

	if (ret == 0)
		ret = kvm_ioctl(trial->vcpu, KVM_GET_SREGS, &e.sregs);
	if (ret == 0)
		ret = ram_read(trial, e.regs.rip, &byte, sizeof byte);
	if (ret == 0)
		ret = emulate_instruction(&e, &byte, sizeof byte);
	if (ret == 0)
		ret = kvm_ioctl(trial->vcpu, KVM_SET_SREGS, &e.sregs);
	if (ret == 0)
		ret = kvm_ioctl(trial->vcpu, KVM_SET_REGS, &e.regs);
	return ret;
}

/* Run to the end, which is the write to VOLE_PORT_EXIT. */
static int program_finish(struct trial *trial)
{
	int ret = program_run(trial);

	while (ret == -EOPNOTSUPP) {
		ret = complete_instruction(trial);
		if (ret < 0)
			return ret;
		trial->completed = true;
		ret = program_run(trial);
	}
	if (ret < 0)
		return ret;
	return ret == VOLE_PORT_EXIT ? 0 : -EIO;
}

/* --- the trials ------------------------------------------------------------------------------- */

int trial_speed(struct trial *trial, double *microseconds)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	uint64_t time = 0;

	for (uint32_t loops = 1u << 12; time < SPEED_NS_MIN && loops != 0; loops *= 2) {
		int ret = LOAD(trial, speed_program, &sregs, 0, loops);
		uint64_t start = now();

		if (ret == 0)
			ret = program_finish(trial);
		if (ret < 0)
			return ret;
		time = now() - start;
		*microseconds = (double)time / NS_PER_US * (1e6 / 2) / loops;
	}
	return 0;
}

int trial_exit(struct trial *trial, double *microseconds)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret = LOAD(trial, exit_program, &sregs, 0, LOOPS);
	uint64_t start;

	if (ret < 0)
		return ret;
	start = now();
	do {
		ret = program_run(trial);
	} while (ret == VOLE_PORT_DEBUG);
	*microseconds = (double)(now() - start) / NS_PER_US / LOOPS;
	if (ret < 0)
		return ret;
	return ret == VOLE_PORT_EXIT ? 0 : -EIO;
}

/* An eventfd, made once: KVM takes its time to forget one. */
static int eventfd_make(int *fd)
{
	*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*fd < 0) {
		int ret = -errno;

		say("eventfd: %s", strerror(-ret));
		return ret;
	}
	return 0;
}

static int ioeventfd_make(struct trial *trial)
{
	int ret = eventfd_make(&trial->ioeventfd);

	if (ret == 0)
		ret = kvm_set_ioeventfd(&trial->kvm, trial->ioeventfd, DEVICE_BASE, 0, true);
	return ret;
}

int trial_ioeventfd(struct trial *trial, double *microseconds)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret = trial->ioeventfd < 0 ? ioeventfd_make(trial) : 0;
	uint64_t start, count;

	if (ret == 0)
		ret = LOAD(trial, ioeventfd_program, &sregs, DEVICE_BASE, LOOPS);
	if (ret < 0)
		return ret;
	start = now();
	ret = program_finish(trial);
	*microseconds = (double)(now() - start) / NS_PER_US / LOOPS;
	if (ret == 0 &&
		(read(trial->ioeventfd, &count, sizeof count) != sizeof count || count != LOOPS))
		ret = -EIO;
	return ret;
}

/* An IDT with this one gate. */
static void gate_set(struct trial *trial, struct kvm_sregs *sregs, uint8_t vector, uint8_t dpl)
{
	put64(trial, IDT + vector * 8u,
		0x00008e0000000000 | (uint64_t)dpl << 45 | SELECTOR_CODE << 16 | HANDLER);
	sregs->idt.limit = (uint16_t)(vector * 8u + 7);
}

static int irqfd_make(struct trial *trial)
{
	struct ioapic_route routes[IOAPIC_PINS] = {{true, APIC_BASE, INTERRUPT_VECTOR}};
	int ret = eventfd_make(&trial->irqfd);

	if (ret == 0)
		ret = kvm_set_routes(&trial->kvm, routes);
	if (ret == 0)
		ret = kvm_add_irqfd(&trial->kvm, trial->irqfd, 0);
	return ret;
}

int trial_interrupt(struct trial *trial, double *microseconds)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret = trial->irqfd < 0 ? irqfd_make(trial) : 0;
	uint64_t start, one = 1;

	gate_set(trial, &sregs, INTERRUPT_VECTOR, 0);
	if (ret == 0)
		ret = LOAD(trial, interrupt_program, &sregs, APIC_BASE, 0);
	if (ret == 0)
		ret = program_run(trial);
	if (ret < 0)
		return ret;
	start = now();
	if (ret != VOLE_PORT_DEBUG || write(trial->irqfd, &one, sizeof one) != sizeof one)
		return -EIO;
	ret = program_finish(trial);
	*microseconds = (double)(now() - start) / NS_PER_US;
	return ret;
}

int trial_iret(struct trial *trial, double *microseconds)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret = LOAD(trial, iret_program, &sregs, CODE, LOOPS);
	uint64_t start = now();

	if (ret == 0)
		ret = program_finish(trial);
	*microseconds = (double)(now() - start) / NS_PER_US / LOOPS;
	return ret;
}

int trial_system_call(struct trial *trial)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret;

	/* Available: ltr makes it busy. */
	put64(trial, GDT + SELECTOR_TSS, 0x0000890000000000 | TSS << 16 | (TSS_SIZE - 1));
	gate_set(trial, &sregs, SYSTEM_CALL_VECTOR, 3);
	ret = LOAD(trial, system_call_program, &sregs, CODE, SELECTOR_TSS);
	return ret < 0 ? ret : program_finish(trial);
}

int trial_paging(struct trial *trial)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret;

	sregs.cr4 = CR4_PSE;
	ret = LOAD(trial, paging_program, &sregs, PAGES, 0);
	return ret < 0 ? ret : program_finish(trial);
}

int trial_sse(struct trial *trial)
{
	struct kvm_sregs sregs = flat_sregs(trial);
	int ret;

	sregs.cr4 = CR4_OSFXSR;
	ret = LOAD(trial, sse_program, &sregs, 0, 0);
	return ret < 0 ? ret : program_finish(trial);
}
