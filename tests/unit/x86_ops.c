/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations do the same in all the ways that they can be executed: in flat segments and in ones
 * that are checked, in blocks and one by one, with flags that are computed and ones that are left
 * out. What they do is the native oracle's business (x86_oracle.c). Clauses: SDM 2.
 */
#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "../x86_code.h"

#define DATA 0x20000u

/* Instructions whose operands are registers and memory at [EBX + n]; EBX and ESP do not change. A
 * random program is a sequence of them. */
static const char *const instructions[] = {
	/* arithmetic of all sizes and forms */
	"01c8",
	"6601c8",
	"00c8",
	"0343 04",
	"660343 06",
	"0243 03",
	"0143 08",
	"660143 0a",
	"0043 0d",
	"8143 10 78563412",
	"668143 12 3412",
	"8043 14 5a",
	"83c0 fb",
	"6683c2 81",
	"80c5 70",
	"11d0",
	"1943 18",
	"19f7",
	"21c2",
	"0943 1c",
	"31f7",
	"29fe",
	"2b43 20",
	"2bc0",
	"31c9",
	"3343 04",
	"f7d8",
	"f7d2",
	"f65b 21",
	"66f7df",
	"40",
	"4a",
	"6646",
	"fec1",
	"feca",
	"ff43 24",
	"66ff4b 26",
	"fe43 28",
	"d1e0",
	"c1ea 05",
	"c1ff 03",
	"66c1e6 04",
	"c0ec 02",
	"d3c7",
	"c1c8 07",
	"d163 2c",
	"c16b 2c 03",
	"d3e2",
	"d3fe",
	"66d3d8",
	"c1d1 02",
	"d343 30",
	"0fa4f203 ",
	"0fadd7",
	"0fac53 3405",
	"f7e1",
	"f7eb",
	"66f7e6",
	"f66b 38",
	"0fafc6",
	"66694b 3a7856",
	"6bd6 11",
	"0fa3c2",
	"0fabd0",
	"0fba6b 3c 05",
	"0fbcc6",
	"0fbdd7",
	"0fb153 40",
	"0fc1c6",
	"0fc143 44",
	"0fc74b 48",
	"0fc8",
	/* moves */
	"89c1",
	"8a43 50",
	"8843 51",
	"668953 52",
	"c743 54 04030201",
	"0fb643 55",
	"0fbf4b 56",
	"660fbe53 57",
	"8d7488 05",
	"668d7e 04",
	"91",
	"6692",
	"8643 58",
	"8773 5c",
	"86e1",
	"98",
	"6698",
	"99",
	"6699",
	"9f",
	"9e",
	"f8",
	"f9",
	"f5",
	"0f95c1",
	"0f9c43 60",
	"0f4cc2",
	"0f4743 64",
	"660f45f2",
	"27",
	"2f",
	"37",
	"3f",
	"d40a",
	"d50a",
	"d6",
	"50 5a",
	"ff73 68 59",
	"6a85 8f43 6c",
	"6650 665e",
	"9c 58",
	"c8100000 c9",
	/* branches, over one instruction and to the next */
	"39c1 7401 40",
	"83f8 10 7203 83c0 05",
	"3b43 70 7c02 31c2",
	"84c9 7802 f7d1",
	"807b 74 40 7701 48",
	"85d2 7500",
	"a880 7501 42",
	"7a01 46",
	"e802000000 eb01 c3",
};
enum { INSTRUCTIONS = sizeof instructions / sizeof instructions[0], LENGTH = 40 };

/* xorshift64 (Marsaglia 2003): the same programs in every run. */
static uint32_t random32(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16);
}

/* Give a CPU the program that seed stands for, its registers and its data. */
static void load_program(struct x86_code *code, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	uint32_t address = CODE;

	x86_memory_written(&code->system, CODE, 4096);
	for (unsigned i = 0; i < LENGTH; i++)
		address =
			x86_code_put(code, address, instructions[random32(&state) % INSTRUCTIONS]);
	x86_code_put(code, address, "f4");
	x86_code_rewind(code);
	for (unsigned number = 0; number < 8; number++)
		if (number != X86_RSP)
			code->cpu.reg[number] = random32(&state);
	code->cpu.reg[X86_RBX] = DATA;
	x86_set_eflags(&code->cpu, random32(&state), X86_ARITHMETIC);
	memset(code->ram + STACK - 256, 0, 256);
	for (unsigned i = 0; i < 0x80; i++)
		code->ram[DATA + i] = (uint8_t)random32(&state);
}

static bool run_both(struct x86_code *a, struct x86_code *b, int64_t step)
{
	x86_run(&a->cpu, 10000);
	for (unsigned i = 0; i < 10000 && !b->cpu.halted; i++)
		x86_run(&b->cpu, step);
	return x86_code_same(&a->cpu, &b->cpu) && a->cpu.instructions == b->cpu.instructions &&
	       memcmp(a->ram + DATA, b->ram + DATA, 0x80) == 0 &&
	       memcmp(a->ram + STACK - 256, b->ram + STACK - 256, 256) == 0;
}

static void test_programs(bool is_limited, int64_t step, const char *name)
{
	static struct x86_code flat, other;
	uint64_t seed, programs = 300;
	bool halts = true;

	x86_code_start(&flat);
	x86_code_start(&other);
	if (is_limited)
		x86_code_limit_segments(&other);
	for (seed = 1; seed <= programs; seed++) {
		load_program(&flat, seed);
		load_program(&other, seed);
		if (!run_both(&flat, &other, step)) {
			printf("# program %llu\n", (unsigned long long)seed);
			break;
		}
		halts &= flat.cpu.eip < HANDLERS || flat.cpu.eip >= CODE;
	}
	is(seed, programs + 1, "%s: %llu programs do the same", name, (unsigned long long)programs);
	ok(halts, "%s: none of them faults", name);
	x86_code_end(&flat);
	x86_code_end(&other);
}

/* In a block of 16-bit code the same bytes are other sizes: what 0x66 does here in 32-bit code is
 * done without it there. */
static void test_16_bit(void)
{
	static struct x86_code code;
	struct x86_segment segment;

	x86_code_start(&code);
	segment = code.cpu.segment[X86_CS];
	segment.rights &= (uint16_t)~X86_SEGMENT_DB;
	x86_set_segment(&code.cpu, X86_CS, &segment);
	/* mov ax,0x1234; mov ecx,0x89abcdef; mov bx,0x8000; mov si,0x10; mov [bx+si+2],ax; add
	 * edx,[bx+0x12]; jmp .+0; call .+1; hlt; ret: the stack is still one of 32 bits. */
	x86_code_put(&code, CODE & 0xffff, "f4");
	code.cpu.eip = 0x9000;
	x86_code_put(&code, 0x9000,
		"b83412 66b9efcdab89 bb0080 be1000 894002 31d2 8b5712 eb00 e80100 f4 c3");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "2.1.1 16-bit code runs");
	is(code.cpu.reg[X86_RAX] & 0xffff, 0x1234, "2.1.1 an operand of 16 bits");
	is(code.cpu.reg[X86_RCX], 0x89abcdef, "2.1.1 0x66 makes it one of 32");
	is(code.cpu.reg[X86_RDX] & 0xffff, 0x1234, "table 2-1 addresses of 16 bits");
	is(code.cpu.reg[X86_RSP], STACK, "a near CALL and RET of 16 bits");
	x86_code_end(&code);
}

/* Segments that are checked: a base, and a limit that an access exceeds. */
static void test_segments(void)
{
	static struct x86_code code;
	struct x86_segment segment;

	x86_code_start(&code);
	segment = code.cpu.segment[X86_FS];
	segment.base = DATA;
	segment.limit = 0xfff;
	segment.rights &= (uint16_t)~X86_SEGMENT_G;
	x86_set_segment(&code.cpu, X86_FS, &segment);
	x86_code_put(&code, DATA + 0x10, "44332211");
	x86_code_put(&code, CODE, "64a110000000 64ff0510000000 648b0dfd0f0000 f4");
	is(x86_run(&code.cpu, 100), X86_STOP_HALTED, "a segment with a base");
	is(code.cpu.reg[X86_RAX], 0x11223344, "3.2.2 the base is added");
	is(code.ram[DATA + 0x10], 0x45, "3.2.2 to a destination, too");
	is(code.cpu.eip, HANDLERS + 16 * X86_GP + 1, "5.3 an access beyond the limit is #GP");
	x86_code_end(&code);
}

int main(void)
{
	test_programs(false, 1, "one by one");
	test_programs(false, 7, "seven by seven");
	test_programs(true, 10000, "checked segments");
	test_programs(true, 1, "checked segments, one by one");
	test_16_bit();
	test_segments();
	return tap_done();
}
