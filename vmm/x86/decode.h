/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_DECODE_H
#define VMM_X86_DECODE_H

/*
 * From bytes to slots, in two steps. x86_decode() takes one instruction apart, by the table of
 * opcodes (SDM 2, chapter 2 and appendix A): prefixes, ModRM, displacement, immediate. A
 * translator, which the table names for each opcode, then appends slots to a block. struct
 * x86_builder is the block in the making.
 */

#include "x86/insn.h"
#include "x86/ops.h"

struct x86_builder;
struct x86_decoded;

typedef void x86_translator(struct x86_builder *builder, const struct x86_decoded *decoded);

/* What follows an opcode, and what it permits. */
#define X86_MODRM       0x0001 /* a ModRM byte */
#define X86_BYTE        0x0002 /* the operand size is 1 */
#define X86_OPCODE_REG  0x0004 /* the opcode's low three bits are a register */
#define X86_IMM8        0x0008 /* an immediate byte, zero-extended */
#define X86_IMM8_SIGNED 0x0010 /* ..., sign-extended */
#define X86_IMM_SIZE    0x0020 /* an immediate of the operand's size, but at most 4 bytes */
#define X86_IMM16       0x0040 /* an immediate word; with X86_IMM8 that byte comes after it */
#define X86_REL8        0x0080 /* a displacement from the next instruction, sign-extended */
#define X86_REL_SIZE    0x0100 /* ..., of the operand's size */
#define X86_OFFSET      0x0200 /* moffs: an offset of the address size, no ModRM */
#define X86_FAR_POINTER 0x0400 /* ptr16:16 or ptr16:32 */
#define X86_LOCKABLE    0x0800 /* LOCK is permitted if the operand is memory */
#define X86_LOCK_BY_REG 0x1000 /* ..., for the values of ModRM.reg in x86_opcode.lock_regs */
#define X86_IMM_BY_REG  0x2000 /* X86_IMM_SIZE, if ModRM.reg is 0 or 1: TEST in group 3 */
#define X86_ENDS        0x4000 /* the out-of-line operation ends the block */
#define X86_NO_MEMORY   0x8000 /* with X86_MODRM: the r/m operand is a register, whatever mod is */

struct x86_opcode {
	uint16_t attributes;
	uint16_t op;               /* enum x86_op, of which the translator makes its form */
	uint8_t lock_regs;         /* bit n: LOCK is permitted with ModRM.reg n */
	x86_translator *translate; /* NULL: there is no such instruction */
	x86_operation *function;   /* the out-of-line operation, in general or for rare forms */
};

/* The table, in opcodes.c: 0x00 to 0xff, and 0x100 to 0x1ff for those that begin with 0x0f. */
#define X86_TWO_BYTE 0x100
extern const struct x86_opcode x86_opcodes[512];

struct x86_decoded {
	struct x86_operands operands; /* function is not set */
	const struct x86_opcode *entry;
	uint16_t opcode; /* the index into x86_opcodes */
	uint8_t length;
	bool has_segment_prefix;
	bool lock;
	bool size_prefix; /* 0x66 */
};

/*
 * Decode the instruction at bytes, of which available can be read; available is at most
 * X86_INSN_BYTES. mode is that of the block. 0, or -EAGAIN: more bytes are needed. What is no
 * instruction gets an entry that raises #UD; one that goes on behind the fifteenth byte, an entry
 * that raises #GP(0).
 */
int x86_decode(
	const uint8_t *bytes, unsigned available, unsigned mode, struct x86_decoded *decoded);

struct x86_builder {
	struct x86_block *block;    /* room for X86_SLOTS_MAX slots */
	uint16_t op[X86_SLOTS_MAX]; /* as x86_block_ops() will tell */
	unsigned slots;
	unsigned instructions;
	uint64_t eip;           /* of the instruction that is being translated */
	struct x86_block *dead; /* a block that is never valid: what links begin with */
	bool ended;             /* the last instruction ends the block */
};

/* Append an instruction's slots. In translate.c. */
void x86_translate_insn(struct x86_builder *builder, const struct x86_decoded *decoded);

/* Finish a block of builder->instructions instructions: append the way on, count the remaining
 * instructions of each slot, drop dead flags, set the handlers. is_stop: the block stops at its end
 * instead of going on. In optimize.c. */
void x86_finish_block(struct x86_builder *builder, bool is_stop);

/* The operation with flags, for one that leaves them out; others are returned as they are. In
 * optimize.c. */
unsigned x86_with_flags(unsigned op);

/*
 * For translators: append a slot for an operation; base and index are absent. x86_emit_memory()
 * has the memory operand, of size bytes and accessed so; a slot that computes the address goes
 * before it where segments must be checked. x86_emit_call() appends an out-of-line operation,
 * behind which the block ends or not; x86_emit_ud() appends one that raises #UD.
 */
struct x86_insn *x86_emit(
	struct x86_builder *builder, const struct x86_decoded *decoded, unsigned op);
struct x86_insn *x86_emit_memory(struct x86_builder *builder, const struct x86_decoded *decoded,
	unsigned op, unsigned size, enum x86_access access);
void x86_emit_call(struct x86_builder *builder, const struct x86_decoded *decoded,
	x86_operation *function, bool ends);
void x86_emit_ud(struct x86_builder *builder, const struct x86_decoded *decoded);

/* The operation of a family with forms, for that form and operand size: the order of X86_FORMS. */
static inline unsigned x86_form_of(unsigned family, enum x86_form form, unsigned size)
{
	return family + x86_size_index(size) * X86_FORM_COUNT + form;
}

/* A register operand as a slot has it: of 8 bits, 4 to 7 are AH to BH, byte 1 of the first four. */
static inline uint8_t x86_slot_register(unsigned number, unsigned size)
{
	if (size != 1)
		return (uint8_t)number;
	return (uint8_t)(number < 4 ? number * 8 : (number - 4) * 8 + 1);
}

/* Give a slot the address of the memory operand; append the form of a family for the r/m operand
 * and an immediate. */
void x86_set_address(struct x86_insn *insn, const struct x86_operands *operands);
void x86_emit_rm_i(struct x86_builder *builder, const struct x86_decoded *decoded, unsigned family);

/* The translators, which opcodes.c names. In translate.c. */
x86_translator x86_translate_alu_rm_r, x86_translate_alu_r_rm, x86_translate_alu_a_i;
x86_translator x86_translate_group1, x86_translate_group3, x86_translate_group4_5;
x86_translator x86_translate_inc_dec, x86_translate_shift, x86_translate_double_shift;

/* In translate_move.c. */
x86_translator x86_translate_mov_r_i, x86_translate_mov_offset, x86_translate_mov_rm_i;
x86_translator x86_translate_extend, x86_translate_lea, x86_translate_xchg, x86_translate_xchg_a;
x86_translator x86_translate_imul_r_rm, x86_translate_imul_i, x86_translate_bit;
x86_translator x86_translate_group8, x86_translate_bit_scan, x86_translate_bswap;
x86_translator x86_translate_setcc, x86_translate_cmovcc;
x86_translator x86_translate_convert_a, x86_translate_convert_d, x86_translate_nop;
x86_translator x86_translate_simple;

/* In translate_flow.c. */
x86_translator x86_translate_push_r, x86_translate_pop_r, x86_translate_push_i;
x86_translator x86_translate_pop_rm, x86_translate_leave, x86_translate_jcc;
x86_translator x86_translate_jmp, x86_translate_call, x86_translate_return, x86_translate_loop;
x86_translator x86_translate_call_out, x86_translate_call_memory;
x86_translator x86_translate_group6, x86_translate_group7, x86_translate_group9;
x86_translator x86_translate_push_rm, x86_translate_jmp_rm, x86_translate_call_rm;

#endif
