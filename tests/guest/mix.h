/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_MIX_H
#define TESTS_GUEST_MIX_H

/*
 * What the snippets of mix.c run in: a window of memory in which all their segments lie, and the
 * descriptor tables. tests/lib/Mix.pm knows the selectors, the vectors and the offsets by number.
 */

#include <stdint.h>

/* Pages of the window by number; the flags hold while paging is on. */
#define WINDOW_PAGES 7
#define PAGE_STACK   3 /* the snippet's stack begins at its end, stacks of the TSS are below */
#define PAGE_CODE    4
#define WINDOW_SIZE  (WINDOW_PAGES * 4096u)
#define CODE_AT      (PAGE_CODE * 4096u)
#define CODE_SIZE    4096u
#define CODE_TARGET  0xe00u /* where gates and tasks lead; INT3 is there */

static const uint16_t window_page_flags[WINDOW_PAGES] = {0x07, 0x07, 0x05 /* read only */, 0x07,
	0x07, 0x06 /* not present */, 0x03 /* supervisor */};

/* Selectors that mix.c itself uses. */
#define SELECTOR_TSS      0x18
#define SELECTOR_TSS_DF   0x20
#define SELECTOR_CODE_0   0x28
#define SELECTOR_DATA_0   0x30
#define SELECTOR_CODE_3   0x38
#define SELECTOR_CODE16_0 0x48
#define SELECTOR_LDT      0x68
#define SELECTOR_TASK     0xe0
#define SELECTOR_TASK_16  0xe8
#define SELECTOR_BUSY     0xf0
#define SELECTOR_SMALL    0x118

#define GDT_ENTRIES           40
#define LDT_ENTRIES           8
#define IDT_ENTRIES           64
#define FIRST_SOFTWARE_VECTOR 0x20
#define TIMER_VECTOR          0x38

/* Segments of the window. Attributes are bits 23:8 of a descriptor's second word (Intel SDM 3,
 * 3.4.5): a code segment begins at CODE_AT, others at 0, but for those that expand down. Those of
 * code and stacks were accessed already: see tests/lib/Mix.pm. */
struct segment_row {
	uint16_t selector, attributes;
	uint32_t limit;
};

static const struct segment_row window_segments[] = {
	{SELECTOR_CODE_0, 0x409b, CODE_SIZE - 1}, {SELECTOR_DATA_0, 0x4093, WINDOW_SIZE - 1},
	{SELECTOR_CODE_3, 0x40fb, CODE_SIZE - 1}, {0x40, 0x40f3, WINDOW_SIZE - 1},
	{SELECTOR_CODE16_0, 0x009b, CODE_SIZE - 1}, {0x50, 0x0093, WINDOW_SIZE - 1},
	{0x58, 0x00fb, CODE_SIZE - 1}, {0x60, 0x00f3, WINDOW_SIZE - 1},
	{0x70, 0x409f, CODE_SIZE - 1},     /* conforming, DPL 0 */
	{0x78, 0x40f9, CODE_SIZE - 1},     /* execute only */
	{0x80, 0x40f0, WINDOW_SIZE - 1},   /* read only */
	{0x88, 0xc0f6, 0xffffe},           /* expand down: its last page is the window's first */
	{0x90, 0x4072, WINDOW_SIZE - 1},   /* not present */
	{0x98, 0x407a, CODE_SIZE - 1},     /* not present */
	{0xf8, 0x0088, WINDOW_SIZE - 1},   /* a reserved type */
	{0x100, 0xc0f3, WINDOW_PAGES - 1}, /* in pages */
	{0x108, 0x40ff, CODE_SIZE - 1},    /* conforming, DPL 3 */
	{0x110, 0x00f6, 0xefff},           /* expand down, 16 bits, likewise */
	{0x120, 0x40bb, CODE_SIZE - 1},    /* DPL 1 */
	{0x128, 0x40b3, WINDOW_SIZE - 1},  /* DPL 1 */
	{0x130, 0x4012, WINDOW_SIZE - 1},  /* not present, DPL 0 */
};

static const struct segment_row ldt_segments[] = {
	{0x00, 0x40f3, WINDOW_SIZE - 1}, {0x08, 0x40fb, CODE_SIZE - 1},
	{0x10, 0x4093, WINDOW_SIZE - 1}, {0x18, 0x00f3, WINDOW_SIZE - 1},
	{0x20, 0x0082, 0x3f}, /* an LDT, which only the GDT may have */
	{0x28, 0x0089, 0x67}, /* a TSS, likewise */
};

/* Gates (Intel SDM 3, 5.8.3, 6.11, 8.2.5): at a selector of the GDT, or at a vector. offset 0: the
 * vector's stub. */
struct gate_row {
	uint16_t at, attributes, selector;
	uint32_t offset;
	uint8_t parameters;
};

static const struct gate_row call_gates[] = {
	{0xa0, 0xec, SELECTOR_CODE_0, CODE_TARGET, 2},
	{0xa8, 0xe4, SELECTOR_CODE16_0, CODE_TARGET, 3},
	{0xb0, 0x8c, SELECTOR_CODE_0, CODE_TARGET, 0}, /* DPL 0 */
	{0xb8, 0x6c, SELECTOR_CODE_0, CODE_TARGET, 0}, /* not present */
	{0xc0, 0xec, 0, CODE_TARGET, 0}, {0xc8, 0xec, SELECTOR_DATA_0, CODE_TARGET, 0},
	{0xd0, 0xec, SELECTOR_CODE_3, CODE_TARGET, 0}, {0xd8, 0xe5, SELECTOR_TASK, 0, 0},
	{0x138, 0xec, 0x120, CODE_TARGET, 1}, /* to ring 1 */
};

static const struct gate_row vector_gates[] = {
	{0x08, 0x85, SELECTOR_TSS_DF, 0, 0}, {0x20, 0xee, 0x08, 0, 0},
	{0x21, 0xef, 0x08, 0, 0}, /* a trap gate */
	{0x22, 0xe6, SELECTOR_CODE16_0, CODE_TARGET, 0}, {0x23, 0xe5, SELECTOR_TASK, 0, 0},
	{0x24, 0x6e, 0x08, 0, 0}, /* not present */
	{0x25, 0xee, 0, CODE_TARGET, 0}, {0x26, 0xee, 0x70, CODE_TARGET, 0},
	{0x27, 0x8e, 0x08, 0, 0}, /* DPL 0 */
	{0x28, 0xec, 0x08, 0, 0}, /* a call gate */
	{0x29, 0xe7, SELECTOR_CODE16_0, CODE_TARGET, 0},
	{0x2a, 0xee, SELECTOR_DATA_0, CODE_TARGET, 0}, {0x2b, 0xee, 0x98, CODE_TARGET, 0},
	{0x2c, 0xee, SELECTOR_CODE_3, CODE_TARGET, 0},
	{0x2d, 0xee, SELECTOR_CODE_0, CODE_SIZE, 0}, /* beyond the limit */
	{0x2e, 0xe5, SELECTOR_BUSY, 0, 0}, {0x2f, 0x65, SELECTOR_TASK, 0, 0},
	{0x30, 0xee, 0x120, CODE_TARGET, 0}, /* ring 1 */
};

/* A 32-bit TSS (Intel SDM 3, figure 8-2), with the I/O permission bitmap behind it: all denied. */
struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	uint32_t reg[8], es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, io_map;
	uint32_t denied;
};

/* What snippets change by way of descriptors. */
struct tables {
	uint64_t gdt[GDT_ENTRIES];
	uint64_t ldt[LDT_ENTRIES];
	uint64_t idt[IDT_ENTRIES];
	struct tss main, task, task_16, double_fault;
};

static inline uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint32_t attributes)
{
	uint32_t low = base << 16 | (limit & 0xffff);
	uint32_t high = (base & 0xff000000) | (limit & 0xf0000) | (base >> 16 & 0xff);

	return (uint64_t)(high | attributes << 8) << 32 | low;
}

static inline uint64_t gate_descriptor(
	uint32_t selector, uint32_t offset, uint32_t attributes, uint32_t parameters)
{
	uint32_t high = (offset & 0xffff0000) | attributes << 8 | parameters;

	return (uint64_t)high << 32 | selector << 16 | (offset & 0xffff);
}

static inline uint32_t descriptor_base(uint64_t descriptor)
{
	return (uint32_t)(descriptor >> 16 & 0xffffff) | (uint32_t)(descriptor >> 56) << 24;
}

#endif
