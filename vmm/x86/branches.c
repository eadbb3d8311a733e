/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/branches.h"

#include "x86/block.h"
#include "x86/ops.h"
#include "x86/trail.h"

#define PLACES X86_TRAIL_ENTRIES

/* An entry of the trail: 0 is the current one, 1 the one before. */
static uint64_t entry_at(const struct x86_cpu *cpu, unsigned age)
{
	return cpu->trail[(cpu->trail_at / sizeof *cpu->trail + PLACES - age) % PLACES];
}

/* Returns the block of an entry, NULL if it is a note. The block for one execution lacks a part of
 * what it was copied from. */
static struct x86_block *block_of(const struct x86_cpu *cpu, uint64_t entry)
{
	struct x86_block *block = (struct x86_block *)(uintptr_t)entry;

	if (entry & X86_TRAIL_NOTE)
		return NULL;
	if (block == cpu->cache->once && cpu->cache->once_from != NULL)
		return cpu->cache->once_from;
	return block;
}

/* The linear address of an EIP of a block's code segment. The CPU may have another one by now. */
static uint64_t linear_in(const struct x86_block *block, uint64_t eip)
{
	return (uint32_t)(block->cs_base + eip);
}

static bool is_inside(const struct x86_block *block, uint64_t linear)
{
	return (uint32_t)(linear - linear_in(block, block->eip)) < block->size;
}

/* --- the branch between two blocks ------------------------------------------------------------ */

static bool is_direct_branch(unsigned op)
{
	return op == X86_OP_jmp || op == X86_OP_call || (op >= X86_OP_loop && op <= X86_OP_jcxz) ||
	       (op >= X86_OP_j_o && op <= X86_OP_j_nle) ||
	       (op >= X86_OP_cmp_rr_32_j_o && op < X86_OP_COUNT);
}

/* Where a conditional jump begins that shares its slot with a comparison: it is two bytes long if
 * its opcode and displacement say so, else six (Intel SDM 2, Jcc). */
static uint64_t jump_eip(
	const struct x86_cpu *cpu, const struct x86_block *block, const struct x86_insn *insn)
{
	uint64_t end = x86_insn_next_eip(block, insn);
	uint8_t code[2] = {0};

	if (block->gpa[0] % X86_PAGE_SIZE + insn->end <= X86_PAGE_SIZE)
		gmem_read(cpu->system->gmem, block->gpa[0] + insn->end - 2, code, sizeof code);
	if ((code[0] & 0xf0) == 0x70 &&
		(uint32_t)(end + (uint64_t)(int8_t)code[1]) == insn->immediate)
		return (uint32_t)(end - 2);
	return (uint32_t)(end - 6);
}

/*
 * Finds the instruction of a block that has led to a linear address: a direct branch there, or else
 * the last instruction. Returns false if it was none: the block goes on there, or was left in its
 * middle without a branch.
 */
static bool find_branch(const struct x86_cpu *cpu, struct x86_block *block, uint64_t to,
	bool was_left, struct cpu_branch *branch)
{
	const uint16_t *ops = x86_block_ops(block);
	const struct x86_insn *last = NULL;

	if (to == linear_in(block, block->eip + block->size) || (was_left && is_inside(block, to)))
		return false;
	for (unsigned slot = 0; slot < block->slots; slot++) {
		if (ops[slot] == X86_OP_COUNT || ops[slot] == X86_OP_next ||
			ops[slot] == X86_OP_stop || ops[slot] == X86_OP_account)
			continue;
		last = &block->code[slot];
		if (is_direct_branch(ops[slot]) && linear_in(block, last->immediate) == to)
			break;
	}
	if (last == NULL)
		return false;
	branch->from = linear_in(
		block, last->is_pair ? jump_eip(cpu, block, last) : x86_insn_eip(block, last));
	branch->to = to;
	branch->vector = -1;
	return true;
}

/* --- the last branches ------------------------------------------------------------------------ */

/* Where the search is, from the present to the past. */
struct search {
	unsigned age;  /* of the entry to look at */
	uint64_t to;   /* linear address, where what came before has led to */
	bool was_left; /* without a branch, if that is in the block */
	bool is_over;  /* nothing is known of what came before */
};

/* Goes back to the block that was entered before. Returns false if no branch led from it. */
static bool step_back(const struct x86_cpu *cpu, struct search *search, struct cpu_branch *branch)
{
	uint64_t entry = search->age < PLACES ? entry_at(cpu, search->age++) : X86_TRAIL_LOST;
	struct x86_block *block = block_of(cpu, entry);
	bool found;

	if (entry == 0 || entry == X86_TRAIL_LOST) {
		search->is_over = true;
		return false;
	}
	if (entry == X86_TRAIL_LEFT) {
		search->was_left = true;
		return false;
	}
	if (block == NULL) {
		*branch = (struct cpu_branch){
			entry >> 32, search->to, (int)(entry >> 8 & 0x1ff), false};
		search->to = branch->from;
		search->was_left = true;
		return true;
	}
	found = find_branch(cpu, block, search->to, search->was_left, branch);
	search->to = linear_in(block, block->eip);
	search->was_left = false;
	return found;
}

/* Whether a branch is the one that was taken next, as in a loop, which is noted there. */
static bool repeats(struct cpu_branch *next, const struct cpu_branch *branch)
{
	if (next->from != branch->from || next->to != branch->to || next->vector != branch->vector)
		return false;
	next->is_repeated = true;
	return true;
}

unsigned x86_branches(const struct x86_cpu *cpu, struct cpu_branch *branches, unsigned max)
{
	struct search search = {.to = x86_code_linear(cpu, x86_position(cpu))};
	const struct x86_block *current = block_of(cpu, entry_at(cpu, 0));
	struct cpu_branch branch = {.is_repeated = false};
	unsigned count = 0;

	if (current != NULL && is_inside(current, search.to)) {
		search.to = linear_in(current, current->eip);
		search.age = 1;
	}
	while (count < max && !search.is_over)
		if (step_back(cpu, &search, &branch) &&
			!(count > 0 && repeats(&branches[count - 1], &branch)))
			branches[count++] = branch;
	for (unsigned i = 0; i < count / 2; i++) {
		branch = branches[i];
		branches[i] = branches[count - 1 - i];
		branches[count - 1 - i] = branch;
	}
	return count;
}
