/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of software interrupts in protected mode on registers and a fake memory. Clauses:
 * Intel SDM 2, "INT n", of which the names in capitals are. */
#include "../emulate_fixture.h"

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

int main(void)
{
	test_software_interrupt();
	test_software_interrupt_refusals();
	return tap_done();
}
