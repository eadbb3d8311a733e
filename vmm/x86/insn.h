/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_INSN_H
#define VMM_X86_INSN_H

/*
 * Decoded code. A block is a run of guest instructions as an array of slots: most instructions are
 * one slot, some have a second one before or behind. A slot names its handler and has the operands
 * at hand, so the run loop jumps from handler to handler and decodes nothing.
 *
 * A block is entered at its first slot only. It continues over conditional jumps that are not
 * taken, and ends at the first instruction that always jumps, is out of line, or would exceed
 * X86_BLOCK_MAX.
 */

#include "x86/operands.h"
#include "x86/x86.h"

/* Most instructions in a block, and most slots: two for each instruction, the way on, and the slot
 * for accounts. */
#define X86_BLOCK_MAX 64
#define X86_SLOTS_MAX (2 * X86_BLOCK_MAX + 3)

/* The longest instruction (SDM 2, 2.3.11). */
#define X86_INSN_BYTES 15

/* One slot. Half a cache line. */
struct x86_insn {
	const void *handler;    /* as x86_handler() gives it */
	struct x86_block *link; /* branches: the block of immediate, if its generation is valid */
	uint32_t immediate;     /* branches: the target's EIP */
	uint32_t displacement;  /* of the memory operand; calls: the return address */
	uint8_t reg, rm;        /* register numbers; of 8 bits: byte offsets in the register file */
	uint8_t base, index;    /* register numbers; X86_ZERO where absent */
	uint8_t scale;          /* shift of the index */
	uint8_t remaining;      /* instructions of the block after this one */
	uint16_t end : 10;      /* where the next instruction begins, from the block's EIP */
	uint16_t length : 5;    /* bytes of this instruction, or of both if is_pair */
	uint16_t is_pair : 1;   /* a comparison and its conditional jump in one slot */
};
_Static_assert(sizeof(struct x86_insn) == 32, "a slot is half a cache line");
_Static_assert(X86_BLOCK_MAX *X86_INSN_BYTES < 1 << 10, "x86_insn.end must hold any offset");
_Static_assert(sizeof(struct x86_operands) <= sizeof(struct x86_insn), "operands fill one slot");

/* What decoding depends on beside the bytes: a part of a block's key. */
#define X86_MODE_CODE32  1u /* CS.D: operands and addresses of 32 bits */
#define X86_MODE_STACK32 2u /* SS.B: the stack pointer is ESP */
#define X86_MODE_FLAT    4u /* x86_segments_are_flat(), so there is nothing to check */

struct x86_block {
	uint32_t generation; /* valid while equal to cpu->map_generation; 0: never again */
	uint16_t count;      /* instructions */
	uint16_t slots;
	uint8_t mode;      /* X86_MODE_ bits */
	uint32_t size;     /* bytes of guest code */
	uint32_t cs_limit; /* with which it was decoded, unless X86_MODE_FLAT */
	uint32_t cs_base;  /* with which it was found last */
	uint64_t eip;
	gpa_t gpa[2];                /* of the first byte; of the next page, if it extends there */
	struct x86_block *next_hash; /* in the cache's table */
	struct x86_block *next_page[2];      /* in the list of its page, and of the next page */
	struct x86_account_block *account;   /* NULL: none yet. Not owned */
	_Alignas(32) struct x86_insn code[]; /* behind the last slot: x86_block_ops() */
};

/* The operation of each slot: enum x86_op, or X86_OP_COUNT for a slot that holds operands. */
static inline uint16_t *x86_block_ops(struct x86_block *block)
{
	return (uint16_t *)&block->code[block->slots];
}

/* The EIP of a slot's instruction, and of the next one, which wraps with 32 bits. */
static inline uint64_t x86_insn_eip(const struct x86_block *block, const struct x86_insn *insn)
{
	return (uint32_t)(block->eip + insn->end - insn->length);
}

static inline uint64_t x86_insn_next_eip(const struct x86_block *block, const struct x86_insn *insn)
{
	return (uint32_t)(block->eip + insn->end);
}

/* Instructions of the block that are not completed while this slot is being executed. */
static inline unsigned x86_insn_pending(const struct x86_insn *insn)
{
	return insn->remaining + 1u + insn->is_pair;
}

/* The operands of an out-of-line operation lie in the slot behind it. */
static inline const struct x86_operands *x86_insn_operands(const struct x86_insn *insn)
{
	return (const struct x86_operands *)(insn + 1);
}

#endif
