/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_OPS_H
#define VMM_X86_OPS_H

/*
 * The list of the run loop's operations, from which come their numbers, their handlers' names and
 * the table of handlers in every form of dispatch. The handlers are in op_*.h.
 *
 * A name is the mnemonic, the operands, the size in bits. Operands: r is a register, i the
 * immediate, m memory, c CL; the destination comes first. The decoder computes with the order:
 * X86_FORMS, X86_SIZES and X86_CONDITIONS are laid out as enum x86_form, x86_size_index() and the
 * condition codes of the SDM are numbered.
 */

/* clang-format aligns these lists anew each time. */
/* clang-format off */

/* The sixteen conditions (SDM 2, B.1.4.7), with their mnemonics. */
#define X86_CONDITIONS(X, name) \
	X(name##_o)             \
	X(name##_no)            \
	X(name##_b)             \
	X(name##_nb)            \
	X(name##_z)             \
	X(name##_nz)            \
	X(name##_be)            \
	X(name##_nbe)           \
	X(name##_s)             \
	X(name##_ns) X(name##_p) X(name##_np) X(name##_l) X(name##_nl) X(name##_le) X(name##_nle)

/* 32, 16 and 8 bits, in this order everywhere. */
#define X86_SIZES(X, name) X(name##_32) X(name##_16) X(name##_8)

enum x86_form {
	X86_RR,
	X86_RI,
	X86_RM,
	X86_MR,
	X86_MI,
	X86_FORM_COUNT,
};

#define X86_FORMS(X, name) \
	X(name##_rr_32)    \
	X(name##_ri_32)    \
	X(name##_rm_32)    \
	X(name##_mr_32)    \
	X(name##_mi_32)    \
	X(name##_rr_16)    \
	X(name##_ri_16)    \
	X(name##_rm_16)    \
	X(name##_mr_16)    \
	X(name##_mi_16) X(name##_rr_8) X(name##_ri_8) X(name##_rm_8) X(name##_mr_8) X(name##_mi_8)

/* ADD to CMP are in the order of the opcodes' bits 5:3. */
#define X86_OPS_ALU(X)      \
	X86_FORMS(X, add)   \
	X86_FORMS(X, or)    \
	X86_FORMS(X, adc)   \
	X86_FORMS(X, sbb)   \
	X86_FORMS(X, and)   \
	X86_FORMS(X, sub)   \
	X86_FORMS(X, xor)   \
	X86_FORMS(X, cmp)   \
	X86_FORMS(X, test)  \
	X86_FORMS(X, mov)   \
	X86_SIZES(X, inc_r) \
	X86_SIZES(X, inc_m) \
	X86_SIZES(X, dec_r) \
	X86_SIZES(X, dec_m) \
	X86_SIZES(X, not_r) X86_SIZES(X, not_m) X86_SIZES(X, neg_r) X86_SIZES(X, neg_m)

/* Operations, and those that do the same without flags, where the block's next instructions
 * overwrite them all: X(of, with flags, without), for each of them. */
#define X86_FLAGLESS(X, of)          \
	X(of, add_rr_32, add_rr_nf)  \
	X(of, add_ri_32, add_ri_nf)  \
	X(of, add_rm_32, add_rm_nf)  \
	X(of, sub_rr_32, sub_rr_nf)  \
	X(of, sub_ri_32, sub_ri_nf)  \
	X(of, sub_rm_32, sub_rm_nf)  \
	X(of, and_rr_32, and_rr_nf)  \
	X(of, and_ri_32, and_ri_nf)  \
	X(of, and_rm_32, and_rm_nf)  \
	X(of, or_rr_32, or_rr_nf)    \
	X(of, or_ri_32, or_ri_nf)    \
	X(of, or_rm_32, or_rm_nf)    \
	X(of, xor_rr_32, xor_rr_nf)  \
	X(of, xor_ri_32, xor_ri_nf)  \
	X(of, xor_rm_32, xor_rm_nf)  \
	X(of, shl_ri_32, shl_ri_nf)  \
	X(of, shr_ri_32, shr_ri_nf)  \
	X(of, sar_ri_32, sar_ri_nf)  \
	X(of, rol_ri_32, rol_ri_nf)  \
	X(of, ror_ri_32, ror_ri_nf)  \
	X(of, inc_r_32, inc_r_nf)    \
	X(of, dec_r_32, dec_r_nf)

#define X86_FLAGLESS_NAME(X, full, flagless) X(flagless)
#define X86_OPS_NO_FLAGS(X)                  X86_FLAGLESS(X86_FLAGLESS_NAME, X)

/* zero is XOR or SUB of a register with itself. */
#define X86_OPS_SHIFT(X)                                                                          \
	X86_SIZES(X, shl_ri)                                                                      \
	X86_SIZES(X, shr_ri)                                                                      \
	X86_SIZES(X, sar_ri)                                                                      \
	X86_SIZES(X, rol_ri)                                                                      \
	X86_SIZES(X, ror_ri)                                                                      \
	X(shl_rc_32)                                                                              \
	X(shr_rc_32)                                                                              \
	X(sar_rc_32)                                                                              \
	X(rol_rc_32)                                                                              \
	X(ror_rc_32)                                                                              \
	X(shl_mi_32)                                                                              \
	X(shr_mi_32)                                                                              \
	X(sar_mi_32)                                                                              \
	X(shld_ri_32)                                                                             \
	X(shrd_ri_32)                                                                             \
	X(mul_r_32)                                                                               \
	X(mul_m_32) X(imul_r_32) X(imul_m_32) X(div_r_32) X(div_m_32) X(idiv_r_32) X(idiv_m_32)   \
		X(imul_rr_32) X(imul_rm_32) X(imul_rri_32) X(imul_rmi_32) X(bt_rr_32) X(bt_ri_32) \
			X(bsf_rr_32) X(bsr_rr_32) X(zero_r)

/* movzx_8_32 is MOVZX r32, r/m8. address puts the checked linear address of the next slot's memory
 * operand into X86_TEMP. */
#define X86_OPS_MOVE(X)                                                                        \
	X(movzx_r_8_32)                                                                        \
	X(movzx_m_8_32)                                                                        \
	X(movzx_r_16_32)                                                                       \
	X(movzx_m_16_32)                                                                       \
	X(movsx_r_8_32)                                                                        \
	X(movsx_m_8_32)                                                                        \
	X(movsx_r_16_32)                                                                       \
	X(movsx_m_16_32)                                                                       \
	X(movzx_r_8_16)                                                                        \
	X(movzx_m_8_16)                                                                        \
	X(movsx_r_8_16)                                                                        \
	X(movsx_m_8_16)                                                                        \
	X(lea_32)                                                                              \
	X(lea_16)                                                                              \
	X(xchg_rr_32)                                                                          \
	X(xchg_rr_16)                                                                          \
	X(xchg_rr_8) X(xchg_rm_32) X(bswap_32) X(push_r) X(push_i) X(push_m) X(pop_r) X(leave) \
		X(cwde) X(cbw) X(cdq) X(cwd) X(nop) X(cld) X(std) X(clc) X(stc) X(cmc) X(lahf) \
			X(sahf) X(address)

/* next is the way on from a full block, call_out the end of a block with an out-of-line operation,
 * call_inline one that the block continues behind. leave_block and stop are no instructions: they
 * end what execution shall not go beyond. Nor is account: see account.h. */
#define X86_OPS_FLOW(X)                                                                       \
	X(jmp)                                                                                \
	X(jmp_r)                                                                              \
	X(jmp_m)                                                                              \
	X(call)                                                                               \
	X(call_r)                                                                             \
	X(call_m)                                                                             \
	X(ret)                                                                                \
	X(ret_i)                                                                              \
	X(loop)                                                                               \
	X(loope)                                                                              \
	X(loopne)                                                                             \
	X(jcxz)                                                                               \
	X(account)                                                                            \
	X(next)                                                                               \
	X(stop)                                                                               \
	X(leave_block)                                                                        \
	X(call_out)                                                                           \
	X(call_inline) X86_CONDITIONS(X, j) X86_CONDITIONS(X, set_r) X86_CONDITIONS(X, set_m) \
		X86_CONDITIONS(X, cmov_r) X86_CONDITIONS(X, cmov_m)

/* A comparison and its conditional jump: cmp_rr_j_z is CMP of two registers, then JZ. */
#define X86_OPS_PAIR(X)                 \
	X86_CONDITIONS(X, cmp_rr_32_j)  \
	X86_CONDITIONS(X, cmp_ri_32_j)  \
	X86_CONDITIONS(X, cmp_rm_32_j)  \
	X86_CONDITIONS(X, test_rr_32_j) \
	X86_CONDITIONS(X, cmp_ri_8_j) X86_CONDITIONS(X, test_ri_8_j) X86_CONDITIONS(X, cmp_mi_8_j)

#define X86_OPS(X)     \
	X86_OPS_ALU(X) \
	X86_OPS_NO_FLAGS(X) X86_OPS_SHIFT(X) X86_OPS_MOVE(X) X86_OPS_FLOW(X) X86_OPS_PAIR(X)

/* clang-format on */

#define X86_OP_NUMBER(name) X86_OP_##name,
enum x86_op { X86_OPS(X86_OP_NUMBER) X86_OP_COUNT };
#undef X86_OP_NUMBER

/* In the immediate of address, beside enum x86_access: the offset has 16 bits. */
#define X86_ADDRESS_16 0x100u

/* What a slot's handler is to be for that operation, in the form of dispatch that vole was built
 * with. In execute.c. */
const void *x86_handler(enum x86_op op);

/* 0, 1, 2 for operands of 4, 2 and 1 bytes: the order of X86_SIZES. */
static inline unsigned x86_size_index(unsigned bytes)
{
	return bytes == 4 ? 0 : bytes == 2 ? 1 : 2;
}

#endif
