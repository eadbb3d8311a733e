/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of opcodes (SDM 2, appendix A, tables ). A row is what follows the
 * opcode, the translator, and then either the family of operations or the out-of-line operation.
 */
#include "x86/decode.h"

#define FORM(attributes_, translator, op_)                                                        \
	{                                                                                         \
		.attributes = (attributes_), .translate = x86_translate_##translator, .op = (op_) \
	}
#define FORM_OR(attributes_, translator, op_, function_)                                           \
	{                                                                                          \
		.attributes = (attributes_), .translate = x86_translate_##translator, .op = (op_), \
		.function = x86_op_##function_                                                     \
	}
/* An out-of-line operation. INLINE: the block continues behind it. MEMORY_ONLY: #UD with a
 * register. */
#define OUT(attributes_, function_)                                                          \
	{                                                                                    \
		.attributes = (attributes_) | X86_ENDS, .translate = x86_translate_call_out, \
		.function = x86_op_##function_                                               \
	}
#define INLINE(attributes_, function_)                                            \
	{                                                                         \
		.attributes = (attributes_), .translate = x86_translate_call_out, \
		.function = x86_op_##function_                                    \
	}
#define MEMORY_ONLY(attributes_, function_)                                            \
	{                                                                              \
		.attributes = (attributes_) | X86_MODRM | X86_ENDS,                    \
		.translate = x86_translate_call_memory, .function = x86_op_##function_ \
	}
#define SIMPLE(op_) FORM(0, simple, X86_OP_##op_)

/* The six encodings that ADD to CMP have in common. */
#define ALU(opcode, op_, lock)                                         \
	[opcode] = FORM(X86_MODRM | X86_BYTE | (lock), alu_rm_r, op_), \
	[opcode + 1] = FORM(X86_MODRM | (lock), alu_rm_r, op_),        \
	[opcode + 2] = FORM(X86_MODRM | X86_BYTE, alu_r_rm, op_),      \
	[opcode + 3] = FORM(X86_MODRM, alu_r_rm, op_),                 \
	[opcode + 4] = FORM(X86_BYTE | X86_IMM_SIZE, alu_a_i, op_),    \
	[opcode + 5] = FORM(X86_IMM_SIZE, alu_a_i, op_)

/* Of groups, bit n of lock is the instruction with ModRM.reg n. */
#define GROUP(attributes_, translator, op_, lock)                                         \
	{                                                                                 \
		.attributes = (attributes_) | X86_MODRM | X86_LOCK_BY_REG,                \
		.translate = x86_translate_##translator, .op = (op_), .lock_regs = (lock) \
	}

#define SIMD      OUT(X86_MODRM, simd)
#define SIMD_IMM8 OUT(X86_MODRM | X86_IMM8, simd)

const struct x86_opcode x86_opcodes[512] = {
	ALU(0x00, X86_OP_add_rr_32, X86_LOCKABLE),
	ALU(0x08, X86_OP_or_rr_32, X86_LOCKABLE),
	ALU(0x10, X86_OP_adc_rr_32, X86_LOCKABLE),
	ALU(0x18, X86_OP_sbb_rr_32, X86_LOCKABLE),
	ALU(0x20, X86_OP_and_rr_32, X86_LOCKABLE),
	ALU(0x28, X86_OP_sub_rr_32, X86_LOCKABLE),
	ALU(0x30, X86_OP_xor_rr_32, X86_LOCKABLE),
	ALU(0x38, X86_OP_cmp_rr_32, 0),
	[0x06] = OUT(0, push_segment),
	[0x07] = OUT(0, pop_segment),
	[0x0e] = OUT(0, push_segment),
	[0x16] = OUT(0, push_segment),
	[0x17] = OUT(0, pop_segment),
	[0x1e] = OUT(0, push_segment),
	[0x1f] = OUT(0, pop_segment),
	[0x27] = INLINE(0, daa),
	[0x2f] = INLINE(0, das),
	[0x37] = INLINE(0, aaa),
	[0x3f] = INLINE(0, aas),
	[0x40 ... 0x47] = FORM(X86_OPCODE_REG, inc_dec, X86_OP_inc_r_32),
	[0x48 ... 0x4f] = FORM(X86_OPCODE_REG, inc_dec, X86_OP_dec_r_32),
	[0x50 ... 0x57] = FORM_OR(X86_OPCODE_REG, push_r, X86_OP_push_r, push),
	[0x58 ... 0x5f] = FORM_OR(X86_OPCODE_REG, pop_r, X86_OP_pop_r, pop),
	[0x60] = INLINE(0, pusha),
	[0x61] = INLINE(0, popa),
	[0x62] = MEMORY_ONLY(0, bound),
	[0x63] = OUT(X86_MODRM, arpl),
	[0x68] = FORM_OR(X86_IMM_SIZE, push_i, X86_OP_push_i, push_immediate),
	[0x69] = FORM_OR(X86_MODRM | X86_IMM_SIZE, imul_i, X86_OP_imul_rri_32, imul),
	[0x6a] = FORM_OR(X86_IMM8_SIGNED, push_i, X86_OP_push_i, push_immediate),
	[0x6b] = FORM_OR(X86_MODRM | X86_IMM8_SIGNED, imul_i, X86_OP_imul_rri_32, imul),
	[0x6c] = OUT(X86_BYTE, ins),
	[0x6d] = OUT(0, ins),
	[0x6e] = OUT(X86_BYTE, outs),
	[0x6f] = OUT(0, outs),
	[0x70 ... 0x7f] = FORM_OR(X86_REL8, jcc, X86_OP_j_o, branch_beyond_limit),
	[0x80] = GROUP(X86_BYTE | X86_IMM8, group1, X86_OP_add_rr_32, 0x7f),
	[0x81] = GROUP(X86_IMM_SIZE, group1, X86_OP_add_rr_32, 0x7f),
	[0x82] = GROUP(X86_BYTE | X86_IMM8, group1, X86_OP_add_rr_32, 0x7f),
	[0x83] = GROUP(X86_IMM8_SIGNED, group1, X86_OP_add_rr_32, 0x7f),
	[0x84] = FORM(X86_MODRM | X86_BYTE, alu_rm_r, X86_OP_test_rr_32),
	[0x85] = FORM(X86_MODRM, alu_rm_r, X86_OP_test_rr_32),
	[0x86] = FORM_OR(X86_MODRM | X86_BYTE | X86_LOCKABLE, xchg, X86_OP_xchg_rr_32, xchg),
	[0x87] = FORM_OR(X86_MODRM | X86_LOCKABLE, xchg, X86_OP_xchg_rr_32, xchg),
	[0x88] = FORM(X86_MODRM | X86_BYTE, alu_rm_r, X86_OP_mov_rr_32),
	[0x89] = FORM(X86_MODRM, alu_rm_r, X86_OP_mov_rr_32),
	[0x8a] = FORM(X86_MODRM | X86_BYTE, alu_r_rm, X86_OP_mov_rr_32),
	[0x8b] = FORM(X86_MODRM, alu_r_rm, X86_OP_mov_rr_32),
	[0x8c] = OUT(X86_MODRM, mov_from_segment),
	[0x8d] = FORM(X86_MODRM, lea, X86_OP_lea_32),
	[0x8e] = OUT(X86_MODRM, mov_to_segment),
	[0x8f] = FORM_OR(X86_MODRM, pop_rm, X86_OP_pop_r, pop_memory),
	[0x90] = SIMPLE(nop),
	[0x91 ... 0x97] = FORM(X86_OPCODE_REG, xchg_a, X86_OP_xchg_rr_32),
	[0x98] = FORM(0, convert_a, X86_OP_cwde),
	[0x99] = FORM(0, convert_d, X86_OP_cdq),
	[0x9a] = OUT(X86_FAR_POINTER, far_call),
	[0x9b] = OUT(0, wait),
	[0x9c] = INLINE(0, pushf),
	[0x9d] = OUT(0, popf),
	[0x9e] = SIMPLE(sahf),
	[0x9f] = SIMPLE(lahf),
	[0xa0] = FORM(X86_OFFSET | X86_BYTE, mov_offset, X86_OP_mov_rr_32),
	[0xa1] = FORM(X86_OFFSET, mov_offset, X86_OP_mov_rr_32),
	[0xa2] = FORM(X86_OFFSET | X86_BYTE, mov_offset, X86_OP_mov_rr_32),
	[0xa3] = FORM(X86_OFFSET, mov_offset, X86_OP_mov_rr_32),
	[0xa4] = OUT(X86_BYTE, movs),
	[0xa5] = OUT(0, movs),
	[0xa6] = OUT(X86_BYTE, cmps),
	[0xa7] = OUT(0, cmps),
	[0xa8] = FORM(X86_BYTE | X86_IMM_SIZE, alu_a_i, X86_OP_test_rr_32),
	[0xa9] = FORM(X86_IMM_SIZE, alu_a_i, X86_OP_test_rr_32),
	[0xaa] = OUT(X86_BYTE, stos),
	[0xab] = OUT(0, stos),
	[0xac] = OUT(X86_BYTE, lods),
	[0xad] = OUT(0, lods),
	[0xae] = OUT(X86_BYTE, scas),
	[0xaf] = OUT(0, scas),
	[0xb0 ... 0xb7] = FORM(X86_OPCODE_REG | X86_BYTE | X86_IMM_SIZE, mov_r_i, X86_OP_mov_rr_32),
	[0xb8 ... 0xbf] = FORM(X86_OPCODE_REG | X86_IMM_SIZE, mov_r_i, X86_OP_mov_rr_32),
	[0xc0] = FORM_OR(X86_MODRM | X86_BYTE | X86_IMM8, shift, 0, shift),
	[0xc1] = FORM_OR(X86_MODRM | X86_IMM8, shift, 0, shift),
	[0xc2] = FORM_OR(X86_IMM16, return, X86_OP_ret_i, return_near),
	[0xc3] = FORM_OR(0, return, X86_OP_ret, return_near),
	[0xc4] = MEMORY_ONLY(0, load_far_pointer),
	[0xc5] = MEMORY_ONLY(0, load_far_pointer),
	[0xc6] = FORM(X86_MODRM | X86_BYTE | X86_IMM_SIZE, mov_rm_i, X86_OP_mov_rr_32),
	[0xc7] = FORM(X86_MODRM | X86_IMM_SIZE, mov_rm_i, X86_OP_mov_rr_32),
	[0xc8] = INLINE(X86_IMM16 | X86_IMM8, enter),
	[0xc9] = FORM_OR(0, leave, X86_OP_leave, leave),
	[0xca] = OUT(X86_IMM16, far_return),
	[0xcb] = OUT(0, far_return),
	[0xcc] = OUT(0, int3),
	[0xcd] = OUT(X86_IMM8, int),
	[0xce] = OUT(0, into),
	[0xcf] = OUT(0, iret),
	[0xd0] = FORM_OR(X86_MODRM | X86_BYTE, shift, 0, shift),
	[0xd1] = FORM_OR(X86_MODRM, shift, 0, shift),
	[0xd2] = FORM_OR(X86_MODRM | X86_BYTE, shift, 0, shift),
	[0xd3] = FORM_OR(X86_MODRM, shift, 0, shift),
	[0xd4] = INLINE(X86_IMM8, aam),
	[0xd5] = INLINE(X86_IMM8, aad),
	[0xd6] = INLINE(0, salc),
	[0xd7] = INLINE(X86_BYTE, xlat),
	[0xd8 ... 0xdf] = OUT(X86_MODRM, x87),
	[0xe0] = FORM_OR(X86_REL8, loop, X86_OP_loopne, branch_beyond_limit),
	[0xe1] = FORM_OR(X86_REL8, loop, X86_OP_loope, branch_beyond_limit),
	[0xe2] = FORM_OR(X86_REL8, loop, X86_OP_loop, branch_beyond_limit),
	[0xe3] = FORM_OR(X86_REL8, loop, X86_OP_jcxz, branch_beyond_limit),
	[0xe4] = OUT(X86_BYTE | X86_IMM8, in_immediate),
	[0xe5] = OUT(X86_IMM8, in_immediate),
	[0xe6] = OUT(X86_BYTE | X86_IMM8, out_immediate),
	[0xe7] = OUT(X86_IMM8, out_immediate),
	[0xe8] = FORM_OR(X86_REL_SIZE, call, X86_OP_call, call_near),
	[0xe9] = FORM_OR(X86_REL_SIZE, jmp, X86_OP_jmp, branch_beyond_limit),
	[0xea] = OUT(X86_FAR_POINTER, far_jump),
	[0xeb] = FORM_OR(X86_REL8, jmp, X86_OP_jmp, branch_beyond_limit),
	[0xec] = OUT(X86_BYTE, in_dx),
	[0xed] = OUT(0, in_dx),
	[0xee] = OUT(X86_BYTE, out_dx),
	[0xef] = OUT(0, out_dx),
	[0xf1] = OUT(0, int1),
	[0xf4] = OUT(0, hlt),
	[0xf5] = SIMPLE(cmc),
	[0xf6] = GROUP(X86_BYTE | X86_IMM_BY_REG, group3, 0, 0x0c),
	[0xf7] = GROUP(X86_IMM_BY_REG, group3, 0, 0x0c),
	[0xf8] = SIMPLE(clc),
	[0xf9] = SIMPLE(stc),
	[0xfa] = OUT(0, cli),
	[0xfb] = OUT(0, sti),
	[0xfc] = SIMPLE(cld),
	[0xfd] = SIMPLE(std),
	[0xfe] = GROUP(X86_BYTE, group4_5, 0, 0x03),
	[0xff] = GROUP(0, group4_5, 0, 0x03),

	/* 0x0f and one more byte. */
	[0x100] = GROUP(0, group6, 0, 0),
	[0x101] = GROUP(0, group7, 0, 0),
	[0x102] = OUT(X86_MODRM, lar),
	[0x103] = OUT(X86_MODRM, lsl),
	[0x106] = OUT(0, clts),
	[0x108] = OUT(0, wbinvd),
	[0x109] = OUT(0, wbinvd),
	[0x10b] = OUT(0, ud),
	[0x10d] = FORM(X86_MODRM, nop, X86_OP_nop), /* PREFETCHW */
	[0x110 ... 0x117] = SIMD,
	[0x118 ... 0x11f] = FORM(X86_MODRM, nop, X86_OP_nop), /* prefetches, NOP */
	[0x120] = OUT(X86_MODRM | X86_NO_MEMORY, mov_from_cr),
	[0x121] = OUT(X86_MODRM | X86_NO_MEMORY, mov_from_dr),
	[0x122] = OUT(X86_MODRM | X86_NO_MEMORY, mov_to_cr),
	[0x123] = OUT(X86_MODRM | X86_NO_MEMORY, mov_to_dr),
	[0x128 ... 0x12f] = SIMD,
	[0x130] = OUT(0, wrmsr),
	[0x131] = OUT(0, rdtsc),
	[0x132] = OUT(0, rdmsr),
	[0x133] = OUT(0, rdpmc),
	[0x134] = OUT(0, sysenter),
	[0x135] = OUT(0, sysexit),
	[0x138] = OUT(0, simd),
	[0x13a] = OUT(0, simd),
	[0x140 ... 0x14f] = FORM_OR(X86_MODRM, cmovcc, X86_OP_cmov_r_o, cmov),
	[0x150 ... 0x16f] = SIMD,
	[0x170 ... 0x173] = SIMD_IMM8,
	[0x174 ... 0x176] = SIMD,
	[0x177] = OUT(0, simd),
	[0x17e ... 0x17f] = SIMD,
	[0x180 ... 0x18f] = FORM_OR(X86_REL_SIZE, jcc, X86_OP_j_o, branch_beyond_limit),
	[0x190 ... 0x19f] = FORM(X86_MODRM | X86_BYTE, setcc, X86_OP_set_r_o),
	[0x1a0] = OUT(0, push_segment),
	[0x1a1] = OUT(0, pop_segment),
	[0x1a2] = OUT(0, cpuid),
	[0x1a3] = FORM_OR(X86_MODRM, bit, X86_OP_bt_rr_32, bit),
	[0x1a4] = FORM_OR(X86_MODRM | X86_IMM8, double_shift, X86_OP_shld_ri_32, shld),
	[0x1a5] = INLINE(X86_MODRM, shld),
	[0x1a8] = OUT(0, push_segment),
	[0x1a9] = OUT(0, pop_segment),
	[0x1ab] = INLINE(X86_MODRM | X86_LOCKABLE, bit),
	[0x1ac] = FORM_OR(X86_MODRM | X86_IMM8, double_shift, X86_OP_shrd_ri_32, shrd),
	[0x1ad] = INLINE(X86_MODRM, shrd),
	[0x1ae] = OUT(X86_MODRM, simd),
	[0x1af] = FORM_OR(X86_MODRM, imul_r_rm, X86_OP_imul_rr_32, imul),
	[0x1b0] = INLINE(X86_MODRM | X86_BYTE | X86_LOCKABLE, cmpxchg),
	[0x1b1] = INLINE(X86_MODRM | X86_LOCKABLE, cmpxchg),
	[0x1b2] = MEMORY_ONLY(0, load_far_pointer),
	[0x1b3] = INLINE(X86_MODRM | X86_LOCKABLE, bit),
	[0x1b4] = MEMORY_ONLY(0, load_far_pointer),
	[0x1b5] = MEMORY_ONLY(0, load_far_pointer),
	[0x1b6] = FORM(X86_MODRM, extend, X86_OP_movzx_r_8_32),
	[0x1b7] = FORM(X86_MODRM, extend, X86_OP_movzx_r_16_32),
	[0x1b9] = OUT(X86_MODRM, ud),
	[0x1ba] = {.attributes = X86_MODRM | X86_IMM8 | X86_LOCK_BY_REG,
		.translate = x86_translate_group8,
		.op = X86_OP_bt_ri_32,
		.lock_regs = 0xe0,
		.function = x86_op_bit},
	[0x1bb] = INLINE(X86_MODRM | X86_LOCKABLE, bit),
	[0x1bc] = FORM_OR(X86_MODRM, bit_scan, X86_OP_bsf_rr_32, bit_scan),
	[0x1bd] = FORM_OR(X86_MODRM, bit_scan, X86_OP_bsr_rr_32, bit_scan),
	[0x1be] = FORM(X86_MODRM, extend, X86_OP_movsx_r_8_32),
	[0x1bf] = FORM(X86_MODRM, extend, X86_OP_movsx_r_16_32),
	[0x1c0] = INLINE(X86_MODRM | X86_BYTE | X86_LOCKABLE, xadd),
	[0x1c1] = INLINE(X86_MODRM | X86_LOCKABLE, xadd),
	[0x1c2] = SIMD_IMM8,
	[0x1c3] = SIMD,
	[0x1c4 ... 0x1c6] = SIMD_IMM8,
	[0x1c7] = GROUP(0, group9, 0, 0x02),
	[0x1c8 ... 0x1cf] = FORM(X86_OPCODE_REG, bswap, X86_OP_bswap_32),
	[0x1d0 ... 0x1fe] = SIMD,
	[0x1ff] = OUT(X86_MODRM, ud),
};
