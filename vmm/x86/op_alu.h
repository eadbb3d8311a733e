/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers of ADD to CMP, TEST, MOV, INC, DEC, NOT and NEG, with and without flags (SDM 2).
 * Included by execute.c once for the form of dispatch; no header of its own.
 *
 * X86_COMPUTE_name(size, a, b) declares r, the RESULT, and new_result and new_carry, the flags to
 * be. A handler that stores keeps the old flags until the store is over, since it may fault.
 */

#define X86_FLAGS_FROM(size, r_, carries)               \
	const int64_t new_result = (int##size##_t)(r_); \
	const uint64_t new_carry = X86_CARRY_VECTOR_##size(carries)

#define X86_FLAGS_LOGIC(size, r_)                       \
	const int64_t new_result = (int##size##_t)(r_); \
	const uint64_t new_carry = 0

#define X86_SET_FLAGS() (RESULT = new_result, CARRY = new_carry)

#define X86_COMPUTE_add(size, a, b)   \
	const uint32_t r = (a) + (b); \
	X86_FLAGS_FROM(size, r, X86_CARRIES_ADD(a, b, r))
#define X86_COMPUTE_adc(size, a, b)                        \
	const uint32_t r = (a) + (b) + x86_flag_cf(CARRY); \
	X86_FLAGS_FROM(size, r, X86_CARRIES_ADD(a, b, r))
#define X86_COMPUTE_sub(size, a, b)   \
	const uint32_t r = (a) - (b); \
	X86_FLAGS_FROM(size, r, X86_CARRIES_SUB(a, b, r))
#define X86_COMPUTE_sbb(size, a, b)                      \
	const uint32_t r = (a) - (b)-x86_flag_cf(CARRY); \
	X86_FLAGS_FROM(size, r, X86_CARRIES_SUB(a, b, r))
#define X86_COMPUTE_and(size, a, b)   \
	const uint32_t r = (a) & (b); \
	X86_FLAGS_LOGIC(size, r)
#define X86_COMPUTE_or(size, a, b)    \
	const uint32_t r = (a) | (b); \
	X86_FLAGS_LOGIC(size, r)
#define X86_COMPUTE_xor(size, a, b)   \
	const uint32_t r = (a) ^ (b); \
	X86_FLAGS_LOGIC(size, r)
#define X86_COMPUTE_cmp  X86_COMPUTE_sub
#define X86_COMPUTE_test X86_COMPUTE_and

/* An operation that writes its destination, and one that only sets flags. */
#define X86_ALU(name, size)                                                         \
	X86_HANDLER(name##_rr_##size)                                               \
	{                                                                           \
		const uint32_t a = GET_##size(insn->rm), b = GET_##size(insn->reg); \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		SET_##size(insn->rm, r);                                            \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_ri_##size)                                               \
	{                                                                           \
		const uint32_t a = GET_##size(insn->rm), b = insn->immediate;       \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		SET_##size(insn->rm, r);                                            \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_rm_##size)                                               \
	{                                                                           \
		LOAD(size, ADDRESS, b);                                             \
		const uint32_t a = GET_##size(insn->reg);                           \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		SET_##size(insn->reg, r);                                           \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_mr_##size)                                               \
	{                                                                           \
		const uint64_t address = ADDRESS;                                   \
		LOAD_TO_CHANGE(size, address, a);                                   \
		const uint32_t b = GET_##size(insn->reg);                           \
		X86_COMPUTE_##name(size, a, b);                                     \
		STORE(size, address, r);                                            \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_mi_##size)                                               \
	{                                                                           \
		const uint64_t address = ADDRESS;                                   \
		LOAD_TO_CHANGE(size, address, a);                                   \
		const uint32_t b = insn->immediate;                                 \
		X86_COMPUTE_##name(size, a, b);                                     \
		STORE(size, address, r);                                            \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}

#define X86_COMPARE(name, size)                                                     \
	X86_HANDLER(name##_rr_##size)                                               \
	{                                                                           \
		const uint32_t a = GET_##size(insn->rm), b = GET_##size(insn->reg); \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_ri_##size)                                               \
	{                                                                           \
		const uint32_t a = GET_##size(insn->rm), b = insn->immediate;       \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_rm_##size)                                               \
	{                                                                           \
		LOAD(size, ADDRESS, b);                                             \
		const uint32_t a = GET_##size(insn->reg);                           \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_mr_##size)                                               \
	{                                                                           \
		LOAD(size, ADDRESS, a);                                             \
		const uint32_t b = GET_##size(insn->reg);                           \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}                                                                           \
	X86_HANDLER(name##_mi_##size)                                               \
	{                                                                           \
		LOAD(size, ADDRESS, a);                                             \
		const uint32_t b = insn->immediate;                                 \
		X86_COMPUTE_##name(size, a, b);                                     \
		X86_SET_FLAGS();                                                    \
		NEXT;                                                               \
	}

#define X86_MOV(size)                                        \
	X86_HANDLER(mov_rr_##size)                           \
	{                                                    \
		SET_##size(insn->rm, GET_##size(insn->reg)); \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(mov_ri_##size)                           \
	{                                                    \
		SET_##size(insn->rm, insn->immediate);       \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(mov_rm_##size)                           \
	{                                                    \
		LOAD(size, ADDRESS, value);                  \
		SET_##size(insn->reg, value);                \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(mov_mr_##size)                           \
	{                                                    \
		STORE(size, ADDRESS, GET_##size(insn->reg)); \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(mov_mi_##size)                           \
	{                                                    \
		STORE(size, ADDRESS, insn->immediate);       \
		NEXT;                                        \
	}

#define X86_ALL_SIZES(macro, name) macro(name, 32) macro(name, 16) macro(name, 8)
/* clang-format off */
X86_ALL_SIZES(X86_ALU, add)
X86_ALL_SIZES(X86_ALU, or)
X86_ALL_SIZES(X86_ALU, adc)
X86_ALL_SIZES(X86_ALU, sbb)
X86_ALL_SIZES(X86_ALU, and)
X86_ALL_SIZES(X86_ALU, sub)
X86_ALL_SIZES(X86_ALU, xor)
X86_ALL_SIZES(X86_COMPARE, cmp)
X86_ALL_SIZES(X86_COMPARE, test)
X86_MOV(32)
X86_MOV(16)
X86_MOV(8)
/* clang-format on */

/* One operand. INC and DEC leave CF. */
#define X86_COMPUTE_inc(size, a)                                                  \
	const uint32_t r = (a) + 1;                                               \
	const int64_t new_result = (int##size##_t)r;                              \
	const uint64_t new_carry =                                                \
		x86_carry_of(x86_flag_cf(CARRY), new_result == INT##size##_MIN) | \
		((r & 15) == 0 ? X86_CARRY_AF : 0)
#define X86_COMPUTE_dec(size, a)                                                  \
	const uint32_t r = (a)-1;                                                 \
	const int64_t new_result = (int##size##_t)r;                              \
	const uint64_t new_carry =                                                \
		x86_carry_of(x86_flag_cf(CARRY), new_result == INT##size##_MAX) | \
		((r & 15) == 15 ? X86_CARRY_AF : 0)
#define X86_COMPUTE_neg(size, a)              \
	const uint32_t r = 0 - (uint32_t)(a); \
	X86_FLAGS_FROM(size, r, X86_CARRIES_SUB(0u, a, r))
#define X86_COMPUTE_not(size, a)           \
	const uint32_t r = ~(uint32_t)(a); \
	const int64_t new_result = RESULT; \
	const uint64_t new_carry = CARRY

#define X86_UNARY(name, size)                            \
	X86_HANDLER(name##_r_##size)                     \
	{                                                \
		const uint32_t a = GET_##size(insn->rm); \
		X86_COMPUTE_##name(size, a);             \
		X86_SET_FLAGS();                         \
		SET_##size(insn->rm, r);                 \
		NEXT;                                    \
	}                                                \
	X86_HANDLER(name##_m_##size)                     \
	{                                                \
		const uint64_t address = ADDRESS;        \
		LOAD_TO_CHANGE(size, address, a);        \
		X86_COMPUTE_##name(size, a);             \
		STORE(size, address, r);                 \
		X86_SET_FLAGS();                         \
		NEXT;                                    \
	}

/* clang-format off */
X86_ALL_SIZES(X86_UNARY, inc)
X86_ALL_SIZES(X86_UNARY, dec)
X86_ALL_SIZES(X86_UNARY, not)
X86_ALL_SIZES(X86_UNARY, neg)
/* clang-format on */

/* Without flags, 32 bits. */
#define X86_NO_FLAGS(name, operator)                                           \
	X86_HANDLER(name##_rr_nf)                                              \
	{                                                                      \
		SET_32(insn->rm, GET_32(insn->rm) operator GET_32(insn->reg)); \
		NEXT;                                                          \
	}                                                                      \
	X86_HANDLER(name##_ri_nf)                                              \
	{                                                                      \
		SET_32(insn->rm, GET_32(insn->rm) operator insn->immediate);   \
		NEXT;                                                          \
	}                                                                      \
	X86_HANDLER(name##_rm_nf)                                              \
	{                                                                      \
		LOAD(32, ADDRESS, b);                                          \
		SET_32(insn->reg, GET_32(insn->reg) operator b);               \
		NEXT;                                                          \
	}

/* clang-format off */
X86_NO_FLAGS(add, +)
X86_NO_FLAGS(sub, -)
X86_NO_FLAGS(and, &)
X86_NO_FLAGS(or, |)
X86_NO_FLAGS(xor, ^)
/* clang-format on */

X86_HANDLER(inc_r_nf)
{
	SET_32(insn->rm, GET_32(insn->rm) + 1);
	NEXT;
}
X86_HANDLER(dec_r_nf)
{
	SET_32(insn->rm, GET_32(insn->rm) - 1);
	NEXT;
}
X86_HANDLER(zero_r)
{
	SET_32(insn->rm, 0);
	RESULT = 0;
	CARRY = 0;
	NEXT;
}
