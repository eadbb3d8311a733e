/* SPDX-License-Identifier: BSD-2-Clause */
/* The chain of callers, on stacks that this program makes up. */
#include "cpu/callers.h"

#include <stdio.h>
#include <string.h>

#include "../capture.h"
#include "../fake_cpu.h"
#include "../tap.h"
#include "cpu/register_bits.h"

/* main calls middle, which calls inner; each in 0x100 bytes. */
#define MAIN   0x1000u
#define MIDDLE 0x1100u
#define INNER  0x1200u
#define OTHER  0x1300u
#define STACK  0x8000u

static const struct fake_symbol symbols[] = {
	{MAIN, "main"}, {MIDDLE, "middle"}, {INNER, "inner"}, {OTHER, "other"}, {0, NULL}};

static struct fake_cpu fake;

/* Puts a call of a function at an address. Returns the return address. */
static uint32_t put_call(uint32_t address, uint32_t function)
{
	uint8_t code[5] = {0xe8};
	uint32_t next = address + sizeof code, relative = function - next;

	memcpy(&code[1], &relative, sizeof relative);
	fake_bytes(&fake, address, code, sizeof code);
	return next;
}

static uint32_t in_main, in_middle, in_other;

static void reset(void)
{
	fake_cpu_init(&fake);
	fake.symbols = symbols;
	in_main = put_call(MAIN + 0x20, MIDDLE);
	in_middle = put_call(MIDDLE + 0x10, INNER);
	in_other = put_call(OTHER + 0x10, MAIN);
	fake.registers.rip = INNER + 8;
	fake.registers.general[CPU_RSP] = STACK;
}

static const char *find(void)
{
	struct callers callers;

	callers_find(&fake.cpu, &fake.registers, &callers);
	capture_begin();
	callers_say(&fake.cpu, &callers);
	return capture_end();
}

static void is_said(const char *text, const char *name)
{
	const char *said = find();
	bool same = strcmp(said, text) == 0;

	ok(same, "%s", name);
	if (!same)
		printf("# says: %s", said);
}

static void test_frames(void)
{
	reset();
	fake.registers.general[CPU_RBP] = STACK + 8;
	fake_word(&fake, STACK + 4, in_other); /* in inner's frame: not a caller */
	fake_word(&fake, STACK + 8, STACK + 0x20);
	fake_word(&fake, STACK + 12, in_middle);
	fake_word(&fake, STACK + 0x24, in_main);
	is_said("vole:   called from middle+0x15, main+0x25\n",
		"frame pointers lead to the callers");

	fake.registers.rip = INNER;
	fake.registers.general[CPU_RBP] = STACK + 0x20;
	fake_word(&fake, STACK, in_middle);
	is_said("vole:   called from middle+0x15, main+0x25\n",
		"before the first instruction the return address is on top of the stack");

	fake.registers.rip = INNER + 1;
	fake_word(&fake, STACK, STACK + 0x20);
	fake_word(&fake, STACK + 4, in_middle);
	fake_bytes(&fake, INNER, "\x55\x89\xe5", 3);
	is_said("vole:   called from middle+0x15, main+0x25\n",
		"behind the push of EBP it is below that");

	fake.registers.rip = 0xdead0000;
	fake_word(&fake, STACK, in_middle);
	is_said("vole:   called from middle+0x15, main+0x25\n",
		"it is on top of the stack as well if the CPU is where no code is");
}

static void test_frameless(void)
{
	reset();
	fake.registers.general[CPU_RBP] = STACK + 16;
	fake_word(&fake, STACK + 4, in_other);
	fake_word(&fake, STACK + 8, in_middle);
	fake_word(&fake, STACK + 16, STACK + 0x20);
	fake_word(&fake, STACK + 20, in_main);
	is_said("vole:   called from middle+0x15, main+0x25\n",
		"a function without a frame pointer is not left out");
}

static void test_frames_bounded(void)
{
	reset();
	fake.registers.general[CPU_RBP] = STACK;
	for (unsigned i = 0; i < 40; i++) {
		fake_word(&fake, STACK + 16 * i, STACK + 16 * (i + 1));
		fake_word(&fake, STACK + 16 * i + 4, in_middle);
	}
	is_said("vole:   called from middle+0x15 16 times, ...\n", "sixteen callers are shown");

	fake_word(&fake, STACK + 16, STACK);
	is_said("vole:   called from middle+0x15 2 times\n",
		"a frame pointer that leads back ends them");
	fake.registers.general[CPU_RBP] = FAKE_RAM_SIZE - 4;
	fake.registers.general[CPU_RSP] = FAKE_RAM_SIZE - 8;
	is_said("", "and so does one that leaves memory");
	fake.registers.general[CPU_RBP] = UINT32_MAX - 3;
	is_said("", "or the last word that there is");
}

static void test_search(void)
{
	reset();
	fake.registers.general[CPU_RBP] = 12;
	fake_word(&fake, STACK + 4, MIDDLE + 3);
	fake_word(&fake, STACK + 8, in_main); /* left by an earlier call */
	fake_word(&fake, STACK + 12, in_middle);
	fake_word(&fake, STACK + 24, in_other);
	fake_word(&fake, STACK + 28, in_main);
	is_said("vole:   perhaps called from middle+0x15, main+0x25\n",
		"without frame pointers the stack is searched, and calls must fit together");

	fake_bytes(&fake, MIDDLE + 0x10, "\xff\x14\x85\x00\x10\x00\x00", 7);
	fake_word(&fake, STACK + 8, 0);
	fake_word(&fake, STACK + 12, MIDDLE + 0x17);
	is_said("vole:   perhaps called from middle+0x17, main+0x25\n",
		"an indirect call is one as well");
	fake_bytes(&fake, MIDDLE + 0x10, "\xff\x64\x85\x00\x10\x00\x00", 7);
	fake_word(&fake, STACK + 28, 0);
	fake.registers.general[CPU_RSP] = STACK + 8;
	fake_word(&fake, STACK + 24, 0);
	is_said("", "a jump is none");
}

static void test_long_mode(void)
{
	reset();
	fake.registers.efer = X86_EFER_LMA;
	fake.registers.general[CPU_RBP] = STACK + 16;
	fake_word64(&fake, STACK + 16, STACK + 64);
	fake_word64(&fake, STACK + 24, in_middle);
	fake_word64(&fake, STACK + 64, 0);
	fake_word64(&fake, STACK + 72, in_main);
	is_said("vole:   called from middle+0x15, main+0x25\n", "64-bit code has words of 8 bytes");

	fake_word64(&fake, STACK + 24, UINT64_C(0x100000000) + in_middle);
	fake_word64(&fake, STACK + 72, UINT64_C(0x100000000) + in_main);
	is_said("", "all of which count");
}

static void test_other_modes(void)
{
	reset();
	fake_word(&fake, STACK, in_middle);
	fake.registers.cr0 = 0x10;
	is_said("", "nothing is known in real mode");
	fake.registers.cr0 = 0x11;
	fake.registers.rflags |= 0x20000;
	is_said("", "or in virtual-8086 mode");
	fake.registers.rflags = 2;
	fake.symbols = NULL;
	is_said("vole:   perhaps called from 0x00001115\n", "without symbols there are addresses");
	fake.registers.cs.base = 0x100;
	fake_word(&fake, STACK, in_middle - 0x100);
	is_said("vole:   perhaps called from 0x00001115\n", "the base of CS counts");
}

static void test_lines(void)
{
	static const struct fake_symbol long_name[] = {
		{0, "a_function_with_a_name_that_nobody_would_want_to_type_or_to_read_more_than_"
		    "once_or_twice"},
		{0, NULL}};
	const char *text;
	unsigned lines = 0;

	reset();
	fake.symbols = long_name;
	fake.registers.general[CPU_RBP] = STACK;
	for (unsigned i = 0; i < 40; i++) {
		fake_word(&fake, STACK + 16 * i, STACK + 16 * (i + 1));
		fake_word(&fake, STACK + 16 * i + 4, i % 2 ? in_middle : in_main);
	}
	text = find();
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		ok(strcspn(line, "\n") <= 120, "a line is bounded");
		lines++;
	}
	is(lines, 17, "and so is their number");
}

int main(void)
{
	test_frames();
	test_frameless();
	test_frames_bounded();
	test_search();
	test_long_mode();
	test_other_modes();
	test_lines();
	return tap_done();
}
