/* SPDX-License-Identifier: BSD-2-Clause */
/* What the judges of the software CPU found (test386, kvm-unit-tests, the native oracle) and no
 * other unit test has. Clauses: SDM 2 and 3. */
#include <string.h>

#include "../tap.h"
#include "../x86_code.h"

static uint32_t load32(const struct x86_code *code, uint32_t address)
{
	uint32_t value;

	memcpy(&value, code->ram + address, sizeof value);
	return value;
}

/* An NMI that waits for IRET comes before the instruction that IRET leads to, though that one is in
 * a block which is decoded and linked already. */
static void test_nmi_after_iret(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	/* pushf; push 8; push CODE + 16; iret; at CODE + 16: inc eax; hlt */
	x86_code_put(&code, CODE, "9c 6a08 6810000100 cf");
	x86_code_put(&code, CODE + 16, "40 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "IRET to a HLT");
	for (unsigned round = 0; round < 2; round++) {
		x86_code_rewind(&code);
		code.cpu.nmi_masked = code.cpu.nmi_pending = true;
		x86_run(&code.cpu, 100);
		is(code.cpu.next_eip, HANDLERS + 16 * X86_NMI + 1,
			"6.7.1 IRET lets the pending NMI in");
		is(load32(&code, STACK - 12), CODE + 16, "6.7.1 before another instruction");
	}
	x86_code_end(&code);
}

/* SCASB finds no 0x55 before the end of ES, and raises #GP after five comparisons. */
static void test_flags_of_repeated_scan(void)
{
	static struct x86_code code;
	const uint32_t flags = X86_CF | X86_OF;

	x86_code_start(&code);
	x86_code_limit_segments(&code);
	x86_code_put(&code, CODE, "f2 ae f4");
	code.cpu.reg[X86_RAX] = 0x55;
	code.cpu.reg[X86_RDI] = RAM_SIZE - 5;
	x86_set_eflags(&code.cpu, flags, X86_ARITHMETIC);
	x86_run(&code.cpu, 100);
	is(code.cpu.next_eip, HANDLERS + 16 * X86_GP + 1, "REPNE SCASB ends at the limit");
	is(code.cpu.reg[X86_RDI], RAM_SIZE, "SDM 2, REP: registers are those of the element");
	is(load32(&code, STACK - 4) & X86_ARITHMETIC, flags,
		"SDM 2, REP: EFLAGS is that of before the instruction");
	x86_code_end(&code);
}

static void test_salc(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	/* stc; salc; mov dl,al; clc; salc; hlt */
	x86_code_put(&code, CODE, "f9 d6 88c2 f8 d6 f4");
	x86_run(&code.cpu, 100);
	is((uint8_t)code.cpu.reg[X86_RDX], 0xff, "SALC: AL is all ones with CF");
	is((uint8_t)code.cpu.reg[X86_RAX], 0, "SALC: and 0 without");
	x86_code_end(&code);
}

static uint64_t position_seen;

static bool note_position(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	(void)where, (void)is_write, (void)value;
	position_seen = x86_position(&code->cpu);
	return true;
}

/* Accesses to a device in the middle of a block. */
static void test_position(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	code.access = note_position;
	/* jmp to CODE + 8; there: inc ecx; mov [DEVICE],eax; hlt */
	x86_code_put(&code, CODE, "eb06");
	x86_code_put(&code, CODE + 8, "41 a3000000d0 f4");
	x86_run(&code.cpu, 100);
	is(position_seen, CODE + 9, "a bus function finds EIP of the store, not of its block");
	is(x86_position(&code.cpu), CODE + 15, "after a HLT it is the next instruction's");
	x86_code_put(&code, CODE + 8, "41 803d000000d000 7500 f4");
	x86_memory_written(&code.system, CODE, 4096);
	x86_code_rewind(&code);
	x86_run(&code.cpu, 100);
	is(position_seen, CODE + 9, "of a comparison that is fused with its jump, too");
	x86_code_put(&code, CODE + 8, "41 e405 f4");
	x86_memory_written(&code.system, CODE, 4096);
	x86_code_rewind(&code);
	x86_run(&code.cpu, 100);
	is(position_seen, CODE + 9, "and of an out-of-line operation");
	code.access = NULL;
	x86_code_put(&code, CODE + 8, "41 a1000000d0 f4");
	x86_memory_written(&code.system, CODE, 4096);
	x86_code_rewind(&code);
	is(x86_run(&code.cpu, 100), X86_STOP_ENDED, "a load that nothing answers ends the machine");
	is(x86_position(&code.cpu), CODE + 9, "at this load");
	x86_code_end(&code);
}

static void store32(struct x86_code *code, uint32_t address, uint32_t value)
{
	memcpy(code->ram + address, &value, sizeof value);
}

#define TSS_A  0x6000u
#define TSS_B  0x6100u
#define TASK_B 0x18u

/* #DB leads to task B, whose T flag raises #DB before its first instruction, and so on: the GDT is
 * read-only, so that B never becomes busy. */
static void test_endless_debug_exceptions(void)
{
	static struct x86_code code;
	const struct gmem_region regions[] = {
		{.base = 0, .size = GDT, .writable = true},
		{.base = GDT, .size = 0x1000, .writable = false},
		{.base = GDT + 0x1000, .size = RAM_SIZE - GDT - 0x1000, .writable = true},
	};
	struct gmem_region placed[3];

	x86_code_start(&code);
	for (unsigned i = 0; i < 3; i++) {
		placed[i] = regions[i];
		placed[i].host = code.ram + regions[i].base;
	}
	code.gmem.regions = placed;
	code.gmem.count = 3;
	store32(&code, GDT + TASK_B, TSS_B << 16 | 0x67);
	store32(&code, GDT + TASK_B + 4, 0x8900);
	code.cpu.gdtr.limit = TASK_B + 7;
	store32(&code, IDT + 8 * X86_DB, TASK_B << 16);
	store32(&code, IDT + 8 * X86_DB + 4, 0x8500);
	code.cpu.tr = (struct x86_segment){TASK_B + 8, 0x8b, 0x67, TSS_A};
	store32(&code, TSS_B + 0x20, CODE);
	store32(&code, TSS_B + 0x38, STACK);
	for (unsigned number = 0; number < 4; number++)
		store32(&code, TSS_B + 0x48 + 4 * number, number == X86_CS ? 8 : 16);
	store32(&code, TSS_B + 0x64, 1);
	/* int1 */
	x86_code_put(&code, CODE, "f1");
	is(x86_run(&code.cpu, 100), X86_STOP_SHUTDOWN,
		"7.3 #DB of the T flag whose delivery raises #DB again: no endless loop");
	is(code.cpu.faults[0].vector, X86_DB, "the report names #DB");
	x86_code_end(&code);
}

/* The vectors of external interrupts may be those of exceptions, as the PICs of a PC have them after
 * a reset. The gate of vector 8 is not present: that is #NP, not a fault during a double fault. */
static void test_interrupt_with_vector_of_exception(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	store32(&code, IDT + 8 * X86_DF_FAULT + 4, 0x0e00);
	code.interrupt = X86_DF_FAULT;
	code.cpu.eflags |= X86_IF;
	x86_code_put(&code, CODE, "40 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED,
		"table 6-4 an external interrupt is benign whatever its vector");
	is(code.cpu.eip, HANDLERS + 16 * X86_NP + 1, "#NP is delivered");
	x86_code_end(&code);
}

/* How many instructions a repeated string instruction of count elements and a HLT are. */
static uint64_t count_repeated(const char *hex, uint32_t count)
{
	static struct x86_code code;

	x86_code_start(&code);
	code.access = note_position;
	x86_code_put(&code, CODE, hex);
	code.cpu.reg[X86_RCX] = count;
	code.cpu.reg[X86_RSI] = 0x20000;
	code.cpu.reg[X86_RDI] = 0x30000;
	x86_run(&code.cpu, 10000);
	is(code.cpu.reg[X86_RCX], 0, "REP %s ends", hex);
	x86_code_end(&code);
	return code.cpu.instructions;
}

/* The time that an instruction takes is bounded, or a budget would not bound that of x86_run(). */
static void test_counts_of_repeats(void)
{
	is(count_repeated("f3 ac f4", 256), 2, "REP LODSB: 256 elements are an instruction");
	is(count_repeated("f3 ac f4", 257), 3, "and the next one is another");
	is(count_repeated("f3 6c f4", 9), 3, "REP INSB: eight elements are an instruction");
	is(count_repeated("f3 6e f4", 8), 2, "REP OUTSB, too");
	is(count_repeated("f3 a4 f4", 3000), 2, "REP MOVSB: those that are copied at once are one");
}

int main(void)
{
	test_position();
	test_endless_debug_exceptions();
	test_interrupt_with_vector_of_exception();
	test_counts_of_repeats();
	test_nmi_after_iret();
	test_flags_of_repeated_scan();
	test_salc();
	return tap_done();
}
