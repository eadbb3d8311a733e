/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of software interrupts in 64-bit mode on registers and a fake memory. Clauses: Intel
 * SDM 2, "INT n", of which the names in capitals are; SDM 3 where said. */
#include "../emulate_fixture.h"

#define TSS64     0x5000
#define STACK_IST 0xa008 /* not divisible by 16 */

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
	test_software_interrupt64();
	test_software_interrupt64_refusals();
	return tap_done();
}
