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

int main(void)
{
	test_position();
	test_nmi_after_iret();
	test_flags_of_repeated_scan();
	test_salc();
	return tap_done();
}
