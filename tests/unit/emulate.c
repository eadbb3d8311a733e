/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completion of iret and of software interrupts on registers and a fake memory. Clauses: Intel SDM
 * 2, "IRET" and "INT n", of which the names in capitals are; SDM 3 where said.
 */
#include "kvm/emulate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../tap.h"

#define MEMORY_SIZE 0x20000u
#define GDT         0x1000
#define LDT         0x2000
#define IDT         0x3000
#define STACK       0x8000 /* of CPL 0 */
#define READ_ONLY   0xf000 /* and above */
#define EIP         0x4000
#define TARGET      0x5678
#define UPPER       0xffffffff80000000ull /* the same memory, for 64-bit mode */
#define TSS64       0x5000
#define STACK_IST   0xa008      /* not divisible by 16 */
#define HIGH_BASE   0xfffff000u /* of a segment whose linear addresses wrap */

/* Selectors. */
enum {
	CODE0 = 0x08,
	DATA0 = 0x10,
	CODE3 = 0x18,
	DATA3 = 0x20,
	CONFORMING0 = 0x28,
	CONFORMING3 = 0x30,
	ABSENT_CODE0 = 0x38,
	ABSENT_DATA3 = 0x40,
	READ_ONLY_DATA3 = 0x48,
	SMALL_CODE0 = 0x50,
	TSS = 0x58,
	CODE1 = 0x60,
	DATA3_16 = 0x68,
	SYSTEM3 = 0x70,
	CODE64 = 0x78,
	CODE64_3 = 0x80,
	GDT_END = 0x88,
	LDT_CODE0 = 0x04,
	LDT_END = 0x08,
};

struct memory {
	uint8_t bytes[MEMORY_SIZE];
	unsigned writes;
};

static int memory_read(void *ctx, uint64_t linear, void *dst, size_t len)
{
	struct memory *memory = ctx;

	linear -= linear >= UPPER ? UPPER : 0;
	if (linear > MEMORY_SIZE || len > MEMORY_SIZE - linear)
		return -EFAULT;
	memcpy(dst, memory->bytes + linear, len);
	return 0;
}

static int memory_write(void *ctx, uint64_t linear, const void *src, size_t len)
{
	struct memory *memory = ctx;

	linear -= linear >= UPPER ? UPPER : 0;
	if (linear > READ_ONLY || len > READ_ONLY - linear)
		return -EFAULT;
	memory->writes++;
	memcpy(memory->bytes + linear, src, len);
	return 0;
}

static void put(struct memory *memory, uint32_t at, const void *src, size_t len)
{
	memcpy(memory->bytes + at, src, len);
}

static uint32_t word(const struct memory *memory, uint32_t at)
{
	uint32_t value;

	memcpy(&value, memory->bytes + at, sizeof value);
	return value;
}

/* access: the descriptor's byte 5; flags: its upper nibble of byte 6. */
static uint64_t descriptor(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
	       (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)flags << 52 |
	       (uint64_t)(base >> 24) << 56;
}

static void put_descriptor(struct memory *memory, uint32_t table, unsigned selector, uint64_t value)
{
	put(memory, table + (selector & ~7u), &value, sizeof value);
}

static void put_gate(struct memory *memory, uint8_t vector, uint16_t selector, uint8_t access)
{
	uint64_t value = (TARGET & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 40 |
			 0x0001ull << 48;

	put(memory, IDT + vector * 8u, &value, sizeof value);
}

static struct kvm_segment flat(uint16_t selector, uint8_t type, uint8_t dpl)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = dpl,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static void set_cpl(struct emulate *e, unsigned cpl)
{
	uint8_t dpl = (uint8_t)cpl;

	e->sregs.cs = flat((uint16_t)((cpl ? CODE3 : CODE0) | cpl), 0xb, dpl);
	e->sregs.ss = flat((uint16_t)((cpl ? DATA3 : DATA0) | cpl), 0x3, dpl);
	e->sregs.ds = e->sregs.es = e->sregs.fs = e->sregs.gs = e->sregs.ss;
}

/* A CPU at CPL 0 in flat segments. */
static void start(struct emulate *e, struct memory *memory)
{
	*memory = (struct memory){.writes = 0};
	put_descriptor(memory, GDT, CODE0, descriptor(0, 0xfffff, 0x9a, 0xc));
	put_descriptor(memory, GDT, DATA0, descriptor(0, 0xfffff, 0x92, 0xc));
	put_descriptor(memory, GDT, CODE3, descriptor(0x12345678, 0xfffff, 0xfa, 0xc));
	put_descriptor(memory, GDT, DATA3, descriptor(0, 0xfffff, 0xf2, 0xc));
	put_descriptor(memory, GDT, CONFORMING0, descriptor(0, 0xfffff, 0x9e, 0xc));
	put_descriptor(memory, GDT, CONFORMING3, descriptor(0, 0xfffff, 0xfe, 0xc));
	put_descriptor(memory, GDT, ABSENT_CODE0, descriptor(0, 0xfffff, 0x1a, 0xc));
	put_descriptor(memory, GDT, ABSENT_DATA3, descriptor(0, 0xfffff, 0x72, 0xc));
	put_descriptor(memory, GDT, READ_ONLY_DATA3, descriptor(0, 0xfffff, 0xf0, 0xc));
	put_descriptor(memory, GDT, SMALL_CODE0, descriptor(0, TARGET, 0x9a, 0x4));
	put_descriptor(memory, GDT, TSS, descriptor(0, 0xfffff, 0x89, 0x8));
	put_descriptor(memory, GDT, CODE1, descriptor(0, 0xfffff, 0xba, 0xc));
	put_descriptor(memory, GDT, DATA3_16, descriptor(0x20, 0xffff, 0xf2, 0));
	put_descriptor(memory, GDT, SYSTEM3, descriptor(0, 0xfffff, 0xe2, 0x8));
	put_descriptor(memory, GDT, 0, descriptor(0, 0xfffff, 0x9a, 0xc));
	put_descriptor(memory, LDT, LDT_CODE0, descriptor(0, 0xfffff, 0x9a, 0xc));
	*e = (struct emulate){.ctx = memory, .read = memory_read, .write = memory_write};
	set_cpl(e, 0);
	e->sregs.gdt = (struct kvm_dtable){.base = GDT, .limit = GDT_END - 1};
	e->sregs.idt = (struct kvm_dtable){.base = IDT, .limit = 0x100 * 8 - 1};
	e->sregs.ldt = (struct kvm_segment){.base = LDT, .limit = LDT_END - 1, .present = 1};
	e->sregs.cr0 = 0x11;
	e->regs.rip = EIP;
	e->regs.rsp = STACK;
	e->regs.rflags = 0x2;
}

static void push32(struct emulate *e, uint32_t value)
{
	e->regs.rsp -= 4;
	put(e->ctx, (uint32_t)e->regs.rsp, &value, 4);
}

static void push16(struct emulate *e, uint16_t value)
{
	e->regs.rsp -= 2;
	put(e->ctx, (uint32_t)e->regs.rsp, &value, 2);
}

static void push_frame(struct emulate *e, uint32_t eip, uint32_t cs, uint32_t flags)
{
	push32(e, flags);
	push32(e, cs);
	push32(e, eip);
}

static void push_outer_frame(
	struct emulate *e, uint32_t eip, uint32_t cs, uint32_t flags, uint32_t esp, uint32_t ss)
{
	push32(e, ss);
	push32(e, esp);
	push_frame(e, eip, cs, flags);
}

/* Runs an instruction that is not to be completed. */
static void refused(struct emulate *e, const char *code, size_t len, int expected, const char *name)
{
	struct memory *memory = e->ctx;
	struct emulate before;
	int err;

	/* With the bytes between the members. */
	memcpy(&before, e, sizeof before);
	memory->writes = 0;
	err = emulate_instruction(e, (const uint8_t *)code, len);
	ok(err == expected && memcmp(&before, e, sizeof before) == 0 && memory->writes == 0, "%s",
		name);
	if (err != expected)
		printf("# returned %d, expected %d\n", err, expected);
}

static int run(struct emulate *e, const char *code, size_t len)
{
	return emulate_instruction(e, (const uint8_t *)code, len);
}

#define IRET   "\xcf", 1
#define IRET16 "\x66\xcf", 2
#define INT3   "\xcc", 1
#define INT(n) "\xcd" n, 2
#define INTO   "\xce", 1

static struct memory memory;

static void test_same_level(void)
{
	struct emulate e;

	start(&e, &memory);
	e.regs.rax = 0x11223344;
	e.sregs.ds = flat(0x10, 0x1, 0);
	push_frame(&e, TARGET, CODE0, 0x246);
	is(run(&e, IRET), 0, "RETURN-TO-SAME-PRIVILEGE-LEVEL is completed");
	is(e.regs.rip, TARGET, "EIP is popped");
	is(e.regs.rsp, STACK, "ESP is above the three words");
	is(e.regs.rflags, 0x246, "EFLAGS are popped");
	ok(e.sregs.cs.selector == CODE0 && e.sregs.cs.base == 0 && e.sregs.cs.limit == 0xffffffff &&
			e.sregs.cs.type == 0xb && e.sregs.cs.s && e.sregs.cs.present &&
			e.sregs.cs.db && e.sregs.cs.g && e.sregs.cs.dpl == 0 && !e.sregs.cs.l &&
			!e.sregs.cs.unusable,
		"CS is loaded from the GDT, accessed");
	ok(e.regs.rax == 0x11223344 && e.sregs.ds.selector == 0x10 && e.sregs.ds.type == 1 &&
			e.sregs.ss.selector == DATA0,
		"other registers stay");
	is(memory.writes, 0, "no memory is written");

	start(&e, &memory);
	push_frame(&e, TARGET, LDT_CODE0, 0x2);
	ok(run(&e, IRET) == 0 && e.sregs.cs.selector == LDT_CODE0, "CS can come from the LDT");

	start(&e, &memory);
	push_frame(&e, TARGET, CONFORMING0, 0x2);
	ok(run(&e, IRET) == 0 && e.sregs.cs.type == 0xf, "a conforming segment of DPL = RPL");

	start(&e, &memory);
	push_frame(&e, TARGET, 0xabcd0000u | CODE0, 0x2);
	ok(run(&e, IRET) == 0 && e.sregs.cs.selector == CODE0, "16 of the popped bits are CS");

	start(&e, &memory);
	push_frame(&e, TARGET, SMALL_CODE0, 0x2);
	ok(run(&e, IRET) == 0 && e.sregs.cs.limit == TARGET && !e.sregs.cs.g,
		"an EIP equal to the limit is within it; a limit in bytes");

	start(&e, &memory);
	set_cpl(&e, 3);
	push_frame(&e, TARGET, CODE3 | 3, 0x2);
	ok(run(&e, IRET) == 0 && e.sregs.cs.selector == (CODE3 | 3) &&
			e.sregs.cs.base == 0x12345678 && e.sregs.cs.dpl == 3,
		"from CPL 3 to CPL 3, a segment with a base");
	set_cpl(&e, 3);
	push_frame(&e, TARGET, CONFORMING0 | 3, 0x2);
	ok(run(&e, IRET) == 0 && e.sregs.cs.dpl == 0 && e.sregs.ss.dpl == 3,
		"from CPL 3 to a conforming segment of DPL 0: CPL stays 3");
}

static void test_outer_level(void)
{
	struct emulate e;

	start(&e, &memory);
	e.sregs.ds = flat(DATA0, 0x3, 0);
	e.sregs.es = flat(DATA3 | 3, 0x3, 3);
	e.sregs.fs = flat(CONFORMING0, 0xf, 0);
	e.sregs.gs = flat(CODE0, 0xb, 0);
	push_outer_frame(&e, TARGET, CODE3 | 3, 0x3202, 0x7000, DATA3 | 3);
	is(run(&e, IRET), 0, "RETURN-TO-OUTER-PRIVILEGE-LEVEL is completed");
	ok(e.regs.rip == TARGET && e.sregs.cs.selector == (CODE3 | 3) && e.sregs.cs.dpl == 3,
		"CS:EIP are popped");
	is(e.regs.rsp, 0x7000, "ESP is popped");
	ok(e.sregs.ss.selector == (DATA3 | 3) && e.sregs.ss.dpl == 3 && e.sregs.ss.type == 3 &&
			e.sregs.ss.limit == 0xffffffff,
		"SS is loaded, accessed");
	is(e.regs.rflags, 0x3202, "EFLAGS are popped, with IF and IOPL at CPL 0");
	ok(e.sregs.ds.unusable && e.sregs.ds.selector == 0, "DS of DPL 0 becomes null");
	ok(!e.sregs.es.unusable && e.sregs.es.selector == (DATA3 | 3), "ES of DPL 3 stays");
	ok(!e.sregs.fs.unusable && e.sregs.fs.selector == CONFORMING0,
		"FS with conforming code of DPL 0 stays");
	ok(e.sregs.gs.unusable && e.sregs.gs.selector == 0, "GS with code of DPL 0 becomes null");

	start(&e, &memory);
	push_outer_frame(&e, TARGET, CONFORMING0 | 3, 0x2, 0x7000, DATA3 | 3);
	ok(run(&e, IRET) == 0 && e.sregs.ss.dpl == 3 && e.sregs.cs.selector == (CONFORMING0 | 3),
		"to conforming code of DPL 0 at CPL 3");

	start(&e, &memory);
	push_outer_frame(&e, TARGET, CODE3 | 3, 0x2, 0x71237000, DATA3_16 | 3);
	e.regs.rsp += 0x10000000;
	e.sregs.ss.base = 0xf0000000;
	ok(run(&e, IRET) == 0 && e.sregs.ss.base == 0x20 && !e.sregs.ss.db &&
			e.regs.rsp == 0x10007000,
		"with a 16-bit stack SP alone is loaded");

	start(&e, &memory);
	push16(&e, DATA3 | 3);
	push16(&e, 0x7000);
	push16(&e, 0x3202);
	push16(&e, CODE3 | 3);
	push16(&e, TARGET);
	ok(run(&e, IRET16) == 0 && e.regs.rip == TARGET && e.regs.rsp == 0x7000 &&
			e.regs.rflags == 0x3202 && e.sregs.ss.selector == (DATA3 | 3),
		"the 16-bit form to an outer level");
}

static void test_flags(void)
{
	struct emulate e;

	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0xfffdffffu & ~(1u << 14));
	ok(run(&e, IRET) == 0 && e.regs.rflags == 0x3d3fd7,
		"all defined flags can be set at CPL 0, reserved ones and VM stay 0");

	start(&e, &memory);
	e.regs.rflags = 0x3d3fd7 & ~(1u << 14);
	push_frame(&e, TARGET, CODE0, 0);
	ok(run(&e, IRET) == 0 && e.regs.rflags == 0x2, "all can be cleared but bit 1");

	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 1u << 14);
	ok(run(&e, IRET) == 0 && e.regs.rflags == 0x4002, "NT is popped");

	start(&e, &memory);
	set_cpl(&e, 3);
	e.regs.rflags = 0x202;
	push_frame(&e, TARGET, CODE3 | 3, 0x3000 | 1u << 19 | 1u << 20 | 1u << 17);
	ok(run(&e, IRET) == 0 && e.regs.rflags == 0x202,
		"CPL 3 > IOPL: IF, IOPL, VIF, VIP and VM stay");
	set_cpl(&e, 3);
	e.regs.rflags = 0x3202;
	push_frame(&e, TARGET, CODE3 | 3, 0x0ad5);
	ok(run(&e, IRET) == 0 && e.regs.rflags == 0x3ad7, "CPL 3 = IOPL: IF can be set");
	set_cpl(&e, 3);
	push_frame(&e, TARGET, CODE3 | 3, 0);
	ok(run(&e, IRET) == 0 && e.regs.rflags == 0x3002, "CPL 3 = IOPL: IF can be cleared");

	start(&e, &memory);
	e.regs.rflags = 0x2 | 1u << 16 | 1u << 18 | 1u << 21 | 1u << 19;
	push16(&e, 0x3ad5);
	push16(&e, CODE0);
	push16(&e, TARGET);
	is(run(&e, IRET16), 0, "the 16-bit form is completed");
	ok(e.regs.rip == TARGET && e.regs.rsp == STACK, "it pops 6 bytes");
	is(e.regs.rflags, 0x3ad7 | 1u << 16 | 1u << 18 | 1u << 21 | 1u << 19,
		"it changes the low half of EFLAGS alone");

	start(&e, &memory);
	e.sregs.cs.db = 0;
	push16(&e, 0x2);
	push16(&e, CODE0);
	push16(&e, TARGET);
	ok(run(&e, IRET) == 0 && e.regs.rip == TARGET, "in 16-bit code it has no prefix");
	start(&e, &memory);
	e.sregs.cs.db = 0;
	push_frame(&e, TARGET + 0x10000, CODE0, 0x2);
	ok(run(&e, IRET16) == 0 && e.regs.rip == TARGET + 0x10000,
		"and there the prefix makes the 32-bit form");
}

static void test_stack(void)
{
	struct emulate e;
	uint32_t frame[] = {TARGET, CODE0, 0x2};

	start(&e, &memory);
	e.sregs.ss.base = 0x100;
	put(&memory, 0x6100, frame, sizeof frame);
	e.regs.rsp = 0x6000;
	ok(run(&e, IRET) == 0 && e.regs.rip == TARGET && e.regs.rsp == 0x600c,
		"the stack is at SS's base plus ESP");

	start(&e, &memory);
	e.sregs.ss.base = HIGH_BASE;
	put(&memory, 0x6000, frame, sizeof frame);
	e.regs.rsp = 0x7000;
	ok(run(&e, IRET) == 0 && e.regs.rsp == 0x700c, "SDM 3, 3.3 linear addresses wrap");

	start(&e, &memory);
	e.sregs.ss.db = 0;
	e.sregs.ss.limit = 0xffff;
	put(&memory, 0xfffc, &frame[0], 4);
	put(&memory, 0x0000, &frame[1], 8);
	e.regs.rsp = 0xabcdfffc;
	ok(run(&e, IRET) == 0 && e.regs.rip == TARGET && e.regs.rsp == 0xabcd0008,
		"a 16-bit stack wraps at 64 KiB and leaves ESP's upper half");

	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0x2);
	e.sregs.ss.limit = STACK - 1;
	is(run(&e, IRET), 0, "a frame that ends at the limit is within it");
	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0x2);
	e.sregs.ss.limit = STACK - 2;
	refused(&e, IRET, -EFAULT, "a frame that crosses the limit is #SS");
	start(&e, &memory);
	push_outer_frame(&e, TARGET, CODE3 | 3, 0x2, 0x7000, DATA3 | 3);
	e.sregs.ss.limit = STACK - 2;
	refused(&e, IRET, -EFAULT, "an outer frame that crosses the limit is #SS");

	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0x2);
	e.sregs.ss.type = 0x7;
	e.sregs.ss.limit = STACK - 13;
	is(run(&e, IRET), 0, "SDM 3, 3.4.5.1 an expand-down stack lies above its limit");
	push_frame(&e, TARGET, CODE0, 0x2);
	e.sregs.ss.limit = STACK - 12;
	refused(&e, IRET, -EFAULT, "and what is not above it is #SS");

	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0x2);
	e.regs.rsp += 0x10000000;
	e.sregs.ss.base = 0xf0000000;
	e.sregs.ss.type = 0x7;
	e.sregs.ss.limit = 0xffff;
	is(run(&e, IRET), 0, "up to 4 GiB if it has 32 bits");

	start(&e, &memory);
	e.sregs.ss = (struct kvm_segment){.type = 0x7, .s = 1, .present = 1};
	put(&memory, 0xfffe, &frame[0], 4);
	put(&memory, 0x2, &frame[1], 8);
	e.regs.rsp = 0xfffe;
	refused(&e, IRET, -EFAULT, "and up to 64 KiB if it has 16");

	start(&e, &memory);
	e.regs.rsp = MEMORY_SIZE - 8;
	refused(&e, IRET, -EFAULT, "a frame that is not all in memory is a fault");
	start(&e, &memory);
	e.regs.rsp = 0xfffffffe;
	refused(&e, IRET, -EFAULT, "a word that crosses 4 GiB is #SS");
}

static void test_iret_refusals(void)
{
	static const struct {
		uint32_t eip, cs;
		const char *name;
	} same[] = {
		{TARGET, 0, "a null CS is #GP"},
		{TARGET, 3, "a null CS of RPL 3 is #GP"},
		{TARGET, GDT_END, "a CS beyond the GDT is #GP"},
		{TARGET, 0xfff8, "a CS far beyond the GDT is #GP"},
		{TARGET, LDT_END | 4, "a CS beyond the LDT is #GP"},
		{TARGET, DATA0, "a CS that is data is #GP"},
		{TARGET, TSS, "a CS that is a system segment is #GP"},
		{TARGET, ABSENT_CODE0, "a CS that is not present is #NP"},
		{TARGET, CODE3, "a CS of RPL 0 and DPL 3 is #GP"},
		{TARGET, CONFORMING3, "a conforming CS of RPL 0 and DPL 3 is #GP"},
		{TARGET, CODE0 | 3, "a CS of RPL 3 and DPL 0 is #GP"},
		{TARGET + 1, SMALL_CODE0, "an EIP beyond the limit is #GP"},
	};
	static const struct {
		uint32_t eip, cs, ss;
		const char *name;
	} outer[] = {
		{TARGET, CODE3 | 3, 0, "a null SS is #GP"},
		{TARGET, CODE3 | 3, 3, "a null SS of RPL 3 is #GP"},
		{TARGET, CODE3 | 3, GDT_END | 3, "an SS beyond the GDT is #GP"},
		{TARGET, CODE3 | 3, DATA3, "an SS of RPL 0 is #GP"},
		{TARGET, CODE3 | 3, DATA0 | 3, "an SS of DPL 0 is #GP"},
		{TARGET, CODE1 | 1, DATA3 | 3, "an SS of another level than CS is #GP"},
		{TARGET, CODE3 | 3, CODE3 | 3, "an SS that is code is #GP"},
		{TARGET, CODE3 | 3, READ_ONLY_DATA3 | 3, "an SS that is read-only is #GP"},
		{TARGET, CODE3 | 3, SYSTEM3 | 3, "an SS that is a system segment is #GP"},
		{TARGET, CODE3 | 3, ABSENT_DATA3 | 3, "an SS that is not present is #SS"},
	};
	struct emulate e;

	for (unsigned i = 0; i < sizeof same / sizeof *same; i++) {
		start(&e, &memory);
		push_outer_frame(&e, same[i].eip, same[i].cs, 0x2, 0x7000, DATA3 | 3);
		refused(&e, IRET, -EFAULT, same[i].name);
	}
	for (unsigned i = 0; i < sizeof outer / sizeof *outer; i++) {
		start(&e, &memory);
		push_outer_frame(&e, outer[i].eip, outer[i].cs, 0x2, 0x7000, outer[i].ss);
		refused(&e, IRET, -EFAULT, outer[i].name);
	}

	start(&e, &memory);
	set_cpl(&e, 3);
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EFAULT, "from CPL 3 to RPL 0 is #GP");
	start(&e, &memory);
	e.sregs.ldt.unusable = 1;
	push_frame(&e, TARGET, LDT_CODE0, 0x2);
	refused(&e, IRET, -EFAULT, "a CS in an LDT that is not there is #GP");
	start(&e, &memory);
	e.sregs.gdt.base = MEMORY_SIZE;
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EFAULT, "a GDT outside of memory is a fault");
	start(&e, &memory);
	e.sregs.gdt.limit = CODE0 + 6;
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EFAULT, "a descriptor that the GDT's limit cuts is #GP");
	start(&e, &memory);
	e.sregs.gdt.limit = CODE0 + 7;
	push_frame(&e, TARGET, CODE0, 0x2);
	is(run(&e, IRET), 0, "the last descriptor of the GDT is within its limit");
}

static void test_not_known(void)
{
	struct emulate e;

	start(&e, &memory);
	e.regs.rflags |= 1u << 14;
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EOPNOTSUPP, "TASK-RETURN (NT is set) is not known");
	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0x2 | 1u << 17);
	refused(&e, IRET, -EOPNOTSUPP, "RETURN-TO-VIRTUAL-8086-MODE is not known");
	start(&e, &memory);
	e.regs.rflags |= 1u << 17;
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EOPNOTSUPP, "RETURN-FROM-VIRTUAL-8086-MODE is not known");
	start(&e, &memory);
	e.sregs.cr0 = 0x10;
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EOPNOTSUPP, "REAL-ADDRESS-MODE is not known");
	start(&e, &memory);
	e.sregs.efer = 0x500;
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, IRET, -EOPNOTSUPP, "IA-32e mode is not known");
	start(&e, &memory);
	push_frame(&e, TARGET, CODE0, 0x2);
	refused(&e, "\xcf", 0, -EOPNOTSUPP, "no byte is no instruction");
	refused(&e, "\x66\xcf", 1, -EOPNOTSUPP, "a prefix alone is no instruction");
	refused(&e, "\xcd\x03", 1, -EOPNOTSUPP, "half of an instruction is none");
	refused(&e, "\x0f\x01\xf9", 3, -EOPNOTSUPP, "another instruction is not known");
	refused(&e, "\xcb", 1, -EOPNOTSUPP, "its neighbour retf is not known");
}

static void test_software_interrupt(void)
{
	struct emulate e;

	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x8e);
	e.regs.rflags = 0x3d3fd7 & ~(1u << 14);
	is(run(&e, INT("\x30")), 0, "INTRA-PRIVILEGE-LEVEL-INTERRUPT is completed");
	is(e.regs.rip, 0x10000 | TARGET, "EIP is the gate's offset, both halves");
	is(e.regs.rsp, STACK - 12, "three words are pushed");
	is(word(&memory, STACK - 12), EIP + 2, "at the top EIP of the next instruction");
	is(word(&memory, STACK - 8), CODE0, "then CS");
	is(word(&memory, STACK - 4), 0x3c3fd7 & ~(1u << 14), "then EFLAGS, RF 0");
	is(e.regs.rflags, (0x3c3fd7 & ~(1u << 14)) & ~0x300u,
		"an interrupt gate clears IF, TF, NT, RF and VM");
	is(run(&e, IRET), 0, "iret leads back");
	ok(e.regs.rip == EIP + 2 && e.regs.rsp == STACK && e.sregs.cs.selector == CODE0 &&
			e.regs.rflags == (0x3c3fd7 & ~(1u << 14)),
		"to the next instruction, with the flags of before");

	start(&e, &memory);
	put_gate(&memory, 3, CODE0, 0x8f);
	e.regs.rflags = 0x302;
	ok(run(&e, INT3) == 0 && word(&memory, STACK - 12) == EIP + 1 && e.regs.rflags == 0x202,
		"int3: vector 3, one byte; a trap gate leaves IF");

	start(&e, &memory);
	put_gate(&memory, 4, CODE0, 0x8e);
	e.regs.rflags = 0x802;
	ok(run(&e, INTO) == 0 && e.regs.rip == (0x10000 | TARGET) &&
			word(&memory, STACK - 12) == EIP + 1,
		"into with OF: vector 4");
	start(&e, &memory);
	ok(run(&e, INTO) == 0 && e.regs.rip == EIP + 1 && memory.writes == 0,
		"into without OF does nothing");

	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x8e);
	ok(run(&e, "\x66\xcd\x30", 3) == 0 && word(&memory, STACK - 12) == EIP + 3,
		"the gate decides on the size of the frame, not the prefix");

	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x86);
	e.regs.rip = 0x12344000;
	ok(run(&e, INT("\x30")) == 0 && e.regs.rip == TARGET && e.regs.rsp == STACK - 6 &&
			word(&memory, STACK - 6) == (CODE0 << 16 | 0x4002) &&
			(word(&memory, STACK - 4) >> 16) == 0x2,
		"a 16-bit gate pushes 6 bytes and has 16 bits of offset");

	start(&e, &memory);
	set_cpl(&e, 3);
	put_gate(&memory, 0xff, CONFORMING0, 0xee);
	ok(run(&e, INT("\xff")) == 0 && e.sregs.cs.selector == (CONFORMING0 | 3) &&
			e.sregs.ss.dpl == 3 && word(&memory, STACK - 8) == (CODE3 | 3),
		"a conforming handler runs at the CPL; RPL says so");

	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0 | 3, 0x8e);
	ok(run(&e, INT("\x30")) == 0 && e.sregs.cs.selector == CODE0, "the gate's RPL is ignored");
}

static void test_software_interrupt_refusals(void)
{
	static const struct {
		unsigned cpl;
		uint16_t selector;
		uint8_t access;
		int err;
		const char *name;
	} cases[] = {
		{0, CODE0, 0x0e, -EFAULT, "a gate that is not present is #NP"},
		{0, CODE0, 0x8c, -EFAULT, "a call gate is #GP"},
		{0, CODE0, 0x9e, -EFAULT, "a gate with the S bit is #GP"},
		{0, CODE0, 0x00, -EFAULT, "an empty gate is #GP"},
		{3, CONFORMING0, 0x8e, -EFAULT, "a gate of DPL 0 from CPL 3 is #GP"},
		{0, 0, 0x8e, -EFAULT, "a gate with a null selector is #GP"},
		{0, GDT_END, 0x8e, -EFAULT, "a gate with a selector beyond the GDT is #GP"},
		{0, DATA0, 0x8e, -EFAULT, "a gate to data is #GP"},
		{0, TSS, 0x8e, -EFAULT, "a gate to a system segment is #GP"},
		{0, CODE3, 0x8e, -EFAULT, "a gate to an outer level is #GP"},
		{0, ABSENT_CODE0, 0x8e, -EFAULT, "a gate to an absent segment is #NP"},
		{0, SMALL_CODE0, 0x8e, -EFAULT, "a gate with an offset beyond the limit is #GP"},
		{0, CODE0, 0x85, -EOPNOTSUPP, "a task gate is not known"},
		{3, CODE0, 0xee, -EOPNOTSUPP, "INTER-PRIVILEGE-LEVEL-INTERRUPT is not known"},
	};
	struct emulate e;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		start(&e, &memory);
		set_cpl(&e, cases[i].cpl);
		put_gate(&memory, 0x30, cases[i].selector, cases[i].access);
		refused(&e, INT("\x30"), cases[i].err, cases[i].name);
	}

	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x8e);
	e.sregs.idt.limit = 0x30 * 8 + 6;
	refused(&e, INT("\x30"), -EFAULT, "a vector that the IDT's limit cuts is #GP");
	start(&e, &memory);
	e.sregs.idt.base = MEMORY_SIZE;
	refused(&e, INT("\x30"), -EFAULT, "an IDT outside of memory is a fault");
	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x8e);
	e.sregs.ss.limit = STACK - 2;
	refused(&e, INT("\x30"), -EFAULT, "a push beyond the stack's limit is #SS");
	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x8e);
	e.regs.rsp = READ_ONLY + 4;
	refused(&e, INT("\x30"), -EFAULT, "a push to read-only memory is a fault");
	start(&e, &memory);
	put_gate(&memory, 0x30, CODE0, 0x8e);
	e.regs.rsp = 4;
	refused(&e, INT("\x30"), -EFAULT, "a push across address 0 is a fault");
}

/* In 64-bit mode, at CPL 0, tables and stack in the upper half. */
static void start64(struct emulate *e)
{
	uint64_t ist = UPPER + STACK_IST;

	start(e, &memory);
	put_descriptor(&memory, GDT, CODE64, descriptor(0, 0xfffff, 0x9a, 0xa));
	put_descriptor(&memory, GDT, CODE64_3, descriptor(0, 0xfffff, 0xfa, 0xa));
	put(&memory, TSS64 + 0x24 + 8, &ist, sizeof ist); /* IST2 */
	e->sregs.gdt.base = UPPER + GDT;
	e->sregs.idt = (struct kvm_dtable){.base = UPPER + IDT, .limit = 0x20 * 16 - 1};
	e->sregs.tr = (struct kvm_segment){.base = UPPER + TSS64, .limit = 0x67, .present = 1};
	e->sregs.cs.selector = CODE64;
	e->sregs.cs.db = 0;
	e->sregs.cs.l = 1;
	e->sregs.efer = 0x500;
	e->sregs.cr0 = 0x80000011;
	e->regs.rip = UPPER + EIP;
	e->regs.rsp = UPPER + STACK + 5;
	e->regs.rflags = 0x10346; /* RF, IF, TF, ZF, PF */
}

static void put_gate64(uint8_t vector, uint16_t selector, uint8_t access, uint8_t ist)
{
	uint64_t value[2] = {
		(TARGET & 0xffff) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
			(uint64_t)access << 40 | 0x8000ull << 48,
		0xffffffff,
	};

	put(&memory, IDT + vector * 16u, value, sizeof value);
}

static uint64_t quad(uint32_t at)
{
	return word(&memory, at) | (uint64_t)word(&memory, at + 4) << 32;
}

static void test_software_interrupt64(void)
{
	struct emulate e;

	start64(&e);
	put_gate64(3, CODE64, 0xee, 0);
	is(run(&e, INT3), 0, "IA-32e-MODE: int3 is completed");
	is(e.regs.rip, UPPER + TARGET, "RIP is the gate's, all 64 bits");
	is(e.regs.rsp, UPPER + STACK - 40, "RSP is aligned to 16, and below five words");
	is(quad(STACK - 8), DATA0, "SS is pushed");
	is(quad(STACK - 16), UPPER + STACK + 5, "RSP is pushed, as it was");
	is(quad(STACK - 24), 0x346, "RFLAGS is pushed, without RF");
	is(quad(STACK - 32), CODE64, "CS is pushed");
	is(quad(STACK - 40), UPPER + EIP + 1, "RIP of the next instruction is pushed");
	is(e.regs.rflags, 0x46, "an interrupt gate clears IF, and TF and RF");
	ok(e.sregs.cs.selector == CODE64 && e.sregs.cs.l && !e.sregs.cs.db, "CS is the gate's");
	is(e.sregs.ss.selector, DATA0, "SS stays");

	start64(&e);
	put_gate64(0x1f, CODE64, 0xef, 0);
	is(run(&e, INT("\x1f")), 0, "int n is completed");
	is(quad(STACK - 40), UPPER + EIP + 2, "and has two bytes");
	is(e.regs.rflags, 0x246, "a trap gate leaves IF");

	start64(&e);
	put_gate64(3, CODE64, 0xee, 2);
	is(run(&e, INT3), 0, "a gate with an IST index is taken");
	is(e.regs.rsp, UPPER + (STACK_IST & ~15) - 40, "SDM 3, 6.14.5: on that stack, aligned");
	is(quad((STACK_IST & ~15) - 16), UPPER + STACK + 5, "with the old RSP");
}

static void test_software_interrupt64_refusals(void)
{
	struct emulate e;

	start64(&e);
	refused(&e, INT3, -EFAULT, "64-bit mode: a gate that is not present");
	put_gate64(3, CODE64, 0xe6, 0);
	refused(&e, INT3, -EFAULT, "a 16-bit gate");
	put_gate64(3, CODE0, 0xee, 0);
	refused(&e, INT3, -EFAULT, "to 32-bit code");
	put_gate64(3, DATA0, 0xee, 0);
	refused(&e, INT3, -EFAULT, "to data");
	put_gate64(3, 0, 0xee, 0);
	refused(&e, INT3, -EFAULT, "to a null selector");
	put_gate64(3, CODE64_3, 0xee, 0);
	refused(&e, INT3, -EFAULT, "to an outer level");
	put_gate64(3, CODE64, 0xee, 7);
	e.sregs.tr.limit = 0x24 + 7 * 8 - 2;
	refused(&e, INT3, -EFAULT, "a stack beyond the task state segment's limit");
	put_gate64(3, CODE64, 0xee, 0);
	e.sregs.idt.limit = 3 * 16 + 14;
	refused(&e, INT3, -EFAULT, "a gate that is not whole within the IDT");
	start64(&e);
	put_gate64(3, CODE64, 0xee, 0);
	e.regs.rsp = UPPER + READ_ONLY + 48;
	refused(&e, INT3, -EFAULT, "a stack that cannot be written");
	start64(&e);
	put_gate64(3, CODE64, 0x8e, 0);
	e.sregs.ss.dpl = 3;
	refused(&e, INT3, -EFAULT, "a gate above CPL");
	put_gate64(3, CODE64, 0xee, 0);
	refused(&e, INT3, -EOPNOTSUPP, "to an inner level: not known here");
	start64(&e);
	refused(&e, INTO, -EOPNOTSUPP, "into does not exist in 64-bit mode");
	refused(&e, IRET, -EOPNOTSUPP, "KVM has iret in 64-bit mode");
	e.sregs.cs.l = 0;
	refused(&e, INT3, -EOPNOTSUPP, "compatibility mode is not known");
}

int main(void)
{
	test_same_level();
	test_outer_level();
	test_flags();
	test_stack();
	test_iret_refusals();
	test_not_known();
	test_software_interrupt();
	test_software_interrupt_refusals();
	test_software_interrupt64();
	test_software_interrupt64_refusals();
	return tap_done();
}
