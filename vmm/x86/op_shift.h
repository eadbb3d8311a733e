/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers of shifts and rotates, multiplication and division, and bit instructions (SDM 2).
 * Included by execute.c once for the form of dispatch; no header of its own. The rarer forms are in
 * arithmetic.c.
 */

/*
 * X86_SHIFT_name(size, a, count) declares r, new_result and new_carry; count is 1 to 31, a is
 * zero-extended. OF is defined for a count of 1 only; for others it is what processors compute,
 * the same formula. AF is undefined and cleared.
 */
#define X86_SHIFT_shl(size, a, count)                   \
	const uint64_t wide = (uint64_t)(a) << (count); \
	const uint32_t r = (uint32_t)wide;              \
	const int64_t new_result = (int##size##_t)r;    \
	const uint64_t cf_ = wide >> size & 1;          \
	const uint64_t new_carry = x86_carry_of(cf_, cf_ ^ (wide >> (size - 1) & 1))
#define X86_SHIFT_shr(size, a, count)                \
	const uint32_t r = (a) >> (count);           \
	const int64_t new_result = (int##size##_t)r; \
	const uint64_t new_carry = x86_carry_of((a) >> ((count)-1) & 1, (a) >> (size - 1) & 1)
#define X86_SHIFT_sar(size, a, count)                      \
	const int32_t signed_ = (int##size##_t)(a);        \
	const uint32_t r = (uint32_t)(signed_ >> (count)); \
	const int64_t new_result = (int##size##_t)r;       \
	const uint64_t new_carry = x86_carry_of((uint32_t)(signed_ >> ((count)-1)) & 1, 0)

/* Rotates leave ZF, SF, PF and AF. A count that is a multiple of the size still sets CF. */
#define X86_SHIFT_rol(size, a, count)                                                 \
	const unsigned by_ = (count) & (size - 1);                                    \
	const uint32_t r = (uint##size##_t)((a) << by_ | (a) >> (-by_ & (size - 1))); \
	const int64_t new_result = RESULT;                                            \
	const uint64_t cf_ = r & 1;                                                   \
	const uint64_t new_carry = x86_carry_replace(CARRY, cf_, cf_ ^ (r >> (size - 1) & 1))
#define X86_SHIFT_ror(size, a, count)                                                 \
	const unsigned by_ = (count) & (size - 1);                                    \
	const uint32_t r = (uint##size##_t)((a) >> by_ | (a) << (-by_ & (size - 1))); \
	const int64_t new_result = RESULT;                                            \
	const uint64_t cf_ = r >> (size - 1) & 1;                                     \
	const uint64_t new_carry = x86_carry_replace(CARRY, cf_, cf_ ^ (r >> (size - 2) & 1))

/* By an immediate that is not 0: the decoder makes a NOP of that. */
#define X86_SHIFT_RI(name, size)                            \
	X86_HANDLER(name##_ri_##size)                       \
	{                                                   \
		const uint32_t a = GET_##size(insn->rm);    \
		X86_SHIFT_##name(size, a, insn->immediate); \
		X86_SET_FLAGS();                            \
		SET_##size(insn->rm, r);                    \
		NEXT;                                       \
	}
#define X86_SHIFT_RC(name)                                     \
	X86_HANDLER(name##_rc_32)                              \
	{                                                      \
		const uint32_t a = GET_32(insn->rm);           \
		const unsigned count = cpu->reg[X86_RCX] & 31; \
		if (count != 0) {                              \
			X86_SHIFT_##name(32, a, count);        \
			X86_SET_FLAGS();                       \
			SET_32(insn->rm, r);                   \
		}                                              \
		NEXT;                                          \
	}
#define X86_SHIFT_MI(name)                                \
	X86_HANDLER(name##_mi_32)                         \
	{                                                 \
		const uint64_t address = ADDRESS;         \
		LOAD_TO_CHANGE(32, address, a);           \
		X86_SHIFT_##name(32, a, insn->immediate); \
		STORE(32, address, r);                    \
		X86_SET_FLAGS();                          \
		NEXT;                                     \
	}

/* clang-format off */
X86_ALL_SIZES(X86_SHIFT_RI, shl)
X86_ALL_SIZES(X86_SHIFT_RI, shr)
X86_ALL_SIZES(X86_SHIFT_RI, sar)
X86_ALL_SIZES(X86_SHIFT_RI, rol)
X86_ALL_SIZES(X86_SHIFT_RI, ror)
X86_SHIFT_RC(shl)
X86_SHIFT_RC(shr)
X86_SHIFT_RC(sar)
X86_SHIFT_RC(rol)
X86_SHIFT_RC(ror)
X86_SHIFT_MI(shl)
X86_SHIFT_MI(shr)
X86_SHIFT_MI(sar)
/* clang-format on */

X86_HANDLER(shl_ri_nf)
{
	SET_32(insn->rm, GET_32(insn->rm) << insn->immediate);
	NEXT;
}
X86_HANDLER(shr_ri_nf)
{
	SET_32(insn->rm, GET_32(insn->rm) >> insn->immediate);
	NEXT;
}
X86_HANDLER(sar_ri_nf)
{
	SET_32(insn->rm, (uint32_t)((int32_t)GET_32(insn->rm) >> insn->immediate));
	NEXT;
}

/* The immediate is 1 to 31. */
X86_HANDLER(rol_ri_nf)
{
	const uint32_t a = GET_32(insn->rm);

	SET_32(insn->rm, a << insn->immediate | a >> (32 - insn->immediate));
	NEXT;
}
X86_HANDLER(ror_ri_nf)
{
	const uint32_t a = GET_32(insn->rm);

	SET_32(insn->rm, a >> insn->immediate | a << (32 - insn->immediate));
	NEXT;
}

/* The immediate is 1 to 31 here, too. OF is set if the sign changed. */
X86_HANDLER(shld_ri_32)
{
	const uint32_t a = GET_32(insn->rm), count = insn->immediate;
	const uint32_t r = a << count | GET_32(insn->reg) >> (32 - count);

	RESULT = (int32_t)r;
	CARRY = x86_carry_of(a >> (32 - count) & 1, (a ^ r) >> 31);
	SET_32(insn->rm, r);
	NEXT;
}
X86_HANDLER(shrd_ri_32)
{
	const uint32_t a = GET_32(insn->rm), count = insn->immediate;
	const uint32_t r = a >> count | GET_32(insn->reg) << (32 - count);

	RESULT = (int32_t)r;
	CARRY = x86_carry_of(a >> (count - 1) & 1, (a ^ r) >> 31);
	SET_32(insn->rm, r);
	NEXT;
}

/* MUL and IMUL into EDX:EAX. CF and OF tell that the upper half is significant; SF, ZF, PF and AF
 * are undefined: here they are of the lower half. */
#define X86_MUL(value)                                                \
	const uint64_t product = (uint64_t)GET_32(X86_RAX) * (value); \
	const unsigned significant = product >> 32 != 0;              \
	SET_32(X86_RAX, product);                                     \
	SET_32(X86_RDX, product >> 32);                               \
	RESULT = (int32_t)product;                                    \
	CARRY = x86_carry_of(significant, significant)
#define X86_IMUL(value)                                                               \
	const int64_t product = (int64_t)(int32_t)GET_32(X86_RAX) * (int32_t)(value); \
	const unsigned significant = product != (int32_t)product;                     \
	SET_32(X86_RAX, product);                                                     \
	SET_32(X86_RDX, (uint64_t)product >> 32);                                     \
	RESULT = (int32_t)product;                                                    \
	CARRY = x86_carry_of(significant, significant)

/* DIV and IDIV of EDX:EAX. A divisor of 0 or a quotient that does not fit is #DE. The flags are
 * undefined: here they stay. The dividend that no host can negate is looked at first. */
#define X86_DIV(value)                                                       \
	const uint64_t dividend = cpu->reg[X86_RDX] << 32 | GET_32(X86_RAX); \
	const uint32_t divisor = (value);                                    \
	if (X86_UNLIKELY(GET_32(X86_RDX) >= divisor))                        \
		RAISE(X86_DE);                                               \
	SET_32(X86_RAX, dividend / divisor);                                 \
	SET_32(X86_RDX, dividend % divisor)
#define X86_IDIV(value)                                                                \
	const int64_t dividend = (int64_t)(cpu->reg[X86_RDX] << 32 | GET_32(X86_RAX)); \
	const int32_t divisor = (int32_t)(value);                                      \
	if (X86_UNLIKELY(divisor == 0 || (divisor == -1 && dividend == INT64_MIN) ||   \
			 dividend / divisor != (int32_t)(dividend / divisor)))         \
		RAISE(X86_DE);                                                         \
	SET_32(X86_RAX, dividend / divisor);                                           \
	SET_32(X86_RDX, dividend % divisor)

#define X86_MULTIPLICATION(name, macro)    \
	X86_HANDLER(name##_r_32)           \
	{                                  \
		macro(GET_32(insn->rm));   \
		NEXT;                      \
	}                                  \
	X86_HANDLER(name##_m_32)           \
	{                                  \
		LOAD(32, ADDRESS, factor); \
		macro(factor);             \
		NEXT;                      \
	}

/* clang-format off */
X86_MULTIPLICATION(mul, X86_MUL)
X86_MULTIPLICATION(imul, X86_IMUL)
X86_MULTIPLICATION(div, X86_DIV)
X86_MULTIPLICATION(idiv, X86_IDIV)
/* clang-format on */

/* IMUL with two and three operands: the product is cut to the size of the destination. */
#define X86_IMUL_TO_REG(a, b)                                         \
	const int64_t product = (int64_t)(int32_t)(a) * (int32_t)(b); \
	const unsigned significant = product != (int32_t)product;     \
	SET_32(insn->reg, product);                                   \
	RESULT = (int32_t)product;                                    \
	CARRY = x86_carry_of(significant, significant)

X86_HANDLER(imul_rr_32)
{
	X86_IMUL_TO_REG(GET_32(insn->reg), GET_32(insn->rm));
	NEXT;
}
X86_HANDLER(imul_rm_32)
{
	LOAD(32, ADDRESS, b);
	X86_IMUL_TO_REG(GET_32(insn->reg), b);
	NEXT;
}
X86_HANDLER(imul_rri_32)
{
	X86_IMUL_TO_REG(GET_32(insn->rm), insn->immediate);
	NEXT;
}
X86_HANDLER(imul_rmi_32)
{
	LOAD(32, ADDRESS, a);
	X86_IMUL_TO_REG(a, insn->immediate);
	NEXT;
}

/* BT leaves all flags but CF; OF, SF, AF and PF are undefined. */
X86_HANDLER(bt_rr_32)
{
	CARRY = x86_carry_replace(
		CARRY, GET_32(insn->rm) >> (cpu->reg[insn->reg] & 31) & 1, x86_flag_of(CARRY));
	NEXT;
}
X86_HANDLER(bt_ri_32)
{
	CARRY = x86_carry_replace(
		CARRY, GET_32(insn->rm) >> (insn->immediate & 31) & 1, x86_flag_of(CARRY));
	NEXT;
}

/* Of 0, BSF and BSR set ZF and leave the destination as it was, as processors do. */
X86_HANDLER(bsf_rr_32)
{
	const uint32_t source = GET_32(insn->rm);

	if (source != 0)
		SET_32(insn->reg, (unsigned)__builtin_ctz(source));
	RESULT = (int32_t)source;
	CARRY = 0;
	NEXT;
}
X86_HANDLER(bsr_rr_32)
{
	const uint32_t source = GET_32(insn->rm);

	if (source != 0)
		SET_32(insn->reg, 31 - (unsigned)__builtin_clz(source));
	RESULT = (int32_t)source;
	CARRY = 0;
	NEXT;
}
