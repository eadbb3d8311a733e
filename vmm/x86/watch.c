/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/watch.h"

#include <errno.h>
#include <stdlib.h>

#include "x86/block.h"
#include "x86/decode.h"
#include "x86/trail.h"

int x86_watch(struct x86_system *system, gpa_t gpa, uint64_t len, x86_accessed *accessed, void *ctx)
{
	if (!system->watch) {
		struct x86_watch *watch =
			calloc(1, sizeof *watch + system->cpu_count * sizeof *watch->marks);

		if (!watch)
			return -ENOMEM;
		watch->accessed = accessed;
		watch->ctx = ctx;
		system->watch = watch;
		system->watched_pages = watch->pages;
	}
	for (uint64_t page = gpa / X86_PAGE_SIZE;
		page <= UINT32_MAX / X86_PAGE_SIZE && page * X86_PAGE_SIZE < gpa + len; page++)
		system->watch->pages[page / 32] |= 1u << page % 32;
	for (unsigned i = 0; i < system->cpu_count; i++)
		x86_tlb_flush(&system->cpus[i], false);
	return 0;
}

void x86_watch_free(struct x86_system *system)
{
	free(system->watch);
	system->watch = NULL;
	system->watched_pages = NULL;
}

/* --- what orders a store before a load -------------------------------------------------------- */

/* Serialising instructions (SDM volume 3, 9.3), and those that lock. */
static bool orders(const struct x86_decoded *decoded)
{
	unsigned reg = decoded->operands.reg; /* ModRM.reg */

	switch (decoded->opcode) {
	case 0x86: /* XCHG, which locks; with a register it does not, but no compiler has it so */
	case 0x87:
	case 0xcf:                /* IRET */
	case 0xe4 ... 0xe7:       /* IN, OUT */
	case 0xec ... 0xef:       /* the same */
	case X86_TWO_BYTE | 0x08: /* INVD */
	case X86_TWO_BYTE | 0x09: /* WBINVD */
	case X86_TWO_BYTE | 0x22: /* MOV to a control register */
	case X86_TWO_BYTE | 0x23: /* MOV to a debug register */
	case X86_TWO_BYTE | 0x30: /* WRMSR */
	case X86_TWO_BYTE | 0xa2: /* CPUID */
	case X86_TWO_BYTE | 0xae: /* MFENCE, among others */
		return true;
	case X86_TWO_BYTE | 0x00: /* LLDT, LTR */
		return reg == 2 || reg == 3;
	case X86_TWO_BYTE | 0x01: /* LGDT, LIDT, INVLPG */
		return reg == 2 || reg == 3 || reg == 7;
	default:
		return decoded->lock;
	}
}

/* Copies guest code of a block, which may go on in another page. Returns how many bytes. */
static unsigned copy_code(const struct x86_cpu *cpu, const struct x86_block *block, uint64_t offset,
	uint8_t bytes[X86_INSN_BYTES])
{
	uint64_t in_page = X86_PAGE_SIZE - block->gpa[0] % X86_PAGE_SIZE;
	uint64_t left = block->size - offset;
	unsigned len = left < X86_INSN_BYTES ? (unsigned)left : X86_INSN_BYTES, first = len;

	if (offset >= in_page)
		first = 0;
	else if (offset + len > in_page)
		first = (unsigned)(in_page - offset);
	if (first > 0 && gmem_read(cpu->system->gmem, block->gpa[0] + offset, bytes, first) < 0)
		return 0;
	if (len > first && gmem_read(cpu->system->gmem, block->gpa[1] + (offset + first - in_page),
				   bytes + first, len - first) < 0)
		return first;
	return len;
}

/* Whether this is a jump to an address that the instruction itself names. offset is that of the
 * next instruction in the block. */
static bool jumps_to(const struct x86_block *block, const struct x86_decoded *decoded,
	uint64_t offset, uint64_t target)
{
	if (!(decoded->entry->attributes & (X86_REL8 | X86_REL_SIZE)))
		return false;
	return (uint32_t)(block->eip + offset + decoded->operands.immediate) == (uint32_t)target;
}

/* A way through a block: from one EIP to before another one, or, where next is not NULL, to the
 * first jump that leads to that block. */
struct part {
	const struct x86_block *block, *next;
	uint64_t from, to;
};

/* Returns whether an instruction on this way orders, or is not known. Adds the number of
 * instructions to *count. */
static bool part_orders(const struct x86_cpu *cpu, const struct part *part, uint64_t *count)
{
	const struct x86_block *block = part->block;
	uint64_t offset = part->from - block->eip, end = part->to - block->eip;
	uint8_t bytes[X86_INSN_BYTES];
	struct x86_decoded decoded;

	if (offset > block->size || end > block->size)
		return true;
	while (offset < end) {
		unsigned len = copy_code(cpu, block, offset, bytes);

		if (x86_decode(bytes, len, block->mode, &decoded) < 0 || decoded.length == 0 ||
			orders(&decoded))
			return true;
		offset += decoded.length;
		++*count;
		if (part->next && jumps_to(block, &decoded, offset, part->next->eip))
			break;
	}
	return false;
}

/* Instructions since the mark in which the trail cannot have gone around more than a few times: an
 * entry that is still in its place then says that it has not. */
#define COUNT_MAX 256

/* Returns the block at a place of the trail, or NULL if it is not known. */
static const struct x86_block *block_at(const struct x86_cpu *cpu, unsigned place)
{
	uint64_t entry = cpu->trail[place % X86_TRAIL_ENTRIES];
	const struct x86_block *block = (const struct x86_block *)(uintptr_t)entry;

	return entry == 0 || entry & X86_TRAIL_NOTE || block == cpu->cache->once ? NULL : block;
}

/* Whether what the CPU has executed since the mark orders. The trail has the blocks, but not at
 * which jump each was left: that was not where it seems if the number of instructions is another
 * one, and what was executed is not known then. */
static bool is_ordered(const struct x86_cpu *cpu, const struct x86_mark *mark)
{
	unsigned entries = (uint8_t)(cpu->trail_at - mark->trail_at) / sizeof *cpu->trail;
	unsigned first = mark->trail_at / sizeof *cpu->trail;
	uint64_t executed = x86_count(cpu) - mark->count, found = 0;

	if (!mark->entry || executed > COUNT_MAX || cpu->trail[first] != mark->entry)
		return true;
	for (unsigned i = 0; i <= entries; i++) {
		const struct x86_block *block = block_at(cpu, first + i);
		struct part part = {.block = block};

		if (!block)
			return true;
		part.from = i == 0 ? mark->eip : block->eip;
		part.to = i == entries ? x86_position(cpu) : block->eip + block->size;
		part.next = i == entries ? NULL : block_at(cpu, first + i + 1);
		if (part_orders(cpu, &part, &found))
			return true;
	}
	return found != executed;
}

void x86_watch_tell(struct x86_cpu *cpu, gpa_t gpa, unsigned size, bool is_write)
{
	struct x86_watch *watch = cpu->system->watch;
	struct x86_mark *mark = &watch->marks[cpu->id];
	const struct x86_seen access = {
		.gpa = gpa,
		.size = size,
		.is_write = is_write,
		.is_ordered = is_ordered(cpu, mark),
	};

	*mark = (struct x86_mark){
		.entry = cpu->trail[cpu->trail_at / sizeof *cpu->trail],
		.eip = x86_position(cpu),
		.count = x86_count(cpu),
		.trail_at = cpu->trail_at,
	};
	watch->accessed(watch->ctx, cpu, &access);
}
