/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of iret on registers and a fake memory. Clauses: Intel SDM 2, "IRET", of which the
 * names in capitals are; SDM 3 where said. */
#include "../emulate_fixture.h"

#define HIGH_BASE 0xfffff000u /* of a segment whose linear addresses wrap */

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

int main(void)
{
	test_same_level();
	test_outer_level();
	test_flags();
	test_stack();
	test_iret_refusals();
	test_not_known();
	return tap_done();
}
