/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers that end or leave a block, and those that depend on a condition: near JMP, CALL and RET,
 * Jcc, LOOP, SETcc, CMOVcc, comparisons with their jump, and out-of-line operations. Included by
 * execute.c once for the form of dispatch; no header of its own. The handlers of CALL and RET here
 * are those of the flat stack of 32 bits; near.c has the others.
 */

X86_HANDLER(jmp)
{
	JUMP;
}
X86_HANDLER(jmp_r)
{
	JUMP_TO(GET_32(insn->rm));
}
X86_HANDLER(jmp_m)
{
	LOAD(32, ADDRESS, target);
	JUMP_TO(target);
}

/* displacement is the return address; of the indirect calls it is immediate. */
X86_HANDLER(call)
{
	const uint32_t esp = GET_32(X86_RSP) - 4;

	STORE(32, esp, insn->displacement);
	SET_32(X86_RSP, esp);
	JUMP;
}
X86_HANDLER(call_r)
{
	const uint32_t esp = GET_32(X86_RSP) - 4, target = GET_32(insn->rm);

	STORE(32, esp, insn->immediate);
	SET_32(X86_RSP, esp);
	JUMP_TO(target);
}
X86_HANDLER(call_m)
{
	const uint32_t esp = GET_32(X86_RSP) - 4;

	LOAD(32, ADDRESS, target);
	STORE(32, esp, insn->immediate);
	SET_32(X86_RSP, esp);
	JUMP_TO(target);
}
X86_HANDLER(ret)
{
	const uint32_t esp = GET_32(X86_RSP);

	LOAD(32, esp, target);
	SET_32(X86_RSP, esp + 4);
	JUMP_TO(target);
}
X86_HANDLER(ret_i)
{
	const uint32_t esp = GET_32(X86_RSP);

	LOAD(32, esp, target);
	SET_32(X86_RSP, esp + 4 + insn->immediate);
	JUMP_TO(target);
}

/* A jump out of the middle of a block: its further instructions are not executed. */
#define X86_TAKE_BRANCH                    \
	do {                               \
		BUDGET += insn->remaining; \
		JUMP;                      \
	} while (0)

/* LOOP, LOOPE, LOOPNE: displacement is the mask of CX or ECX, as the address size has it. */
#define X86_LOOP(name, condition)                                                  \
	X86_HANDLER(name)                                                          \
	{                                                                          \
		const uint64_t mask = insn->displacement, old = cpu->reg[X86_RCX]; \
		const uint64_t count = (old - 1) & mask;                           \
		cpu->reg[X86_RCX] = (old & (uint32_t)~mask) | count;               \
		if (count != 0 && (condition))                                     \
			X86_TAKE_BRANCH;                                           \
		NEXT;                                                              \
	}

/* clang-format off */
X86_LOOP(loop, true)
X86_LOOP(loope, x86_flag_zf(RESULT))
X86_LOOP(loopne, !x86_flag_zf(RESULT))
/* clang-format on */

X86_HANDLER(jcxz)
{
	if ((cpu->reg[X86_RCX] & insn->displacement) == 0)
		X86_TAKE_BRANCH;
	NEXT;
}

/* The beginning of a block while there are accounts; no instruction. */
X86_HANDLER(account)
{
	SAVE;
	x86_account_enter(cpu);
	NEXT;
}
/* The way on from a block that ends without a jump; no instruction. */
X86_HANDLER(next)
{
	JUMP;
}
/* The end of a block that was made to stop there; no instruction. */
X86_HANDLER(stop)
{
	LEAVE_BLOCK(x86_insn_next_eip(BLOCK, insn));
}
/* Behind the copy of an instruction that x86_detour() made. */
X86_HANDLER(leave_block)
{
	BUDGET += insn->remaining;
	LEAVE_BLOCK(x86_insn_next_eip(BLOCK, insn));
}

X86_HANDLER(call_inline)
{
	const struct x86_operands *operands = x86_insn_operands(insn);

	SAVE;
	cpu->eip = x86_insn_eip(BLOCK, insn);
	cpu->next_eip = x86_insn_next_eip(BLOCK, insn);
	operands->function(cpu, operands);
	RESTORE;
	if (X86_UNLIKELY(cpu->leave)) {
		BUDGET += insn->remaining;
		LEAVE_BLOCK(cpu->next_eip);
	}
	insn++;
	NEXT;
}

/* An operation that ends the block may change anything, so the next one is looked up. x86_run() has
 * a look first if an interrupt, a trap or a halt may be due. */
X86_HANDLER(call_out)
{
	const struct x86_operands *operands = x86_insn_operands(insn);
	const uint32_t eflags = cpu->eflags;

	SAVE;
	cpu->eip = x86_insn_eip(BLOCK, insn);
	cpu->next_eip = x86_insn_next_eip(BLOCK, insn);
	operands->function(cpu, operands);
	RESTORE;
	if (X86_UNLIKELY(x86_wants_attention(cpu, eflags)))
		LEAVE(cpu->next_eip);
	JUMP_TO(cpu->next_eip);
}

/* The conditions by the kept flags (SDM 1, appendix B). */
#define X86_CF_ x86_flag_cf(CARRY)
#define X86_OF_ x86_flag_of(CARRY)
#define X86_ZF_ x86_flag_zf(RESULT)
#define X86_SF_ x86_flag_sf(RESULT, CARRY)
#define X86_PF_ x86_flag_pf(RESULT, CARRY)

#define X86_ON_FLAGS(X)                      \
	X(o, X86_OF_)                        \
	X(no, !X86_OF_)                      \
	X(b, X86_CF_)                        \
	X(nb, !X86_CF_)                      \
	X(z, X86_ZF_)                        \
	X(nz, !X86_ZF_)                      \
	X(be, X86_CF_ | X86_ZF_)             \
	X(nbe, !(X86_CF_ | X86_ZF_))         \
	X(s, X86_SF_)                        \
	X(ns, !X86_SF_)                      \
	X(p, X86_PF_)                        \
	X(np, !X86_PF_)                      \
	X(l, X86_SF_ ^ X86_OF_)              \
	X(nl, !(X86_SF_ ^ X86_OF_))          \
	X(le, (X86_SF_ ^ X86_OF_) | X86_ZF_) \
	X(nle, !((X86_SF_ ^ X86_OF_) | X86_ZF_))

#define X86_CONDITIONAL(cc, condition)                       \
	X86_HANDLER(j_##cc)                                  \
	{                                                    \
		if (condition)                               \
			X86_TAKE_BRANCH;                     \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(set_r_##cc)                              \
	{                                                    \
		SET_8(insn->rm, (condition));                \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(set_m_##cc)                              \
	{                                                    \
		STORE(8, ADDRESS, (condition));              \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(cmov_r_##cc)                             \
	{                                                    \
		if (condition)                               \
			SET_32(insn->reg, GET_32(insn->rm)); \
		NEXT;                                        \
	}                                                    \
	X86_HANDLER(cmov_m_##cc)                             \
	{                                                    \
		LOAD(32, ADDRESS, value);                    \
		if (condition)                               \
			SET_32(insn->reg, value);            \
		NEXT;                                        \
	}
X86_ON_FLAGS(X86_CONDITIONAL)

/* The conditions right after a comparison of a and b, unsigned as u, signed as s. */
#define X86_AFTER_o(u, s, a, b)   X86_OF_
#define X86_AFTER_no(u, s, a, b)  !X86_OF_
#define X86_AFTER_b(u, s, a, b)   ((u)(a) < (u)(b))
#define X86_AFTER_nb(u, s, a, b)  ((u)(a) >= (u)(b))
#define X86_AFTER_z(u, s, a, b)   ((u)(a) == (u)(b))
#define X86_AFTER_nz(u, s, a, b)  ((u)(a) != (u)(b))
#define X86_AFTER_be(u, s, a, b)  ((u)(a) <= (u)(b))
#define X86_AFTER_nbe(u, s, a, b) ((u)(a) > (u)(b))
#define X86_AFTER_s(u, s, a, b)   (RESULT < 0)
#define X86_AFTER_ns(u, s, a, b)  (RESULT >= 0)
#define X86_AFTER_p(u, s, a, b)   X86_PF_
#define X86_AFTER_np(u, s, a, b)  !X86_PF_
#define X86_AFTER_l(u, s, a, b)   ((s)(a) < (s)(b))
#define X86_AFTER_nl(u, s, a, b)  ((s)(a) >= (s)(b))
#define X86_AFTER_le(u, s, a, b)  ((s)(a) <= (s)(b))
#define X86_AFTER_nle(u, s, a, b) ((s)(a) > (s)(b))

/* The flags are set all the same: the code at either end may look at them. After TEST the
 * conditions are those of a comparison with 0. */
#define X86_CMP_JUMP(size, cc, a, b)                             \
	X86_COMPUTE_cmp(size, a, b);                             \
	X86_SET_FLAGS();                                         \
	if (X86_AFTER_##cc(uint##size##_t, int##size##_t, a, b)) \
		X86_TAKE_BRANCH;                                 \
	NEXT

#define X86_TEST_JUMP(size, cc, a, b)                               \
	__attribute__((unused)) const uint32_t zero = 0;            \
	X86_COMPUTE_test(size, a, b);                               \
	X86_SET_FLAGS();                                            \
	if (X86_AFTER_##cc(uint##size##_t, int##size##_t, r, zero)) \
		X86_TAKE_BRANCH;                                    \
	NEXT

/* The immediate of a comparison is in displacement, or in reg where memory needs displacement. */
#define X86_PAIR(cc, unused)                                                 \
	X86_HANDLER(cmp_rr_32_j_##cc)                                        \
	{                                                                    \
		const uint32_t a = GET_32(insn->rm), b = GET_32(insn->reg);  \
		X86_CMP_JUMP(32, cc, a, b);                                  \
	}                                                                    \
	X86_HANDLER(cmp_ri_32_j_##cc)                                        \
	{                                                                    \
		const uint32_t a = GET_32(insn->rm), b = insn->displacement; \
		X86_CMP_JUMP(32, cc, a, b);                                  \
	}                                                                    \
	X86_HANDLER(cmp_rm_32_j_##cc)                                        \
	{                                                                    \
		LOAD(32, ADDRESS, b);                                        \
		const uint32_t a = GET_32(insn->reg);                        \
		X86_CMP_JUMP(32, cc, a, b);                                  \
	}                                                                    \
	X86_HANDLER(test_rr_32_j_##cc)                                       \
	{                                                                    \
		const uint32_t a = GET_32(insn->rm), b = GET_32(insn->reg);  \
		X86_TEST_JUMP(32, cc, a, b);                                 \
	}                                                                    \
	X86_HANDLER(cmp_ri_8_j_##cc)                                         \
	{                                                                    \
		const uint32_t a = GET_8(insn->rm), b = insn->displacement;  \
		X86_CMP_JUMP(8, cc, a, b);                                   \
	}                                                                    \
	X86_HANDLER(test_ri_8_j_##cc)                                        \
	{                                                                    \
		const uint32_t a = GET_8(insn->rm), b = insn->displacement;  \
		X86_TEST_JUMP(8, cc, a, b);                                  \
	}                                                                    \
	X86_HANDLER(cmp_mi_8_j_##cc)                                         \
	{                                                                    \
		LOAD(8, ADDRESS, a);                                         \
		const uint32_t b = insn->reg;                                \
		X86_CMP_JUMP(8, cc, a, b);                                   \
	}
X86_ON_FLAGS(X86_PAIR)
