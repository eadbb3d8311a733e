/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers that move data and set no flags by a result: MOVZX, MOVSX, LEA, XCHG, BSWAP, the flat
 * 32-bit stack, conversions, single flags (SDM 2). Included by execute.c once for the form of
 * dispatch; no header of its own.
 */

/* MOVZX and MOVSX: from, a C type of the source; to, the size of the destination. */
#define X86_EXTEND(name, from_size, type, to)                                   \
	X86_HANDLER(name##_r_##from_size##_##to)                                \
	{                                                                       \
		SET_##to(insn->reg, (uint32_t)(type)GET_##from_size(insn->rm)); \
		NEXT;                                                           \
	}                                                                       \
	X86_HANDLER(name##_m_##from_size##_##to)                                \
	{                                                                       \
		LOAD(from_size, ADDRESS, value);                                \
		SET_##to(insn->reg, (uint32_t)(type)value);                     \
		NEXT;                                                           \
	}

/* clang-format off */
X86_EXTEND(movzx, 8, uint8_t, 32)
X86_EXTEND(movzx, 16, uint16_t, 32)
X86_EXTEND(movsx, 8, int8_t, 32)
X86_EXTEND(movsx, 16, int16_t, 32)
X86_EXTEND(movzx, 8, uint8_t, 16)
X86_EXTEND(movsx, 8, int8_t, 16)
/* clang-format on */

/* The offset, without base or limit of a segment. lea_16 has a 16-bit destination; an address of 16
 * bits comes as an immediate mask. */
X86_HANDLER(lea_32)
{
	SET_32(insn->reg, ADDRESS & insn->immediate);
	NEXT;
}
X86_HANDLER(lea_16)
{
	SET_16(insn->reg, ADDRESS);
	NEXT;
}

/* The decoder puts this slot before an instruction whose memory operand has a 16-bit address or
 * lies in a segment with a base, a limit or rights to check. reg is the segment, rm the operand's
 * size in bytes, immediate the access, with X86_ADDRESS_16 for a 16-bit address. */
X86_HANDLER(address)
{
	const uint32_t offset = (uint32_t)ADDRESS;

	SAVE;
	cpu->reg[X86_TEMP] = x86_linear(cpu, insn->reg,
		insn->immediate & X86_ADDRESS_16 ? (uint16_t)offset : offset, insn->rm,
		insn->immediate & ~X86_ADDRESS_16);
	NEXT;
}

#define X86_EXCHANGE(size)                                   \
	X86_HANDLER(xchg_rr_##size)                          \
	{                                                    \
		const uint32_t value = GET_##size(insn->rm); \
		SET_##size(insn->rm, GET_##size(insn->reg)); \
		SET_##size(insn->reg, value);                \
		NEXT;                                        \
	}

/* clang-format off */
X86_EXCHANGE(32)
X86_EXCHANGE(16)
X86_EXCHANGE(8)
/* clang-format on */

X86_HANDLER(xchg_rm_32)
{
	const uint64_t address = ADDRESS;

	LOAD_TO_CHANGE(32, address, value);
	STORE(32, address, GET_32(insn->reg));
	SET_32(insn->reg, value);
	NEXT;
}
X86_HANDLER(bswap_32)
{
	SET_32(insn->rm, __builtin_bswap32(GET_32(insn->rm)));
	NEXT;
}

/* The flat stack of 32 bits. ESP changes after the access, which may fault. */
X86_HANDLER(push_r)
{
	const uint32_t esp = GET_32(X86_RSP) - 4;

	STORE(32, esp, GET_32(insn->rm));
	SET_32(X86_RSP, esp);
	NEXT;
}
X86_HANDLER(push_i)
{
	const uint32_t esp = GET_32(X86_RSP) - 4;

	STORE(32, esp, insn->immediate);
	SET_32(X86_RSP, esp);
	NEXT;
}
X86_HANDLER(push_m)
{
	const uint32_t esp = GET_32(X86_RSP) - 4;

	LOAD(32, ADDRESS, value);
	STORE(32, esp, value);
	SET_32(X86_RSP, esp);
	NEXT;
}
X86_HANDLER(pop_r)
{
	const uint32_t esp = GET_32(X86_RSP);

	LOAD(32, esp, value);
	SET_32(X86_RSP, esp + 4);
	SET_32(insn->rm, value);
	NEXT;
}
X86_HANDLER(leave)
{
	const uint32_t ebp = GET_32(X86_RBP);

	LOAD(32, ebp, value);
	SET_32(X86_RSP, ebp + 4);
	SET_32(X86_RBP, value);
	NEXT;
}

X86_HANDLER(cwde)
{
	SET_32(X86_RAX, (uint32_t)(int16_t)GET_16(X86_RAX));
	NEXT;
}
X86_HANDLER(cbw)
{
	SET_16(X86_RAX, (uint32_t)(int8_t)GET_16(X86_RAX));
	NEXT;
}
X86_HANDLER(cdq)
{
	SET_32(X86_RDX, (uint32_t)((int32_t)GET_32(X86_RAX) >> 31));
	NEXT;
}
X86_HANDLER(cwd)
{
	SET_16(X86_RDX, (uint32_t)((int16_t)GET_16(X86_RAX) >> 15));
	NEXT;
}
X86_HANDLER(nop)
{
	NEXT;
}

/* Single flags. */
X86_HANDLER(cld)
{
	cpu->eflags &= ~X86_DF;
	NEXT;
}
X86_HANDLER(std)
{
	cpu->eflags |= X86_DF;
	NEXT;
}
X86_HANDLER(clc)
{
	CARRY = x86_carry_replace(CARRY, 0, x86_flag_of(CARRY));
	NEXT;
}
X86_HANDLER(stc)
{
	CARRY = x86_carry_replace(CARRY, 1, x86_flag_of(CARRY));
	NEXT;
}
X86_HANDLER(cmc)
{
	CARRY = x86_carry_replace(CARRY, !x86_flag_cf(CARRY), x86_flag_of(CARRY));
	NEXT;
}

/* AH is byte 1 of the register file. */
X86_HANDLER(lahf)
{
	SET_8(1, x86_flags_get(RESULT, CARRY) | X86_FLAG_ONE);
	NEXT;
}
X86_HANDLER(sahf)
{
	const uint32_t low = X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF;
	int64_t new_result;
	uint64_t new_carry;

	x86_flags_set((GET_8(1) & low) | x86_flag_of(CARRY) << 11, &new_result, &new_carry);
	X86_SET_FLAGS();
	NEXT;
}
