/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_EMULATE_FIXTURE_H
#define TESTS_EMULATE_FIXTURE_H

/* A CPU in flat segments of protected mode, whose memory is an array, for tests of
 * vmm/kvm/emulate.h. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm/emulate.h"

#include "tap.h"

#define MEMORY_SIZE 0x20000u
#define GDT         0x1000
#define LDT         0x2000
#define IDT         0x3000
#define STACK       0x8000 /* of CPL 0 */
#define READ_ONLY   0xf000 /* and above */
#define EIP         0x4000
#define TARGET      0x5678
#define UPPER       0xffffffff80000000ull /* the same memory, for 64-bit mode */

/* Selectors. */
enum {
	CODE0 = 0x08,
	DATA0 = 0x10,
	CODE3 = 0x18,
	DATA3 = 0x20,
	CONFORMING0 = 0x28,
	CONFORMING3 = 0x30,
	ABSENT_CODE0 = 0x38,
	ABSENT_DATA3 = 0x40,
	READ_ONLY_DATA3 = 0x48,
	SMALL_CODE0 = 0x50,
	TSS = 0x58,
	CODE1 = 0x60,
	DATA3_16 = 0x68,
	SYSTEM3 = 0x70,
	CODE64 = 0x78,
	CODE64_3 = 0x80,
	GDT_END = 0x88,
	LDT_CODE0 = 0x04,
	LDT_END = 0x08,
};

struct memory {
	uint8_t bytes[MEMORY_SIZE];
	unsigned writes;
};

static inline int memory_read(void *ctx, uint64_t linear, void *dst, size_t len)
{
	struct memory *memory = ctx;

	linear -= linear >= UPPER ? UPPER : 0;
	if (linear > MEMORY_SIZE || len > MEMORY_SIZE - linear)
		return -EFAULT;
	memcpy(dst, memory->bytes + linear, len);
	return 0;
}

static inline int memory_write(void *ctx, uint64_t linear, const void *src, size_t len)
{
	struct memory *memory = ctx;

	linear -= linear >= UPPER ? UPPER : 0;
	if (linear > READ_ONLY || len > READ_ONLY - linear)
		return -EFAULT;
	memory->writes++;
	memcpy(memory->bytes + linear, src, len);
	return 0;
}

static inline void put(struct memory *memory, uint32_t at, const void *src, size_t len)
{
	memcpy(memory->bytes + at, src, len);
}

static inline uint32_t word(const struct memory *memory, uint32_t at)
{
	uint32_t value;

	memcpy(&value, memory->bytes + at, sizeof value);
	return value;
}

/* access: the descriptor's byte 5; flags: its upper nibble of byte 6. */
static inline uint64_t descriptor(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
	       (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)flags << 52 |
	       (uint64_t)(base >> 24) << 56;
}

static inline void put_descriptor(
	struct memory *memory, uint32_t table, unsigned selector, uint64_t value)
{
	put(memory, table + (selector & ~7u), &value, sizeof value);
}

static inline void put_gate(
	struct memory *memory, uint8_t vector, uint16_t selector, uint8_t access)
{
	uint64_t value = (TARGET & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 40 |
			 0x0001ull << 48;

	put(memory, IDT + vector * 8u, &value, sizeof value);
}

static inline struct kvm_segment flat(uint16_t selector, uint8_t type, uint8_t dpl)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = dpl,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static inline void set_cpl(struct emulate *e, unsigned cpl)
{
	uint8_t dpl = (uint8_t)cpl;

	e->sregs.cs = flat((uint16_t)((cpl ? CODE3 : CODE0) | cpl), 0xb, dpl);
	e->sregs.ss = flat((uint16_t)((cpl ? DATA3 : DATA0) | cpl), 0x3, dpl);
	e->sregs.ds = e->sregs.es = e->sregs.fs = e->sregs.gs = e->sregs.ss;
}

/* A CPU at CPL 0 in flat segments. */
static inline void start(struct emulate *e, struct memory *memory)
{
	*memory = (struct memory){.writes = 0};
	put_descriptor(memory, GDT, CODE0, descriptor(0, 0xfffff, 0x9a, 0xc));
	put_descriptor(memory, GDT, DATA0, descriptor(0, 0xfffff, 0x92, 0xc));
	put_descriptor(memory, GDT, CODE3, descriptor(0x12345678, 0xfffff, 0xfa, 0xc));
	put_descriptor(memory, GDT, DATA3, descriptor(0, 0xfffff, 0xf2, 0xc));
	put_descriptor(memory, GDT, CONFORMING0, descriptor(0, 0xfffff, 0x9e, 0xc));
	put_descriptor(memory, GDT, CONFORMING3, descriptor(0, 0xfffff, 0xfe, 0xc));
	put_descriptor(memory, GDT, ABSENT_CODE0, descriptor(0, 0xfffff, 0x1a, 0xc));
	put_descriptor(memory, GDT, ABSENT_DATA3, descriptor(0, 0xfffff, 0x72, 0xc));
	put_descriptor(memory, GDT, READ_ONLY_DATA3, descriptor(0, 0xfffff, 0xf0, 0xc));
	put_descriptor(memory, GDT, SMALL_CODE0, descriptor(0, TARGET, 0x9a, 0x4));
	put_descriptor(memory, GDT, TSS, descriptor(0, 0xfffff, 0x89, 0x8));
	put_descriptor(memory, GDT, CODE1, descriptor(0, 0xfffff, 0xba, 0xc));
	put_descriptor(memory, GDT, DATA3_16, descriptor(0x20, 0xffff, 0xf2, 0));
	put_descriptor(memory, GDT, SYSTEM3, descriptor(0, 0xfffff, 0xe2, 0x8));
	put_descriptor(memory, GDT, 0, descriptor(0, 0xfffff, 0x9a, 0xc));
	put_descriptor(memory, LDT, LDT_CODE0, descriptor(0, 0xfffff, 0x9a, 0xc));
	*e = (struct emulate){.ctx = memory, .read = memory_read, .write = memory_write};
	set_cpl(e, 0);
	e->sregs.gdt = (struct kvm_dtable){.base = GDT, .limit = GDT_END - 1};
	e->sregs.idt = (struct kvm_dtable){.base = IDT, .limit = 0x100 * 8 - 1};
	e->sregs.ldt = (struct kvm_segment){.base = LDT, .limit = LDT_END - 1, .present = 1};
	e->sregs.cr0 = 0x11;
	e->regs.rip = EIP;
	e->regs.rsp = STACK;
	e->regs.rflags = 0x2;
}

static inline void push32(struct emulate *e, uint32_t value)
{
	e->regs.rsp -= 4;
	put(e->ctx, (uint32_t)e->regs.rsp, &value, 4);
}

static inline void push16(struct emulate *e, uint16_t value)
{
	e->regs.rsp -= 2;
	put(e->ctx, (uint32_t)e->regs.rsp, &value, 2);
}

static inline void push_frame(struct emulate *e, uint32_t eip, uint32_t cs, uint32_t flags)
{
	push32(e, flags);
	push32(e, cs);
	push32(e, eip);
}

static inline void push_outer_frame(
	struct emulate *e, uint32_t eip, uint32_t cs, uint32_t flags, uint32_t esp, uint32_t ss)
{
	push32(e, ss);
	push32(e, esp);
	push_frame(e, eip, cs, flags);
}

/* Runs an instruction that is not to be completed. */
static inline void refused(
	struct emulate *e, const char *code, size_t len, int expected, const char *name)
{
	struct memory *memory = e->ctx;
	struct emulate before;
	int err;

	/* With the bytes between the members. */
	memcpy(&before, e, sizeof before);
	memory->writes = 0;
	err = emulate_instruction(e, (const uint8_t *)code, len);
	ok(err == expected && memcmp(&before, e, sizeof before) == 0 && memory->writes == 0, "%s",
		name);
	if (err != expected)
		printf("# returned %d, expected %d\n", err, expected);
}

static inline int run(struct emulate *e, const char *code, size_t len)
{
	return emulate_instruction(e, (const uint8_t *)code, len);
}

#define IRET   "\xcf", 1
#define IRET16 "\x66\xcf", 2
#define INT3   "\xcc", 1
#define INT(n) "\xcd" n, 2
#define INTO   "\xce", 1

static struct memory memory;

#endif
