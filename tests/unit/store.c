/* SPDX-License-Identifier: BSD-2-Clause */
/* The instruction that has stored is found by where execution goes on. Each instruction is put
 * between others, and is asked for behind it and at it. */
#include "cpu/store.h"
#include "cpu/register_bits.h"

#include <string.h>

#include "../fake_cpu.h"
#include "../tap.h"

#define CODE   0x1000u
#define TARGET 0x8000u
#define VALUE  0x11223344u

static struct fake_cpu fake;

struct known {
	const char *name, *bytes;
	unsigned len; /* of the instruction */
	struct store store;
	uint64_t esp_after, edi_after; /* if it changes them; 0: it does not */
};

/* EAX is VALUE, EBX is TARGET, ECX is 2, EBP and ESP are TARGET + 0x100, EDI is TARGET + 0x40. */
static const struct known known[] = {
	{"mov %eax, (%ebx)", "\x89\x03", 2, {TARGET, VALUE, 4}, 0, 0},
	{"mov %ax, (%ebx)", "\x66\x89\x03", 3, {TARGET, 0x3344, 2}, 0, 0},
	{"mov %ah, (%ebx)", "\x88\x23", 2, {TARGET, 0x33, 1}, 0, 0},
	{"mov %eax, 8(%ebx)", "\x89\x43\x08", 3, {TARGET + 8, VALUE, 4}, 0, 0},
	{"mov %eax, -8(%ebx)", "\x89\x43\xf8", 3, {TARGET - 8, VALUE, 4}, 0, 0},
	{"mov %eax, (%ebx,%ecx,4)", "\x89\x04\x8b", 3, {TARGET + 8, VALUE, 4}, 0, 0},
	{"mov %eax, 0x8000(,%ecx,8)", "\x89\x04\xcd\x00\x80\x00\x00", 7, {TARGET + 16, VALUE, 4}, 0,
		0},
	{"mov %eax, 0x8000", "\xa3\x00\x80\x00\x00", 5, {TARGET, VALUE, 4}, 0, 0},
	{"mov %eax, 0x100(%ebp)", "\x89\x85\x00\x01\x00\x00", 6, {TARGET + 0x200, VALUE, 4}, 0, 0},
	{"movl $0x55, 0x8000", "\xc7\x05\x00\x80\x00\x00\x55\x00\x00\x00", 10, {TARGET, 0x55, 4}, 0,
		0},
	{"movb $0x55, (%ebx)", "\xc6\x03\x55", 3, {TARGET, 0x55, 1}, 0, 0},
	{"addl $1, (%ebx)", "\x83\x03\x01", 3, {TARGET, 7, 4}, 0, 0},
	{"orl $0x100, (%ebx)", "\x81\x0b\x00\x01\x00\x00", 6, {TARGET, 7, 4}, 0, 0},
	{"lock xor %eax, (%ebx)", "\xf0\x31\x03", 3, {TARGET, 7, 4}, 0, 0},
	{"incl (%ebx)", "\xff\x03", 2, {TARGET, 7, 4}, 0, 0},
	{"negb (%ebx)", "\xf6\x1b", 2, {TARGET, 7, 1}, 0, 0},
	{"push %eax", "\x50", 1, {TARGET + 0xfc, VALUE, 4}, TARGET + 0xfc, 0},
	{"push $-2", "\x6a\xfe", 2, {TARGET + 0xfc, 0xfffffffe, 4}, TARGET + 0xfc, 0},
	{"push (%ebx)", "\xff\x33", 2, {TARGET + 0xfc, 9, 4}, TARGET + 0xfc, 0},
	{"stos %eax", "\xab", 1, {TARGET + 0x40, VALUE, 4}, 0, TARGET + 0x44},
	{"mov %eax, %ds:(%ebx)", "\x3e\x89\x03", 3, {TARGET, VALUE, 4}, 0, 0},
};

static void reset(const char *bytes, unsigned len)
{
	uint64_t *general = fake.registers.general;

	fake_cpu_init(&fake);
	memset(&fake.ram[CODE - 32], 0x90, 64);
	fake_bytes(&fake, CODE, bytes, len);
	general[CPU_RAX] = VALUE;
	general[CPU_RBX] = TARGET;
	general[CPU_RCX] = 2;
	general[CPU_RBP] = general[CPU_RSP] = TARGET + 0x100;
	general[CPU_RDI] = TARGET + 0x40;
}

static bool find(uint64_t rip, const struct store *store)
{
	fake.registers.rip = rip;
	return store_find(&fake.cpu, &fake.registers, store) && fake.registers.rip == CODE;
}

static void test_known(void)
{
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
		const struct known *k = &known[i];
		struct store other = k->store;

		reset(k->bytes, k->len);
		ok(find(CODE, &k->store), "%s: at it", k->name);
		if (k->esp_after)
			fake.registers.general[CPU_RSP] = k->esp_after;
		if (k->edi_after)
			fake.registers.general[CPU_RDI] = k->edi_after;
		/* A redundant prefix is not looked for: the instruction begins behind it. */
		if (k->bytes[0] != '\x3e')
			ok(find(CODE + k->len, &k->store), "%s: behind it", k->name);
		other.gpa++;
		ok(!find(CODE, &other), "%s: not at another address", k->name);
		other.gpa--;
		other.len = other.len == 1 ? 2 : 1;
		ok(!find(CODE, &other), "%s: not with another width", k->name);
	}
}

static void test_unknown(void)
{
	const struct store store = {TARGET, VALUE, 4}, other = {TARGET, 1, 4};

	reset("\x89\x03\x89\x03", 4);
	ok(!find(CODE + 2, &store), "two instructions that fit: it may be either");
	reset("\x89\x03", 2);
	ok(!find(CODE, &other), "a value that EAX has not");
	ok(!find(CODE + 8, &store), "an instruction that is further away");
	ok(!find(0x30000, &store), "no code where the CPU is");
	reset("\x64\x89\x03", 3);
	ok(!find(CODE, &store), "the base of FS is not known");
	reset("\x67\x89\x03", 3);
	ok(!find(CODE, &store), "an address of 16 bits is not known");
	reset("\x39\x03", 2);
	ok(!find(CODE, &store), "a comparison does not store");
	reset("\x89\x03", 2);
	fake.registers.cr0 = 0x10;
	ok(!find(CODE, &store), "nothing is known in real mode");
}

static void test_call(void)
{
	const struct store store = {TARGET + 0xfc, CODE + 5, 4};

	reset("\xe8\xfb\x01\x00\x00", 5);
	fake.registers.general[CPU_RSP] = TARGET + 0xfc;
	ok(find(CODE + 0x200, &store), "a call is found from where it leads to");
	ok(!find(CODE + 0x201, &store), "and not from elsewhere");
}

static void test_long(void)
{
	const struct store store = {TARGET, VALUE, 8}, push = {TARGET + 0xf8, VALUE, 8};

	reset("\x48\x89\x03", 3);
	fake.registers.efer = X86_EFER_LMA;
	ok(find(CODE + 3, &store) && find(CODE, &store), "mov %%rax, (%%rbx)");
	reset("\x50", 1);
	fake.registers.efer = X86_EFER_LMA;
	ok(find(CODE, &push), "push %%rax");
}

static void test_out(void)
{
	reset("\xee", 1);
	fake.registers.general[CPU_RDX] = 0x3f8;
	fake.registers.rip = CODE;
	ok(store_find_out(&fake.cpu, &fake.registers, 0x3f8, 1) && fake.registers.rip == CODE,
		"out %%al, (%%dx): at it");
	fake.registers.rip = CODE + 1;
	ok(store_find_out(&fake.cpu, &fake.registers, 0x3f8, 1) && fake.registers.rip == CODE,
		"behind it");
	fake.registers.rip = CODE + 1;
	ok(!store_find_out(&fake.cpu, &fake.registers, 0x3f9, 1), "not to another port");
	ok(!store_find_out(&fake.cpu, &fake.registers, 0x3f8, 2), "not of another width");

	reset("\x66\xe7\x80", 3);
	fake.registers.rip = CODE + 3;
	ok(store_find_out(&fake.cpu, &fake.registers, 0x80, 2) && fake.registers.rip == CODE,
		"out %%ax, $0x80: behind it");
	fake.registers.rip = CODE;
	ok(store_find_out(&fake.cpu, &fake.registers, 0x80, 2) && fake.registers.rip == CODE,
		"at it");

	reset("\xee\xee", 2);
	fake.registers.general[CPU_RDX] = 0x3f8;
	fake.registers.rip = CODE + 1;
	ok(!store_find_out(&fake.cpu, &fake.registers, 0x3f8, 1), "one of two may be either");
}

int main(void)
{
	test_known();
	test_unknown();
	test_call();
	test_long();
	test_out();
	return tap_done();
}
