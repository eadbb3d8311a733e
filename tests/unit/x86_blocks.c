/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoded blocks: exact budgets, faults in their middle, code that changes. Clauses: SDM 3. */
#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "../x86_code.h"

/* --- budgets ---------------------------------------------------------------------------------- */

/* A program that ends with HLT, and why it is one of these. */
static const struct {
	const char *name, *hex;
} programs[] = {
	/* mov ecx,5; 1: add eax,ebx; xor edx,eax; sub esi,3; dec ecx; jnz 1b; hlt */
	{"flags that nobody reads", "b905000000 01d8 31c2 83ee03 49 75f6 f4"},
	/* 1: add eax,ebx; inc edx; shl esi,1; cmp ecx,4; jae 2f; inc ecx; 2: add cl,0x40; jnc 1b */
	{"pairs of CMP and Jcc", "b900000000 01d8 42 d1e6 83f904 7301 41 80c140 73f0 f4"},
	/* call 1f; inc eax; jmp 2f; 1: push ebx; pop ecx; ret; 2: hlt */
	{"calls", "e803000000 40 eb03 53 59 c3 f4"},
	/* mov ecx,3; 1: loop 1b; jecxz 2f; 2: rcl eax,3; shld eax,ebx,5; daa; hlt */
	{"instructions out of line", "b903000000 e2fe e300 c1d003 0fa4d805 27 f4"},
	/* mov esi,CODE; mov edi,0x20000; mov ecx,9; rep movsb; lodsd; stosd; hlt */
	{"strings", "be00000100 bf00000200 b909000000 f3a4 ad ab f4"},
	/* add eax,[0x20000]; add [0x20000],eax; cmp eax,[0x20000]; jz 1f; nop; 1: test al,al; js
	 * 2f; nop; 2: hlt */
	{"memory", "030500000200 010500000200 3b0500000200 7401 90 84c0 7801 90 f4"},
};

static void run_program(struct x86_code *code, const char *hex, int64_t budget, uint64_t total)
{
	x86_code_rewind(code);
	memset(code->ram + 0x20000, 0, 64);
	x86_memory_written(&code->system, 0x20000, 64);
	x86_code_put(code, CODE, hex);
	while (code->cpu.instructions < total && !code->cpu.halted) {
		uint64_t left = total - code->cpu.instructions;

		x86_run(&code->cpu, budget < (int64_t)left ? budget : (int64_t)left);
	}
}

/* For each number of instructions: executed at once, one by one, and three by three. */
static void test_budgets(void)
{
	static struct x86_code whole, parts;

	for (unsigned i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		bool same = true, exact = true;
		uint64_t total = 0;

		x86_code_start(&whole);
		x86_code_start(&parts);
		for (uint64_t n = 1; n < 200 && total == 0; n++) {
			run_program(&whole, programs[i].hex, (int64_t)n, n);
			exact &= whole.cpu.instructions == n;
			for (int64_t step = 1; step <= 3; step += 2) {
				run_program(&parts, programs[i].hex, step, n);
				same &= x86_code_same(&whole.cpu, &parts.cpu);
				exact &= parts.cpu.instructions == n;
			}
			if (whole.cpu.halted)
				total = n;
		}
		ok(same, "budgets: %s: the state is that of single steps", programs[i].name);
		ok(exact && total > 0, "budgets: %s: the count is exact", programs[i].name);
		is(x86_run(&whole.cpu, 5), X86_STOP_HALTED, "budgets: %s: it halts",
			programs[i].name);
		x86_code_end(&whole);
		x86_code_end(&parts);
	}
}

/* ADD sets CF and ZF, and XOR clears CF again: stopped between them, the flags are those of ADD. */
static void test_flags_at_stop(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	x86_code_put(&code, CODE, "b8ffffffff 83c001 31c9 40 f4");
	for (unsigned run = 0; run < 2; run++) {
		x86_code_rewind(&code);
		x86_run(&code.cpu, run == 0 ? 100 : 2);
	}
	is(x86_eflags(&code.cpu) & (X86_CF | X86_ZF), X86_CF | X86_ZF,
		"budgets: at a stop, flags are there that the block leaves out");
	x86_code_end(&code);
}

/* --- code that changes ------------------------------------------------------------------------ */

/* Stores into the code that is being executed; AL tells what was executed. */
static const struct {
	const char *name, *hex;
} modifying[] = {
	/* mov byte [CODE+8],2; mov al,1; hlt */
	{"a store to the next instruction", "c6050800010002 b001 f4"},
	/* mov ecx,2; 1: mov al,1; mov byte [CODE+6],2; loop 1b */
	{"a store to one before", "b902000000 b001 c6050600010002 e2f5 f4"},
	/* mov esp,CODE+19; mov eax,1; push 0x90f402b0; mov al,1; hlt; nop */
	{"PUSH", "bc13000100 b801000000 68b002f490 b001 f490"},
	/* mov edi,CODE+15; mov al,2; mov ecx,1; rep stosb; mov al,1 */
	{"REP STOSB", "bf0f000100 b002 b901000000 f3aa b001 f4"},
	/* a jump that is linked is overwritten at its target: call 1f twice, the second time
	 * changed */
	{"a linked block", "e812000000 e80d000000 c6051800010002 e801000000 f4 b001 c3"},
};

static void test_self_modifying(void)
{
	static struct x86_code code;

	for (unsigned i = 0; i < sizeof modifying / sizeof modifying[0]; i++) {
		for (unsigned paging = 0; paging < 2; paging++) {
			x86_code_start(&code);
			if (paging)
				x86_code_page(&code);
			x86_code_put(&code, CODE, modifying[i].hex);
			is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "9.3 %s: halts",
				modifying[i].name);
			is(code.cpu.reg[X86_RAX] & 0xff, 2, "9.3 %s: the new code is executed",
				modifying[i].name);
			x86_code_end(&code);
		}
	}
}

/* An instruction over the border of a page: mov eax, 0x11223344. Its second part changes. */
static void test_over_border(void)
{
	static struct x86_code code;
	const uint32_t start = 0x20000 - 2;

	x86_code_start(&code);
	x86_code_put(&code, start, "b844332211 f4");
	for (unsigned paging = 0; paging < 2; paging++) {
		if (paging)
			x86_code_page(&code);
		for (unsigned i = 0; i < 3; i++) {
			uint8_t byte = (uint8_t)(0x20 + i);

			x86_code_rewind(&code);
			code.cpu.eip = start;
			code.ram[0x20000] = byte;
			x86_memory_written(&code.system, 0x20000, 1);
			x86_run(&code.cpu, 10);
			is(code.cpu.reg[X86_RAX], 0x11220044u | (uint32_t)byte << 8,
				"9.3 code over the border of a page changes, paging %u", paging);
		}
	}
	x86_code_end(&code);
}

/* The page behind the border is mapped to another one: the instruction is another. */
static void test_border_remapped(void)
{
	static struct x86_code code;
	const uint32_t start = 0x20000 - 2;
	uint32_t entry = 0x30003;

	x86_code_start(&code);
	x86_code_page(&code);
	x86_code_put(&code, start, "b844332211 f4");
	x86_code_put(&code, 0x30000, "556677 40 f4");
	code.cpu.eip = start;
	x86_run(&code.cpu, 10);
	is(code.cpu.reg[X86_RAX], 0x11223344, "4.10 the page as it was mapped first");
	memcpy(code.ram + 0x5000 + 4 * 0x20, &entry, 4);
	x86_tlb_flush(&code.cpu, false);
	x86_mode_changed(&code.cpu);
	x86_code_rewind(&code);
	code.cpu.eip = start;
	x86_run(&code.cpu, 10);
	is(code.cpu.reg[X86_RAX], 0x77665545, "4.10 and as it is mapped then");
	x86_code_end(&code);
}

/* A page is written, then code in it is executed, then it is written again: the TLB's tag from the
 * first time must not let the second one by. mov dword [0x20000],0xf4c301b0: mov al,1; ret. */
static void test_written_before(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	x86_code_put(&code, CODE, "c70500000200b001c3f4 e8f1ff0000 c6050100020002 e8e5ff0000 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "9.3 code in a page of data: halts");
	is(code.cpu.reg[X86_RAX] & 0xff, 2, "9.3 code in a page of data changes");
	x86_code_end(&code);
}

/* --- devices ---------------------------------------------------------------------------------- */

/* A device that writes 2 over the immediate of mov al,1 when it is accessed. */
static bool overwrite(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	const uint32_t target = CODE + 0x20;

	(void)where;
	if (!is_write)
		*value = 0;
	x86_memory_written(&code->system, target, 1);
	code->ram[target] = 2;
	return true;
}

/* Accesses to ports and to the device. */
static const char *const accesses[] = {"40 e6e9 40", "40 e4e9 40", "40 8b15000000d0 40",
	"40 8915000000d0 40", "40 0915000000d0 40"};

/* The access, NOPs up to 31 bytes, mov al,1; hlt. */
static void test_device_write(void)
{
	static struct x86_code code;

	for (unsigned i = 0; i < sizeof accesses / sizeof accesses[0]; i++) {
		x86_code_start(&code);
		memset(code.ram + CODE, 0x90, 0x1f);
		x86_code_put(&code, CODE, accesses[i]);
		x86_code_put(&code, CODE + 0x1f, "b001 f4");
		code.access = overwrite;
		is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "%s: halts", accesses[i]);
		is(code.cpu.reg[X86_RAX] & 0xff, 2, "%s: a device's write to code is seen",
			accesses[i]);
		is(code.cpu.instructions > 20, 1, "%s: nothing is skipped", accesses[i]);
		x86_code_end(&code);
	}
}

/* --- the cache -------------------------------------------------------------------------------- */

/* More blocks than the pool has room for: each is inc eax; jmp to the next one, 256 KiB of them,
 * then a jump back while ECX counts. The pool is flushed while a block is running. */
static void test_flush(void)
{
	static struct x86_code code;
	const uint32_t first = 0x40000, count = 24000;
	uint64_t flushes;

	x86_code_start(&code);
	for (uint32_t i = 0; i < count; i++)
		x86_code_put(&code, first + 8 * i, i + 1 < count ? "40 e902000000" : "40 c3");
	x86_code_put(&code, CODE, "b903000000 31c0");
	/* 1: call first; loop 1b; hlt */
	x86_code_put(&code, CODE + 7, "e8f4ff0200 e2f9 f4");
	flushes = code.cpu.cache->flushes;
	is(x86_run(&code.cpu, 1000000), X86_STOP_HALTED, "many blocks: halts");
	is(code.cpu.reg[X86_RAX], 3 * count, "many blocks: each is executed each time");
	ok(code.cpu.cache->flushes > flushes, "many blocks: the cache was flushed on the way");
	ok(code.cpu.cache->used <= X86_POOL_SIZE, "many blocks: its memory is bounded");
	x86_code_end(&code);
}

/*
 * The first block of the pool jumps to one that it overwrites, which is decoded anew each time.
 * When the pool is full that block takes the place of the first one, whose link must not be set
 * then.
 * 1: dec ecx; jz 3f; mov byte [2f + 1],0xc0; jmp 2f; 3: hlt
 * 2: inc eax, in two bytes; nop; nop; jmp 1b
 */
static void test_flush_of_linked(void)
{
	static struct x86_code code;
	const unsigned count = 40000;

	x86_code_start(&code);
	x86_code_put(&code, CODE, "49 7409 c605210001 00c0 eb14 f4");
	x86_code_put(&code, CODE + 0x20, "ffc0 90 90 ebda");
	code.cpu.reg[X86_RCX] = count;
	code.cpu.reg[X86_RAX] = 0;
	is(x86_run(&code.cpu, 10 * count), X86_STOP_HALTED, "a block decoded anew: halts");
	is(code.cpu.reg[X86_RAX], count - 1, "a block decoded anew is executed each time once");
	ok(code.cpu.cache->flushes > 1, "and the cache was flushed");
	x86_code_end(&code);
}

/* The number of the mapping wraps to 0, which no block may have. */
static void test_generation(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	x86_code_put(&code, CODE, "b001 f4");
	x86_run(&code.cpu, 10);
	code.cpu.map_generation = UINT32_MAX;
	x86_mode_changed(&code.cpu);
	is(code.cpu.map_generation, 1, "the generation skips 0");
	x86_code_put(&code, CODE, "b002 f4");
	x86_code_rewind(&code);
	x86_run(&code.cpu, 10);
	is(code.cpu.reg[X86_RAX] & 0xff, 2, "and blocks of before are forgotten");
	x86_code_end(&code);
}

static void test_page_tags(void)
{
	static struct x86_code code;

	x86_code_start(&code);
	ok(!x86_page_has_code(&code.system, CODE), "no code is decoded at first");
	x86_code_put(&code, CODE, "b001 f4");
	x86_run(&code.cpu, 10);
	ok(x86_page_has_code(&code.system, CODE + 0xfff), "a page with code is known");
	x86_memory_written(&code.system, CODE + 0x800, 0x100);
	ok(x86_page_has_code(&code.system, CODE), "a write elsewhere in it kills nothing");
	x86_memory_written(&code.system, CODE - 0x100, 0x200);
	ok(!x86_page_has_code(&code.system, CODE), "a write that reaches it does");
	x86_code_end(&code);
}

int main(void)
{
	test_budgets();
	test_flags_at_stop();
	test_self_modifying();
	test_over_border();
	test_border_remapped();
	test_written_before();
	test_device_write();
	test_flush();
	test_flush_of_linked();
	test_generation();
	test_page_tags();
	return tap_done();
}
