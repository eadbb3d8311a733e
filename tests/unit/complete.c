/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * complete_instruction(): a vCPU's registers, its memory, with paging and without, and what KVM is
 * told. Functions here take the place of KVM. Which instruction does what is in emulate.c's tests.
 * Points name complete.h, cpu.h, the KVM API, or the SDM.
 */
#include "kvm/complete.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../capture.h"
#include "../tap.h"

#define FD     1000        /* stands for the vCPU's descriptor */
#define UPPER  0xc0000000u /* with paging, RAM is here */
#define CODE   0x1000u
#define GDT    0x2000u
#define IDT    0x3000u
#define TARGET 0x4000u
#define STACK  0x7000u
#define ROM    0x8000u /* a page of read-only memory */
#define END    0xa000u

static struct vcpu vcpu;
static uint8_t ram[END];
static struct gmem_region regions[] = {{0, ROM, ram, true}, {ROM, 0x1000, ram + ROM, false},
	{ROM + 0x1000, 0x1000, ram + ROM + 0x1000, true}};
static const struct gmem gmem = {.regions = regions, .count = 3};

/* --- KVM -------------------------------------------------------------------------------------- */

static struct {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	unsigned long failing; /* this request fails; 0: none */
	unsigned gets, sets;   /* of the segment registers */
	unsigned translations;
} kvm;

/* The names by which the linker has calls come here first. */
#define REAL(name) __real_##name
#define WRAP(name) __wrap_##name

int REAL(ioctl)(int fd, unsigned long request, void *argument);
int WRAP(ioctl)(int fd, unsigned long request, void *argument);

static int translate(struct kvm_translation *translation)
{
	kvm.translations++;
	translation->valid = translation->linear_address >= UPPER;
	translation->physical_address = translation->linear_address - UPPER;
	return 0;
}

int WRAP(ioctl)(int fd, unsigned long request, void *argument)
{
	if (fd != FD)
		return REAL(ioctl)(fd, request, argument);
	if (request == kvm.failing) {
		errno = EIO;
		return -1;
	}
	switch (request) {
	case KVM_GET_REGS:
		*(struct kvm_regs *)argument = kvm.regs;
		return 0;
	case KVM_SET_REGS:
		kvm.regs = *(struct kvm_regs *)argument;
		return 0;
	case KVM_GET_SREGS:
		*(struct kvm_sregs *)argument = kvm.sregs;
		kvm.gets++;
		return 0;
	case KVM_SET_SREGS:
		kvm.sregs = *(struct kvm_sregs *)argument;
		kvm.sets++;
		return 0;
	case KVM_GET_VCPU_EVENTS:
		*(struct kvm_vcpu_events *)argument = kvm.events;
		return 0;
	case KVM_SET_VCPU_EVENTS:
		kvm.events = *(struct kvm_vcpu_events *)argument;
		return 0;
	case KVM_TRANSLATE:
		return translate(argument);
	default:
		errno = EINVAL;
		return -1;
	}
}

/* --- the guest -------------------------------------------------------------------------------- */

static struct kvm_segment flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){.limit = UINT32_MAX,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1};
}

static void put64(uint32_t at, uint64_t value)
{
	memcpy(ram + at, &value, sizeof value);
}

static void put32(uint32_t at, uint32_t value)
{
	memcpy(ram + at, &value, sizeof value);
}

static uint32_t get32(uint32_t at)
{
	uint32_t value;

	memcpy(&value, ram + at, sizeof value);
	return value;
}

/* Sets up a CPU at CPL 0 in flat segments, at this instruction; base is added to all addresses. */
static void start(uint8_t first, uint8_t second, uint32_t base)
{
	const struct kvm none = {.vm = -1, .run_size = 4096};

	memset(&kvm, 0, sizeof kvm);
	memset(ram, 0, sizeof ram);
	capture_begin();
	vcpu_init(&vcpu, &none, 0);
	capture_end();
	vcpu.fd = FD;
	vcpu.cpu.gmem = &gmem;
	put64(GDT + 0x08, 0x00cf9b000000ffff);
	put64(GDT + 0x10, 0x00cf93000000ffff);
	/* Vector 0x30: an interrupt gate to TARGET. */
	put64(IDT + 8 * 0x30, 0x8e0000080000 + ((uint64_t)((base + TARGET) >> 16) << 48) +
				      ((base + TARGET) & 0xffff));
	ram[CODE] = first;
	ram[CODE + 1] = second;
	kvm.sregs.cs = flat(0x08, 11);
	kvm.sregs.ss = kvm.sregs.ds = kvm.sregs.es = flat(0x10, 3);
	kvm.sregs.gdt = (struct kvm_dtable){.base = base + GDT, .limit = 23};
	kvm.sregs.idt = (struct kvm_dtable){.base = base + IDT, .limit = 0x7ff};
	kvm.sregs.cr0 = base ? 0x80000001 : 1;
	kvm.regs.rip = base + CODE;
	kvm.regs.rsp = base + STACK;
	kvm.regs.rflags = 2;
}

/* --- tests ------------------------------------------------------------------------------------ */

#define IRET 0xcf
#define INT  0xcd

static void put_frame(uint32_t eip, uint32_t cs)
{
	put32(STACK, eip);
	put32(STACK + 4, cs);
	put32(STACK + 8, 0x202);
}

static void test_iret(void)
{
	start(IRET, 0, 0);
	put_frame(TARGET, 0x08);
	is(complete_instruction(&vcpu), 0, "complete.h IRET is completed");
	ok(kvm.regs.rip == TARGET && kvm.regs.rsp == STACK + 12 && kvm.regs.rflags == 0x202,
		"SDM 2, IRET: EIP, ESP and EFLAGS are set");
	is(kvm.sets, 1, "KVM 4.6 and the segment registers");
	is(vcpu.completed, 1, "complete.h it is counted");
	is(kvm.gets, 1, "vcpu.h registers are asked for once, whatever memory it accesses");
	ok(!vcpu.sregs, "vcpu.h and forgotten then");
	is(kvm.translations, 0, "KVM 4.9 without paging KVM translates nothing");
}

static void test_paging(void)
{
	start(IRET, 0, UPPER);
	put_frame(UPPER + TARGET, 0x08);
	is(complete_instruction(&vcpu), 0, "complete.h with paging IRET is completed");
	is(kvm.regs.rip, UPPER + TARGET, "SDM 2, IRET: its operands have linear addresses");
	ok(kvm.translations > 0, "KVM 4.9 which KVM translates");

	start(IRET, 0, UPPER);
	put_frame(UPPER + TARGET, 0x08);
	kvm.regs.rsp = STACK;
	is(complete_instruction(&vcpu), 0, "complete.h a stack that is not mapped");
	ok(kvm.events.exception.injected && kvm.events.exception.nr == 13, "complete.h is #GP");
}

static void test_int(void)
{
	start(INT, 0x30, 0);
	is(complete_instruction(&vcpu), 0, "complete.h INT n is completed");
	ok(kvm.regs.rip == TARGET && kvm.regs.rsp == STACK - 12,
		"SDM 2, INT n: EIP and ESP are set");
	ok(get32(STACK - 12) == CODE + 2 && get32(STACK - 8) == 0x08 && get32(STACK - 4) == 2,
		"SDM 2, INT n: the frame is in guest memory");
}

static void test_faults(void)
{
	start(IRET, 0, 0);
	put_frame(TARGET, 0x18);
	is(complete_instruction(&vcpu), 0, "complete.h IRET to a selector beyond the GDT");
	ok(kvm.events.exception.injected && kvm.events.exception.nr == 13 &&
			kvm.events.exception.has_error_code && kvm.events.exception.error_code == 0,
		"complete.h is #GP, which KVM delivers");
	ok(kvm.regs.rip == CODE && kvm.regs.rsp == STACK && kvm.sets == 0,
		"SDM 3, 6.5 registers are as before a fault");
	is(vcpu.completed, 0, "complete.h and nothing was completed");
	ok(!vcpu.sregs, "vcpu.h registers are forgotten, too");

	start(INT, 0x30, 0);
	kvm.regs.rsp = ROM + 0x800;
	complete_instruction(&vcpu);
	ok(kvm.events.exception.injected && get32(ROM + 0x7f4) == 0,
		"complete.h a stack in read-only memory is #GP");
	start(INT, 0x30, 0);
	kvm.regs.rsp = ROM + 4;
	complete_instruction(&vcpu);
	ok(kvm.events.exception.injected && get32(ROM - 8) == 0 && get32(ROM - 4) == 0,
		"cpu.h where a part is not writable nothing is written");
	start(INT, 0x30, 0);
	kvm.regs.rsp = ROM + 0x1004;
	complete_instruction(&vcpu);
	ok(kvm.events.exception.injected && get32(ROM + 0x1000) == 0,
		"cpu.h nor where the lower part is not");
}

static void test_unknown(void)
{
	start(0x90, 0x90, 0);
	is(complete_instruction(&vcpu), -EOPNOTSUPP, "complete.h another instruction: -EOPNOTSUPP");
	ok(kvm.regs.rip == CODE && kvm.sets == 0 && !kvm.events.exception.injected,
		"complete.h nothing changed");
	is(vcpu.completed, 0, "complete.h and nothing was completed");

	/* The last byte of RAM is an instruction of one byte, or the first of two. */
	start(0, 0, 0);
	put_frame(TARGET, 0x08);
	ram[END - 1] = IRET;
	kvm.regs.rip = END - 1;
	is(complete_instruction(&vcpu), 0, "cpu.h bytes are read up to the end of RAM");
	is(kvm.regs.rip, TARGET, "complete.h and suffice for IRET");
	start(0, 0, 0);
	ram[END - 1] = INT;
	kvm.regs.rip = END - 1;
	is(complete_instruction(&vcpu), -EOPNOTSUPP, "complete.h half an instruction is none");
	start(0, 0, 0);
	kvm.regs.rip = END;
	is(complete_instruction(&vcpu), -EOPNOTSUPP, "complete.h nor is none");
}

static void test_base(void)
{
	start(IRET, 0, 0);
	put_frame(TARGET, 0x08);
	kvm.sregs.cs.base = 0x800;
	kvm.regs.rip = CODE - 0x800;
	is(complete_instruction(&vcpu), 0, "complete.h the instruction is at CS:RIP");
	is(kvm.regs.rip, TARGET, "complete.h which is executed");
}

static void test_failing_kvm(void)
{
	static const struct {
		unsigned long request;
		const char *name;
		bool faults;
	} requests[] = {
		{KVM_GET_REGS, "KVM_GET_REGS", false},
		{KVM_GET_SREGS, "KVM_GET_SREGS", false},
		{KVM_SET_REGS, "KVM_SET_REGS", false},
		{KVM_SET_SREGS, "KVM_SET_SREGS", false},
		{KVM_GET_VCPU_EVENTS, "KVM_GET_VCPU_EVENTS", true},
		{KVM_SET_VCPU_EVENTS, "KVM_SET_VCPU_EVENTS", true},
	};

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		const char *said;

		start(IRET, 0, 0);
		put_frame(TARGET, requests[i].faults ? 0x18 : 0x08);
		kvm.failing = requests[i].request;
		capture_begin();
		is(complete_instruction(&vcpu), -EIO, "complete.h %s fails: -EIO",
			requests[i].name);
		said = capture_end();
		ok(capture_lines(said) == 1 && strstr(said, requests[i].name),
			"complete.h %s is named, once", requests[i].name);
		is(vcpu.completed, 0, "complete.h %s: nothing was completed", requests[i].name);
	}
}

int main(void)
{
	test_iret();
	test_paging();
	test_int();
	test_faults();
	test_unknown();
	test_base();
	test_failing_kvm();
	return tap_done();
}
