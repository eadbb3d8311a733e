/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_OPERANDS_H
#define VMM_X86_OPERANDS_H

/*
 * Out-of-line operations: instructions that are too rare, or do too much, for the run loop. Each is
 * a function that gets its operands as the decoder found them. When it is called
 *
 *	cpu->eip       is the instruction's address
 *	cpu->next_eip  is that of the next one; changed by the operation if it jumps
 *
 * and all of the state is in struct x86_cpu. It may raise, as long as nothing is changed that the
 * instruction's restart would see. The block ends behind it, so an operation may change anything:
 * mode, segments, IF, page tables.
 */

#include "x86/x86.h"

enum x86_repeat { X86_REPEAT_NONE, X86_REPEAT_NE = 0xf2, X86_REPEAT_E = 0xf3 };

typedef void x86_operation(struct x86_cpu *cpu, const struct x86_operands *operands);

/* At most 32 bytes, as it lies in a block beside the instruction. */
struct x86_operands {
	x86_operation *function;
	uint32_t immediate;    /* zero-extended to 32 bits, or sign-extended where SDM 2 says so */
	uint32_t displacement; /* of the memory operand, sign-extended; moffs too */
	uint16_t selector;     /* of a far pointer (ptr16:32), or ENTER's second immediate */
	uint8_t opcode;        /* the last opcode byte */
	uint8_t reg;           /* ModRM.reg, or the opcode's own register */
	uint8_t rm;            /* the register, if !is_memory */
	uint8_t base, index;   /* of the memory operand: X86_ZERO where absent */
	uint8_t scale;         /* shift, 0 to 3 */
	uint8_t segment;      /* of the memory operand, with overrides: enum x86_segment_register */
	uint8_t operand_size; /* bytes: 1, 2, 4 or 8, as the opcode and prefixes have it */
	uint8_t address_size; /* bytes: 2, 4 or 8 */
	uint8_t repeat;       /* enum x86_repeat */
	bool is_memory;       /* ModRM names memory */
};
_Static_assert(sizeof(struct x86_operands) <= 32, "");

/* The offset of the memory operand in its segment (SDM 2, 2.1.5), wrapped to the address size. */
static inline uint64_t x86_operand_offset(
	const struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t offset = cpu->reg[operands->base] +
			  (cpu->reg[operands->index] << operands->scale) +
			  (uint64_t)(int64_t)(int32_t)operands->displacement;

	if (operands->address_size == 8)
		return offset;
	return operands->address_size == 4 ? (uint32_t)offset : (uint16_t)offset;
}

/* Read or write the r/m operand, of size bytes. Segment and page are checked. In operands.c. */
uint64_t x86_read_rm(struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size);
void x86_write_rm(
	struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size, uint64_t value);

/* The same read for an operation that goes on to write the operand: what it raises is what the
 * write would raise, since processors ask for both accesses at once. */
uint64_t x86_read_rm_to_change(
	struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size);

/* Raise what such a write would raise, and write nothing. */
void x86_check_write_rm(struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size);

/* A general register as an operand of size bytes; with size 1, 4 to 7 are AH to BH. A write of 4
 * bytes zero-extends, smaller ones leave the rest alone (SDM 1, 3.4.1.1). */
uint64_t x86_read_register(const struct x86_cpu *cpu, unsigned number, unsigned size);
void x86_write_register(struct x86_cpu *cpu, unsigned number, unsigned size, uint64_t value);

/* Push or pop size bytes on the stack as SS has it: 16- or 32-bit stack pointer, limit checked. */
void x86_push(struct x86_cpu *cpu, uint64_t value, unsigned size);
uint64_t x86_pop(struct x86_cpu *cpu, unsigned size);

/* Read the far pointer that a memory operand is, m16:16 or m16:32 by operand_size. Raises #UD if it
 * is a register. In segment_ops.c. */
void x86_read_far_pointer(struct x86_cpu *cpu, const struct x86_operands *operands,
	uint16_t *selector, uint32_t *offset);

/* Raise what a push of size bytes would raise whose value lies depth bytes below the top. */
void x86_check_push(struct x86_cpu *cpu, unsigned depth, unsigned size);

/* Whether one of the sixteen conditions of Jcc, SETcc and CMOVcc holds (SDM 2, B.1.4.7). In
 * near.c. */
bool x86_condition(const struct x86_cpu *cpu, unsigned condition);

/*
 * The operations, by file; the decoder names them.
 */

/* far.c: JMP, CALL and RET far, direct and indirect; call gates and tasks (SDM 3, 5.8, 8.3). */
x86_operation x86_op_far_jump, x86_op_far_call, x86_op_far_return;
x86_operation x86_op_far_jump_memory, x86_op_far_call_memory;

/* gate.c: INT3, INT n, INTO, INT1; iret.c: IRET. */
x86_operation x86_op_int3, x86_op_int, x86_op_into, x86_op_int1, x86_op_iret;

/* segment.c or segment_ops.c: MOV Sreg, PUSH and POP Sreg, LDS LES LSS LFS LGS, LAR LSL VERR VERW
 * ARPL. reg is the segment register where there is one. */
x86_operation x86_op_mov_from_segment, x86_op_mov_to_segment, x86_op_push_segment;
x86_operation x86_op_pop_segment, x86_op_load_far_pointer;
x86_operation x86_op_lar, x86_op_lsl, x86_op_verr, x86_op_verw, x86_op_arpl;

/* system.c: SGDT SIDT LGDT LIDT SLDT STR LLDT LTR SMSW LMSW, MOV CR and DR, CLTS, INVLPG, INVD
 * WBINVD, HLT, CLI, STI, SYSENTER SYSEXIT, MSRs and counters, UD. */
x86_operation x86_op_sgdt, x86_op_sidt, x86_op_lgdt, x86_op_lidt;
x86_operation x86_op_sldt, x86_op_str, x86_op_lldt, x86_op_ltr, x86_op_smsw, x86_op_lmsw;
x86_operation x86_op_mov_from_cr, x86_op_mov_to_cr, x86_op_mov_from_dr, x86_op_mov_to_dr;
x86_operation x86_op_clts, x86_op_invlpg, x86_op_wbinvd, x86_op_hlt, x86_op_cli, x86_op_sti;
x86_operation x86_op_sysenter, x86_op_sysexit, x86_op_rdmsr, x86_op_wrmsr, x86_op_rdtsc,
	x86_op_rdtscp;
x86_operation x86_op_rdpmc, x86_op_cpuid, x86_op_pause, x86_op_ud, x86_op_stac, x86_op_clac;

/* What the engine lacks: FPU, MMX and SSE instructions: #NM or #UD as on a CPU without them, and
 * cpu->missing is noted. */
x86_operation x86_op_x87, x86_op_wait, x86_op_simd;

/* string.c: INS OUTS MOVS CMPS STOS LODS SCAS, repeated or not; IN and OUT. */
x86_operation x86_op_movs, x86_op_cmps, x86_op_stos, x86_op_lods, x86_op_scas;
x86_operation x86_op_ins, x86_op_outs, x86_op_in_immediate, x86_op_in_dx;
x86_operation x86_op_out_immediate, x86_op_out_dx;

/* arithmetic.c: forms of arithmetic that are too rare for an operation of the run loop's. */
x86_operation x86_op_shift, x86_op_shld, x86_op_shrd, x86_op_multiply, x86_op_divide, x86_op_imul;
x86_operation x86_op_bit, x86_op_bit_scan, x86_op_cmpxchg, x86_op_xadd, x86_op_xchg;
x86_operation x86_op_cmov;

/* near.c: PUSH, POP, PUSHA, POPA, ENTER, LEAVE, and near CALL, RET and JMP, on any stack and in any
 * code segment. */
x86_operation x86_op_push, x86_op_push_immediate, x86_op_push_memory, x86_op_pop, x86_op_pop_memory;
x86_operation x86_op_pusha, x86_op_popa, x86_op_enter;
x86_operation x86_op_leave, x86_op_call_near, x86_op_call_near_indirect, x86_op_jump_near_indirect;
x86_operation x86_op_return_near, x86_op_branch_beyond_limit, x86_op_too_long;

/* general.c: the rest of the user's instructions that are no business of the run loop. */
x86_operation x86_op_pushf, x86_op_popf, x86_op_bound;
x86_operation x86_op_cmpxchg8b, x86_op_xlat, x86_op_salc, x86_op_daa, x86_op_das, x86_op_aaa,
	x86_op_aas;
x86_operation x86_op_aam, x86_op_aad;

#endif
