/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <vole/ports.h>

#include "error_text.h"
#include "kvm/complete.h"
#include "kvm/debug_registers.h"
#include "layout.h"
#include "log.h"
#include "monotonic.h"

/* The VM's RAM. */
#define RAM_SIZE     0x100000u
#define GDT          0x1000u
#define TSS          0x1800u
#define IDTR         0x1f00u /* what lidt loads */
#define IDT          0x2000u
#define PAGES        0x3000u /* page directory */
#define CODE         0x4000u
#define HANDLER      0x5000u
#define WATCHED      0x6000u
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

#define STOPPED 0x10000 /* no port: a debug register has stopped the program */

#define INTERRUPT_VECTOR   0x40
#define SYSTEM_CALL_VECTOR 0x80

/*
 * The programs, in 32-bit assembly; the file is 64-bit otherwise. Each ends by a write to
 * VOLE_PORT_EXIT (0xf4). ESI is LOOPS, or as said; EBX what the probe needs.
 */
#define PROGRAM(name, code)                                                   \
	extern const uint8_t name[], name##_end[];                            \
	__asm__(".pushsection .rodata\n.code32\n" #name ":\n" code "\n" #name \
		"_end:\n.code64\n.popsection\n")

/* What the gates lead to; EOI is for interrupts (Intel SDM 3, 11.8.5). Out of user mode only CS and
 * SS are good. */
PROGRAM(handler, "movl $0, %ss:0xfee000b0; out %eax, $0xf4");
PROGRAM(speed_program, "1: dec %esi; jnz 1b; out %eax, $0xf4");
PROGRAM(exit_program, "1: out %al, $0xe9; dec %esi; jnz 1b; out %eax, $0xf4");
PROGRAM(ioeventfd_program, "1: mov %eax, (%ebx); dec %esi; jnz 1b; out %eax, $0xf4");
/* EBX: local APIC. Loads IDTR; then the spurious-interrupt vector register: APIC on (Intel SDM 3,
 * 11.9). */
PROGRAM(interrupt_program, "lidt 0x1f00; movl $0x1ff, 0xf0(%ebx); out %al, $0xe9; sti;"
			   "1: hlt; jmp 1b");
/* EBX: CODE. */
PROGRAM(iret_program, "lea 2f - iret_program(%ebx), %eax;"
		      "1: pushf; push %cs; push %eax; iret; 2: dec %esi; jnz 1b;"
		      "out %eax, $0xf4");
/* EBX: CODE, ESI: selector of the TSS. Loads IDTR; then goes to SELECTOR_CODE3, with a stack in
 * SELECTOR_DATA3. */
PROGRAM(system_call_program, "lidt 0x1f00; ltr %si; lea 1f - system_call_program(%ebx), %eax;"
			     "push $0x23; push $0xa000; pushf; push $0x1b; push %eax; iret;"
			     "1: int $0x80");
/* EBX: page directory. CR4.PSE, then CR0.PG. */
PROGRAM(paging_program, "mov $0x10, %eax; mov %eax, %cr4; mov %ebx, %cr3;"
			"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0;"
			"jmp 1f; 1: out %eax, $0xf4");
/* CR4.OSFXSR. */
PROGRAM(sse_program, "mov $0x200, %eax; mov %eax, %cr4; pxor %xmm0, %xmm0; out %eax, $0xf4");

/* The breakpoint is at the second instruction. */
PROGRAM(breakpoint_program, "nop; nop; out %eax, $0xf4");
/* EBX: WATCHED. */
PROGRAM(watchpoint_program, "mov %eax, (%ebx); nop; out %eax, $0xf4");

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

static void put64(struct probe *probe, uint32_t address, uint64_t value)
{
	memcpy(probe->memory.host + address, &value, sizeof value);
}

static void put32(struct probe *probe, uint32_t address, uint32_t value)
{
	memcpy(probe->memory.host + address, &value, sizeof value);
}

/* GDT, a TSS for the way from CPL 3 to CPL 0, and an identity map of 4 MiB pages. */
static void write_tables(struct probe *probe)
{
	put64(probe, GDT + (SELECTOR_CODE & ~7), GDT_FLAT_CODE);
	put64(probe, GDT + (SELECTOR_DATA & ~7), GDT_FLAT_DATA);
	put64(probe, GDT + (SELECTOR_CODE3 & ~7), 0x00cffb000000ffff);
	put64(probe, GDT + (SELECTOR_DATA3 & ~7), 0x00cff3000000ffff);
	put32(probe, TSS + 4, STACK_TOP);     /* ESP0 */
	put32(probe, TSS + 8, SELECTOR_DATA); /* SS0 */
	put32(probe, PAGES, 0x00000083);      /* writable, 4 MiB, present */
	memcpy(probe->memory.host + HANDLER, handler, (size_t)(handler_end - handler));
}

static int probe_memory(struct probe *probe)
{
	const struct memory_region ram = {.base = 0, .size = RAM_SIZE};
	int ret = memory_init(&probe->memory, &ram, 1);

	if (ret < 0)
		return ret;
	write_tables(probe);
	return kvm_add_memory(&probe->kvm, ram.base, ram.size, probe->memory.host, false);
}

int probe_init(struct probe *probe)
{
	struct sigaction action = {.sa_handler = alarm_rang};
	int ret;

	*probe = (struct probe){
		.kvm = KVM_EMPTY,
		.memory = MEMORY_EMPTY,
		.vcpu = VCPU_EMPTY,
		.ioeventfd = -1,
		.irqfd = -1,
	};
	sigaction(SIGALRM, &action, &probe->old_alarm);
	ret = kvm_init(&probe->kvm);
	if (ret == 0)
		ret = probe_memory(probe);
	if (ret == 0)
		ret = kvm_create_split_irqchip(&probe->kvm);
	if (ret == 0)
		ret = vcpu_init(&probe->vcpu, &probe->kvm, 0);
	probe->vcpu.cpu.gmem = &probe->memory.gmem;
	return ret;
}

void probe_free(struct probe *probe)
{
	vcpu_free(&probe->vcpu);
	if (probe->ioeventfd >= 0)
		close(probe->ioeventfd);
	if (probe->irqfd >= 0)
		close(probe->irqfd);
	kvm_free(&probe->kvm);
	memory_free(&probe->memory);
	alarm_set(0);
	sigaction(SIGALRM, &probe->old_alarm, NULL);
}

/* --- running a program ------------------------------------------------------------------------ */

/* Make the vCPU ready to run a program from its start: 32 bits, flat, paging off, no IDT, so that
 * an exception ends the VM. */
static int program_load(struct probe *probe, const uint8_t *program, const uint8_t *program_end,
	uint32_t ebx, uint32_t esi)
{
	struct kvm_mp_state running = {.mp_state = KVM_MP_STATE_RUNNABLE};
	struct entry_state state = {
		.mode = ENTRY_FLAT32,
		.ebx = ebx,
		.esi = esi,
		.eip = CODE,
		.esp = STACK_TOP,
		.code_selector = SELECTOR_CODE,
		.data_selector = SELECTOR_DATA,
		.gdt_base = GDT,
		.gdt_limit = SELECTOR_TSS + 7,
	};
	int ret;

	memcpy(probe->memory.host + CODE, program, (size_t)(program_end - program));
	probe->vcpu.completed = 0;
	probe->deadline = monotonic_ns() + PROBE_SECONDS * NS_PER_S;
	alarm_set(PROBE_SECONDS);
	ret = vcpu_set_state(&probe->vcpu, &state);
	return ret < 0 ? ret : kvm_ioctl(probe->vcpu.fd, KVM_SET_MP_STATE, &running);
}

#define LOAD(probe, program, ebx, esi) program_load(probe, program, program##_end, ebx, esi)

/* Run to the next port write. The port, STOPPED, or -errno. */
static int program_run(struct probe *probe)
{
	const struct kvm_run *run = probe->vcpu.run;
	int ret;

	do {
		ret = ioctl(probe->vcpu.fd, KVM_RUN, 0) < 0 ? -errno : 0;
	} while (ret == -EINTR && monotonic_ns() < probe->deadline);
	if (ret == -EINTR)
		return -ETIMEDOUT;
	if (ret < 0) {
		say("KVM_RUN: %s", error_text(-ret));
		return ret;
	}
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return run->io.port;
	case KVM_EXIT_DEBUG:
		return STOPPED;
	case KVM_EXIT_INTERNAL_ERROR:
		return run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION ? -EOPNOTSUPP : -EIO;
	case KVM_EXIT_SHUTDOWN:
		return -EFAULT;
	default:
		return -EIO;
	}
}

/* Run to the end, which is the write to VOLE_PORT_EXIT. */
static int program_finish(struct probe *probe)
{
	int ret = program_run(probe);

	while (ret == -EOPNOTSUPP) {
		ret = complete_instruction(&probe->vcpu);
		if (ret < 0)
			return ret;
		ret = program_run(probe);
	}
	if (ret < 0)
		return ret;
	return ret == VOLE_PORT_EXIT ? 0 : -EIO;
}

/* --- the probes ------------------------------------------------------------------------------- */

int probe_speed(struct probe *probe, double *microseconds)
{
	uint64_t time = 0;

	for (uint32_t loops = 1u << 12; time < SPEED_NS_MIN && loops != 0; loops *= 2) {
		int ret = LOAD(probe, speed_program, 0, loops);
		uint64_t start = monotonic_ns();

		if (ret == 0)
			ret = program_finish(probe);
		if (ret < 0)
			return ret;
		time = monotonic_ns() - start;
		*microseconds = (double)time / NS_PER_US * (1e6 / 2) / loops;
	}
	return 0;
}

int probe_exit(struct probe *probe, double *microseconds)
{
	int ret = LOAD(probe, exit_program, 0, LOOPS);
	uint64_t start;

	if (ret < 0)
		return ret;
	start = monotonic_ns();
	do {
		ret = program_run(probe);
	} while (ret == VOLE_PORT_DEBUG);
	*microseconds = (double)(monotonic_ns() - start) / NS_PER_US / LOOPS;
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

		say("eventfd: %s", error_text(-ret));
		return ret;
	}
	return 0;
}

static int ioeventfd_make(struct probe *probe)
{
	int ret = eventfd_make(&probe->ioeventfd);

	if (ret == 0)
		ret = kvm_set_ioeventfd(&probe->kvm, probe->ioeventfd, DEVICE_BASE, 0, true);
	return ret;
}

int probe_ioeventfd(struct probe *probe, double *microseconds)
{
	int ret = probe->ioeventfd < 0 ? ioeventfd_make(probe) : 0;
	uint64_t start, count;

	if (ret == 0)
		ret = LOAD(probe, ioeventfd_program, DEVICE_BASE, LOOPS);
	if (ret < 0)
		return ret;
	start = monotonic_ns();
	ret = program_finish(probe);
	*microseconds = (double)(monotonic_ns() - start) / NS_PER_US / LOOPS;
	if (ret == 0 &&
		(read(probe->ioeventfd, &count, sizeof count) != sizeof count || count != LOOPS))
		ret = -EIO;
	return ret;
}

/* An IDT with this one gate, for who loads IDTR. */
static void gate_set(struct probe *probe, uint8_t vector, uint8_t dpl)
{
	put64(probe, IDT + vector * 8u,
		0x00008e0000000000 | (uint64_t)dpl << 45 | SELECTOR_CODE << 16 | HANDLER);
	put64(probe, IDTR, (uint64_t)IDT << 16 | (vector * 8u + 7));
}

static int irqfd_make(struct probe *probe)
{
	struct ioapic_route routes[IOAPIC_PINS] = {{true, APIC_BASE, INTERRUPT_VECTOR}};
	int ret = eventfd_make(&probe->irqfd);

	if (ret == 0)
		ret = kvm_set_routes(&probe->kvm, routes);
	if (ret == 0)
		ret = kvm_add_irqfd(&probe->kvm, probe->irqfd, 0);
	return ret;
}

int probe_interrupt(struct probe *probe, double *microseconds)
{
	int ret = probe->irqfd < 0 ? irqfd_make(probe) : 0;
	uint64_t start, one = 1;

	gate_set(probe, INTERRUPT_VECTOR, 0);
	if (ret == 0)
		ret = LOAD(probe, interrupt_program, APIC_BASE, 0);
	if (ret == 0)
		ret = program_run(probe);
	if (ret < 0)
		return ret;
	start = monotonic_ns();
	if (ret != VOLE_PORT_DEBUG || write(probe->irqfd, &one, sizeof one) != sizeof one)
		return -EIO;
	ret = program_finish(probe);
	*microseconds = (double)(monotonic_ns() - start) / NS_PER_US;
	return ret;
}

int probe_iret(struct probe *probe, double *microseconds)
{
	int ret = LOAD(probe, iret_program, CODE, LOOPS);
	uint64_t start = monotonic_ns();

	if (ret == 0)
		ret = program_finish(probe);
	*microseconds = (double)(monotonic_ns() - start) / NS_PER_US / LOOPS;
	return ret;
}

int probe_system_call(struct probe *probe)
{
	int ret;

	/* Available: ltr makes it busy. */
	put64(probe, GDT + SELECTOR_TSS, 0x0000890000000000 | TSS << 16 | (TSS_SIZE - 1));
	gate_set(probe, SYSTEM_CALL_VECTOR, 3);
	ret = LOAD(probe, system_call_program, CODE, SELECTOR_TSS);
	return ret < 0 ? ret : program_finish(probe);
}

int probe_paging(struct probe *probe)
{
	int ret = LOAD(probe, paging_program, PAGES, 0);

	return ret < 0 ? ret : program_finish(probe);
}

int probe_sse(struct probe *probe)
{
	int ret = LOAD(probe, sse_program, 0, 0);

	return ret < 0 ? ret : program_finish(probe);
}

/* Runs the program that is loaded, with this point. */
static int stop_at(struct probe *probe, const struct debug_point *point)
{
	struct kvm_guest_debug off = {0},
			       on = {
				       .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
			       };
	struct debug_registers registers = {0};
	struct debug_event event;
	int ret;

	debug_registers_set(&registers, point, true);
	debug_registers_load(&registers, &on);
	if (ioctl(probe->vcpu.fd, KVM_SET_GUEST_DEBUG, &on) < 0)
		return -ENODEV;
	ret = program_run(probe);
	if (ret == STOPPED)
		ret = debug_registers_event(&registers, &probe->vcpu.run->debug.arch, &event)
			      ? 0
			      : -ENODEV;
	else if (ret >= 0)
		ret = -ENODEV;
	return ioctl(probe->vcpu.fd, KVM_SET_GUEST_DEBUG, &off) < 0 ? -errno : ret;
}

int probe_breakpoint(struct probe *probe)
{
	const struct debug_point point = {
		.kind = DEBUG_HARDWARE_BREAKPOINT, .linear = CODE + 1, .len = 1};
	int ret = LOAD(probe, breakpoint_program, 0, 0);

	return ret < 0 ? ret : stop_at(probe, &point);
}

int probe_watchpoint(struct probe *probe)
{
	const struct debug_point point = {.kind = DEBUG_WATCH_WRITE, .linear = WATCHED, .len = 4};
	int ret = LOAD(probe, watchpoint_program, WATCHED, 0);

	return ret < 0 ? ret : stop_at(probe, &point);
}
