/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/kvm/selectors.c: which selectors an instruction loads. Each instruction was assembled by GNU
 * as; clauses are those of Intel SDM 2. */
#include "kvm/selectors.h"
#include "cpu/register_bits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../tap.h"

/* Guest memory: a selector at each even address, the address itself but for bit 0, so that the
 * selector tells where it was read. */
static int read_memory(void *ctx, uint64_t linear, void *dst, size_t len)
{
	uint16_t value = (uint16_t)linear;

	(void)ctx;
	if (linear >= 0x100000 || len != sizeof value)
		return -EFAULT;
	memcpy(dst, &value, sizeof value);
	return 0;
}

static struct kvm_segment segment(uint64_t base, bool db)
{
	return (struct kvm_segment){.base = base, .db = db, .present = 1, .s = 1};
}

static struct emulate cpu(bool is_32)
{
	return (struct emulate){
		.regs = {.rax = 0x1008,
			.rcx = 0x2010,
			.rdx = 0x3018,
			.rbx = 0x4020,
			.rsp = 0x8000,
			.rbp = 0x5028,
			.rsi = 0x100,
			.rdi = 0x200,
			.r8 = 0x6030,
			.r12 = 0x7038,
			.rip = 0x9000},
		.sregs = {.cs = segment(0, is_32),
			.ds = segment(0, true),
			.es = segment(0x10000, true),
			.ss = segment(0x40000, is_32),
			.fs = segment(0x20000, true),
			.gs = segment(0x30000, true)},
		.read = read_memory,
	};
}

static struct emulate cpu64(void)
{
	struct emulate e = cpu(false);

	e.sregs.efer = X86_EFER_LMA;
	e.sregs.cs.l = 1;
	return e;
}

struct sample {
	const char *code; /* for people */
	uint8_t len, bytes[15];
	unsigned count;
	uint16_t selectors[2];
};

static void expect(const struct emulate *e, const struct sample *sample, const char *mode)
{
	uint16_t selectors[SELECTORS_MAX] = {0};
	unsigned count = selectors_of_instruction(e, sample->bytes, sample->len, selectors);
	bool is_same = count == sample->count;

	for (unsigned i = 0; i < count && i < sample->count; i++)
		is_same = is_same && selectors[i] == sample->selectors[i];
	ok(is_same, "%s: %s", mode, sample->code);
	if (!is_same)
		printf("# %u: 0x%x 0x%x\n", count, selectors[0], selectors[1]);
}

static const struct sample samples_32[] = {
	{"mov %eax, %ds", 2, {0x8e, 0xd8}, 1, {0x1008}},
	{"mov %bp, %ss", 2, {0x8e, 0xd5}, 1, {0x5028}},
	{"mov (%ebx), %es", 2, {0x8e, 0x03}, 1, {0x4020}},
	{"mov 0x10(%ebp), %es", 3, {0x8e, 0x45, 0x10}, 1, {0x5038}},
	{"mov -4(%esi,%edi,4), %gs", 4, {0x8e, 0x6c, 0xbe, 0xfc}, 1, {0x8fc}},
	{"mov 0x1234, %ds", 6, {0x8e, 0x1d, 0x34, 0x12, 0, 0}, 1, {0x1234}},
	{"mov 0x12(,%ecx,2), %ds", 7, {0x8e, 0x1c, 0x4d, 0x12, 0, 0, 0}, 1, {0x4032}},
	{"mov %fs:0x100(%esp), %ds", 8, {0x64, 0x8e, 0x9c, 0x24, 0, 1, 0, 0}, 1, {0x8100}},
	{"addr16 mov 2(%bp,%si), %ds", 4, {0x67, 0x8e, 0x5a, 0x02}, 1, {0x512a}},
	{"addr16 mov 0x1234, %ds", 5, {0x67, 0x8e, 0x1e, 0x34, 0x12}, 1, {0x1234}},
	{"pop %es", 1, {0x07}, 1, {0x8000}},
	{"pop %ss", 1, {0x17}, 1, {0x8000}},
	{"pop %ds", 1, {0x1f}, 1, {0x8000}},
	{"pop %fs", 2, {0x0f, 0xa1}, 1, {0x8000}},
	{"pop %gs", 2, {0x0f, 0xa9}, 1, {0x8000}},
	{"les (%ecx), %eax", 2, {0xc4, 0x01}, 1, {0x2014}},
	{"lds (%ecx), %ax", 3, {0x66, 0xc5, 0x01}, 1, {0x2012}},
	{"lss (%edx), %esp", 3, {0x0f, 0xb2, 0x22}, 1, {0x301c}},
	{"lfs (%edx), %eax", 3, {0x0f, 0xb4, 0x02}, 1, {0x301c}},
	{"lgs (%edx), %eax", 3, {0x0f, 0xb5, 0x02}, 1, {0x301c}},
	{"ljmp $8, $0x123456", 7, {0xea, 0x56, 0x34, 0x12, 0, 0x08, 0}, 1, {8}},
	{"ljmpw $8, $0x1234", 6, {0x66, 0xea, 0x34, 0x12, 0x08, 0}, 1, {8}},
	{"lcall $0x18, $0", 7, {0x9a, 0, 0, 0, 0, 0x18, 0}, 1, {0x18}},
	{"ljmp *(%ecx)", 2, {0xff, 0x29}, 1, {0x2014}},
	{"lcall *(%ecx)", 2, {0xff, 0x19}, 1, {0x2014}},
	{"jmp *(%ecx)", 2, {0xff, 0x21}, 0, {0}},
	{"lret", 1, {0xcb}, 1, {0x8004}},
	{"lret $8", 3, {0xca, 8, 0}, 1, {0x8004}},
	{"lretw", 2, {0x66, 0xcb}, 1, {0x8002}},
	{"iret", 1, {0xcf}, 1, {0x8004}},
	{"jmp .", 2, {0xeb, 0xfe}, 0, {0}},
	{"mov %ds, %eax", 2, {0x8c, 0xd8}, 0, {0}},
	{"vzeroupper, not lds", 3, {0xc5, 0xf8, 0x77}, 0, {0}},
	{"half of ljmp", 6, {0xea, 0, 0, 0, 0, 8}, 0, {0}},
	{"half of mov", 1, {0x8e}, 0, {0}},
	{"half of mov 0x1234, %ds", 4, {0x8e, 0x1d, 0x34, 0x12}, 0, {0}},
	{"prefixes alone", 3, {0x66, 0x67, 0x2e}, 0, {0}},
	{"nothing", 0, {0}, 0, {0}},
};

static const struct sample samples_16[] = {
	{"ljmp $8, $0x1234", 5, {0xea, 0x34, 0x12, 0x08, 0}, 1, {8}},
	{"ljmpl $8, $0x1234", 8, {0x66, 0xea, 0x34, 0x12, 0, 0, 0x08, 0}, 1, {8}},
	{"mov (%bx,%di), %ds", 2, {0x8e, 0x19}, 1, {0x4220}},
	{"mov (%bp), %ds", 3, {0x8e, 0x5e, 0}, 1, {0x5028}},
	{"addr32 mov (%ebx), %ds", 3, {0x67, 0x8e, 0x1b}, 1, {0x4020}},
	{"lret", 1, {0xcb}, 1, {0x8002}},
};

static const struct sample samples_64[] = {
	{"mov %r8d, %ds", 3, {0x41, 0x8e, 0xd8}, 1, {0x6030}},
	{"mov (%r12), %ds", 4, {0x41, 0x8e, 0x1c, 0x24}, 1, {0x7038}},
	{"mov 0x10(%rip), %ds", 6, {0x8e, 0x1d, 0x10, 0, 0, 0}, 1, {0x9016}},
	{"mov %es:(%rbx), %ds, without a base", 3, {0x26, 0x8e, 0x1b}, 1, {0x4020}},
	{"lretq", 2, {0x48, 0xcb}, 1, {0x8008}},
	{"iretq", 2, {0x48, 0xcf}, 2, {0x8008, 0x8020}},
	{"ljmp *(%rcx)", 2, {0xff, 0x29}, 1, {0x2014}},
	{"rex.w ljmp *(%rcx)", 3, {0x48, 0xff, 0x29}, 1, {0x2018}},
	{"pop %fs", 2, {0x0f, 0xa1}, 1, {0x8000}},
	{"no pop %ds", 1, {0x1f}, 0, {0}},
	{"no ljmp $8, $0", 7, {0xea, 0, 0, 0, 0, 8, 0}, 0, {0}},
};

/* Which segment a memory operand is in, by its base (3.7.4). */
static void test_segments(void)
{
	static const struct {
		const char *name;
		uint8_t len, bytes[8];
		uint64_t linear;
	} operands[] = {
		{"%ebx: DS", 2, {0x8e, 0x03}, 0x4020},
		{"%ebp: SS", 3, {0x8e, 0x45, 0}, 0x45028},
		{"%esp: SS", 3, {0x8e, 0x04, 0x24}, 0x48000},
		{"%ebp as an index: DS", 7, {0x8e, 0x04, 0x2d, 0, 0, 0, 0}, 0x5028},
		{"prefix: FS", 4, {0x64, 0x8e, 0x45, 0}, 0x25028},
	};

	for (unsigned i = 0; i < sizeof operands / sizeof *operands; i++) {
		struct emulate e = cpu(true);
		uint16_t selectors[SELECTORS_MAX];
		uint64_t base = operands[i].linear & ~0xffffull;

		/* One base moves out of memory: the operand's own. */
		struct kvm_segment *all[] = {
			&e.sregs.ds, &e.sregs.es, &e.sregs.fs, &e.sregs.gs, &e.sregs.ss};

		for (unsigned n = 0; n < 5; n++)
			if (all[n]->base == base)
				all[n]->base = 0x200000;
		is(selectors_of_instruction(&e, operands[i].bytes, operands[i].len, selectors), 0,
			"segment of an operand by %s", operands[i].name);
	}
}

int main(void)
{
	struct emulate e = cpu(true), e16 = cpu(false), e64 = cpu64();

	for (unsigned i = 0; i < sizeof samples_32 / sizeof *samples_32; i++)
		expect(&e, &samples_32[i], "32 bits");
	for (unsigned i = 0; i < sizeof samples_16 / sizeof *samples_16; i++)
		expect(&e16, &samples_16[i], "16 bits");
	for (unsigned i = 0; i < sizeof samples_64 / sizeof *samples_64; i++)
		expect(&e64, &samples_64[i], "64 bits");
	/* CPL 0, and a selector on the stack whose RPL is 3. */
	e.regs.rsp = 0x7fff;
	expect(&e, &(struct sample){"iret to level 3", 1, {0xcf}, 2, {0x8003, 0x800f}}, "32 bits");
	test_segments();
	return tap_done();
}
