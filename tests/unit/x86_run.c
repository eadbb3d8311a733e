/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults, devices, interrupts and traps end a block in its middle. Clauses: SDM 3. */
#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "../x86_code.h"

/* --- faults ----------------------------------------------------------------------------------- */

/* In a block of several instructions one faults: the handler finds the registers and flags of those
 * before it, and its own address on the stack. */
static const struct {
	const char *name, *hex;
	unsigned vector;
	uint32_t offset; /* of the instruction that faults */
	uint64_t count;  /* of instructions, the faulting one and the handler's HLT included */
} faults[] = {
	/* xor eax,eax; inc eax; xor ebx,ebx; div ebx */
	{"6.15 #DE", "31c0 40 31db f7f3 40 40 f4", X86_DE, 5, 5},
	{"6.15 #UD in the middle", "40 40 0f0b 40 f4", X86_UD, 2, 4},
	{"6.15 #UD: LOCK with a register", "40 f001d8 f4", X86_UD, 1, 3},
	{"6.15 #GP: 16 bytes of one instruction", "40 666666666666666666666666666666 90 f4", X86_GP,
		1, 3},
	{"6.15 #BR", "b800000000 c7050000020001000000 c7050400020002000000 620500000200 f4", X86_BR,
		25, 5},
};

static void test_faults(void)
{
	static struct x86_code code;

	for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		bool has_error = faults[i].vector == X86_GP;
		uint32_t frame = STACK - (has_error ? 16 : 12);

		x86_code_start(&code);
		x86_code_put(&code, CODE, faults[i].hex);
		is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "%s: handler entered", faults[i].name);
		is(code.cpu.eip, HANDLERS + 16 * faults[i].vector + 1, "%s: vector",
			faults[i].name);
		is(x86_code_load(&code, frame + (has_error ? 4 : 0)), CODE + faults[i].offset,
			"%s: address of the instruction", faults[i].name);
		is(code.cpu.instructions, faults[i].count, "%s: count", faults[i].name);
		x86_code_end(&code);
	}
}

/* Behind cmp eax,eax and inc eax, which set the flags, an instruction faults in the middle of a
 * block (the first one at its second turn) and has changed no register and no flag. */
static const struct {
	const char *name, *hex;
} restartable[] = {
	{"ADD r, m", "39c0 40 0305fcff0300 0305feff0300 f4"},
	{"ADD m, r", "39c0 40 011d00000400 f4"},
	{"INC m", "39c0 40 ff0500000400 f4"},
	{"PUSH m", "39c0 40 ff3500000400 f4"},
	{"POP m", "39c0 40 8f0500000400 f4"},
	{"CALL m", "39c0 40 ff1500000400 f4"},
	{"XCHG", "39c0 40 871d00000400 f4"},
	{"XADD", "39c0 40 0fc11d00000400 f4"},
	{"CMP m, Jcc", "39c0 40 803d0000040000 7400 f4"},
	{"CMP r, m, Jcc", "39c0 40 3b0500000400 7400 f4"},
	{"ADD whose flags are dropped", "39c0 40 030500000400 31c9 f4"},
	{"CMPXCHG8B", "39c0 40 0fc70d00000400 f4"},
	{"MUL m", "39c0 40 f72500000400 f4"},
	{"SHL m", "39c0 40 d12500000400 f4"},
	{"BTS m", "39c0 40 0fab1d00000400 f4"},
};

static void test_restart(void)
{
	static struct x86_code code;

	for (unsigned i = 0; i < sizeof restartable / sizeof restartable[0]; i++) {
		struct x86_cpu before;

		x86_code_start(&code);
		x86_code_page(&code);
		x86_code_put(&code, CODE, restartable[i].hex);
		code.cpu.reg[X86_RBX] = 0;
		x86_run(&code.cpu, i == 0 ? 3 : 2);
		before = code.cpu;
		x86_code_rewind(&code);
		code.cpu.reg[X86_RBX] = 0;
		x86_run(&code.cpu, 100);
		is(code.cpu.eip, HANDLERS + 16 * X86_PF_FAULT + 1, "6.15 #PF of %s",
			restartable[i].name);
		is(x86_code_load(&code, STACK - 12), before.eip, "6.5 %s: it can be restarted",
			restartable[i].name);
		code.cpu.eip = before.eip;
		code.cpu.reg[X86_RSP] += 16;
		x86_set_eflags(&code.cpu, x86_code_load(&code, STACK - 4), X86_ARITHMETIC);
		ok(x86_code_same(&code.cpu, &before), "6.5 %s: it changed nothing",
			restartable[i].name);
		x86_code_end(&code);
	}
}

/* Two elements are compared, and the third faults: registers have advanced by two, and the flags
 * are those of before (SDM 2, REP). */
static void test_repeated_fault(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	x86_code_page(&code);
	/* cmp eax,eax; mov al,0xff; mov edi,0x3fffe; mov ecx,16; repne scasb; hlt */
	x86_code_put(&code, CODE, "39c0 b0ff bffeff0300 b910000000 f2ae f4");
	x86_run(&code.cpu, 100);
	is(code.cpu.eip, HANDLERS + 16 * X86_PF_FAULT + 1, "#PF of REPNE SCAS");
	is(x86_code_load(&code, STACK - 12), CODE + 14, "REPNE SCAS: it will go on");
	is(code.cpu.reg[X86_RCX], 14, "REPNE SCAS: after two elements");
	is(code.cpu.reg[X86_RDI], 0x40000, "REPNE SCAS: at the third");
	is(x86_code_load(&code, STACK - 4) & X86_ARITHMETIC, X86_ZF | X86_PF,
		"REPNE SCAS: with the flags of before");
	x86_code_end(&code);
}

/* --- devices ---------------------------------------------------------------------------------- */

static bool ask_break(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	(void)where;
	if (!is_write)
		*value = 0;
	x86_break(&code->cpu);
	return true;
}

/* Accesses to the device; what follows them begins at CODE + next. */
static const struct {
	const char *name, *hex;
	uint32_t next;
} accesses[] = {
	{"OUT", "40 e6e9 40", 3},
	{"IN", "40 e4e9 40", 3},
	{"a load", "40 8b15000000d0 40", 7},
	{"a store", "40 8915000000d0 40", 7},
	{"a load and store", "40 0915000000d0 40", 7},
	{"CMP and a jump not taken", "40 803d000000d000 7502 40", 10},
	{"CMP and a jump taken", "40 803d000000d000 7402 9090 40", 12},
	{"JMP through memory", "8d40 01 ff25000000d0", 0},
	{"BTS", "40 0fab15000000d0 40", 8},
	{"LODSD", "be000000d0 ad 40", 6},
};

static void test_break(void)
{
	static struct x86_code code;

	for (unsigned i = 0; i < sizeof accesses / sizeof accesses[0]; i++) {
		x86_code_start(&code);
		code.access = ask_break;
		x86_code_put(&code, CODE, accesses[i].hex);
		is(x86_run(&code.cpu, 1000), X86_STOP_YIELD, "%s: a device breaks the run",
			accesses[i].name);
		is(code.cpu.eip, accesses[i].next != 0 ? CODE + accesses[i].next : 0,
			"%s: after this instruction", accesses[i].name);
		is(code.count_seen, 1, "%s: the count is exact in the device", accesses[i].name);
		ok(code.cpu.instructions == 2 || code.cpu.instructions == 3,
			"%s: the count is exact afterwards", accesses[i].name);
		x86_code_end(&code);
	}
}

/* REP INSB: a break ends it after one element, and it goes on there. */
static void test_break_repeated(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	code.access = ask_break;
	x86_code_put(&code, CODE, "b904000000 bf00000200 f36c f4");
	is(x86_run(&code.cpu, 100), X86_STOP_YIELD, "REP INS: a device breaks the run");
	is(code.cpu.reg[X86_RCX], 3, "REP INS: after an element");
	is(code.cpu.eip, CODE + 10, "REP INS: it will go on");
	code.access = NULL;
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "REP INS: it is completed");
	is(code.cpu.reg[X86_RDI], 0x20004, "REP INS: each element once");
	x86_code_end(&code);
}

/* REP MOVSB onto the next byte copies the first byte to all (SDM 2, MOVS). */
static void test_overlap(void)
{
	static struct x86_code code;
	bool same = true;

	x86_code_start(&code);
	x86_code_put(&code, 0x20000, "55 00 00 00");
	x86_code_put(&code, CODE, "be00000200 bf01000200 8a0e 880f b920000000 f3a4 f4");
	x86_run(&code.cpu, 100);
	for (unsigned i = 0; i < 0x20; i++)
		same &= code.ram[0x20000 + i] == 0x55;
	ok(same, "REP MOVS that overlaps goes element by element");
	x86_code_end(&code);
}

static bool refuse(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	(void)code, (void)where, (void)is_write, (void)value;
	return false;
}

static void test_refused(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	code.access = refuse;
	x86_code_put(&code, CODE, "40 40 8915000000d0 40 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_ENDED, "a refused access ends the run");
	is(code.cpu.eip, CODE + 2, "at its instruction");
	is(code.cpu.instructions, 2, "which does not count");
	x86_code_end(&code);
}

/* --- interrupts and traps --------------------------------------------------------------------- */

static void test_shadow(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	code.interrupt = 0x20;
	x86_code_put(&code, CODE, "40 fb 40 40 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "6.8.1 an interrupt after STI");
	is(x86_code_load(&code, STACK - 12), CODE + 3, "SDM 2, STI: one instruction comes first");
	x86_code_end(&code);

	x86_code_start(&code);
	code.interrupt = 0x20;
	x86_code_put(&code, CODE, "40 fb fa 40 f4");
	x86_run(&code.cpu, 100);
	is(code.acknowledged, 0, "SDM 2, STI: CLI behind it lets none through");
	x86_code_end(&code);

	x86_code_start(&code);
	code.interrupt = 0x20;
	code.cpu.eflags |= X86_IF;
	x86_code_put(&code, CODE, "40 f4");
	x86_run(&code.cpu, 100);
	is(x86_code_load(&code, STACK - 12), CODE, "6.8.1 one that is pending comes first");
	x86_code_end(&code);

	x86_code_start(&code);
	x86_code_put(&code, CODE, "fb f4 40 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "HLT waits");
	code.interrupt = 0x20;
	x86_run(&code.cpu, 100);
	is(x86_code_load(&code, STACK - 12), CODE + 2, "SDM 2, HLT: it goes on behind it");
	x86_code_end(&code);
}

/* The handler of #DB counts in EDI and returns: inc edi; iret. */
static void test_single_step(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	x86_code_put(&code, HANDLERS + 16 * X86_DB, "47 cf");
	/* pushf; or byte [esp+1],1; popf; inc eax; cmp eax,ebx; jz .+2; nop; jmp .+2; pushf; and
	 * byte [esp+1],0xfe; popf; inc eax; hlt */
	x86_code_put(&code, CODE, "9c 804c240101 9d 40 39d8 7400 90 eb00 9c 80642401fe 9d 40 f4");
	code.cpu.reg[X86_RDI] = 0;
	is(x86_run(&code.cpu, 1000), X86_STOP_HALTED, "18.3.1.4 a program in single steps halts");
	is(code.cpu.reg[X86_RDI], 8, "18.3.1.4 #DB after each instruction with TF set");
	ok(code.cpu.dr[6] & 1 << 14, "18.2.3 DR6.BS");
	x86_code_end(&code);
}

/* --- double and triple faults ----------------------------------------------------------------- */

static void test_double_fault(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	memset(code.ram + IDT + 8 * X86_DE, 0, 8);
	x86_code_put(&code, CODE, "31c0 f7f0");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "6.15 #NP of the gate of #DE");
	is(code.cpu.eip, HANDLERS + 16 * X86_DF_FAULT + 1, "table 6-5 becomes #DF");
	is(x86_code_load(&code, STACK - 16), 0, "6.15 the error code of #DF is 0");
	x86_code_end(&code);

	x86_code_start(&code);
	code.cpu.idtr.limit = 0;
	x86_code_put(&code, CODE, "40 31c0 f7f0");
	is(x86_run(&code.cpu, 100), X86_STOP_SHUTDOWN, "6.15 without an IDT #DE is a triple fault");
	is(code.cpu.fault_count, 3, "three exceptions led there");
	is(code.cpu.faults[0].vector, X86_GP, "the last one");
	is(code.cpu.faults[2].vector, X86_DE, "the first one");
	is(code.cpu.eip, CODE + 3, "the registers are those of the instruction");
	x86_code_end(&code);

	x86_code_start(&code);
	x86_code_page(&code);
	code.cpu.reg[X86_RSP] = 0x41000;
	x86_code_put(&code, CODE, "40 50");
	is(x86_run(&code.cpu, 100), X86_STOP_SHUTDOWN,
		"table 6-5 #PF during #PF is a double fault");
	is(code.cpu.faults[1].vector, X86_PF_FAULT, "and another one shuts down");
	is(code.cpu.cr2, 0x40ffc, "CR2 is the address of the last one");
	x86_code_end(&code);
}

int main(void)
{
	test_faults();
	test_restart();
	test_break();
	test_repeated_fault();
	test_break_repeated();
	test_overlap();
	test_refused();
	test_shadow();
	test_single_step();
	test_double_fault();
	return tap_done();
}
