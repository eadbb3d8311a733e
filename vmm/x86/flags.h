/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_FLAGS_H
#define VMM_X86_FLAGS_H

/*
 * The arithmetic flags (SDM 1, 3.4.3.1) as they are kept: the result of the last operation that set
 * them, sign-extended to 64 bits, and the vector of its carries. A flag is computed when an
 * instruction looks at it, which most never do.
 *
 *	result    ZF: it is 0.  SF: its sign.  PF: the parity of its low byte
 *	carry     bit 63: the carry out of the operand's highest bit, which is CF
 *	          bit 62: the carry into that bit; OF is the difference of these two
 *	          bit 35: the carry out of bit 3, which is AF
 *	          bits 15:8, bit 0: a correction of PF and SF, for flags that no single result has
 *	          all others mean nothing
 *
 * With that layout the vector of a 32-bit addition is its carries shifted left by 32.
 */

#include <stdbool.h>
#include <stdint.h>

#define X86_CARRY_OUT  (UINT64_C(1) << 63)
#define X86_CARRY_SIGN (UINT64_C(1) << 62)
#define X86_CARRY_AF   (UINT64_C(1) << 35)

/* The carries out of each bit of a + b = r, or the borrows of a - b = r. */
#define X86_CARRIES_ADD(a, b, r) (((a) & (b)) | (((a) | (b)) & ~(r)))
#define X86_CARRIES_SUB(a, b, r) ((~(a) & (b)) | ((~(a) | (b)) & (r)))

/* A vector from the carries of an operation of that size. */
#define X86_CARRY_VECTOR_32(c) ((uint64_t)(uint32_t)(c) << 32)
#define X86_CARRY_VECTOR_16(c) ((uint64_t)(c) << 48 | (uint64_t)((c)&8) << 32)
#define X86_CARRY_VECTOR_8(c)  ((uint64_t)(c) << 56 | (uint64_t)((c)&8) << 32)

/* A vector with CF and OF as given, 0 or 1 each, and AF clear. */
static inline uint64_t x86_carry_of(uint64_t cf, uint64_t of)
{
	return cf * X86_CARRY_OUT | (cf ^ of) * X86_CARRY_SIGN;
}

/* The same with CF and OF alone replaced, for operations that leave the other flags. */
static inline uint64_t x86_carry_replace(uint64_t carry, uint64_t cf, uint64_t of)
{
	return (carry & ~(X86_CARRY_OUT | X86_CARRY_SIGN)) | x86_carry_of(cf, of);
}

/* Each flag as 0 or 1. */
static inline unsigned x86_flag_cf(uint64_t carry)
{
	return (unsigned)(carry >> 63);
}

static inline unsigned x86_flag_of(uint64_t carry)
{
	return (unsigned)((carry ^ carry << 1) >> 63);
}

static inline unsigned x86_flag_zf(int64_t result)
{
	return result == 0;
}

static inline unsigned x86_flag_sf(int64_t result, uint64_t carry)
{
	return (unsigned)((uint64_t)result >> 63) ^ (unsigned)(carry & 1);
}

static inline unsigned x86_flag_pf(int64_t result, uint64_t carry)
{
	return !__builtin_parity(((uint32_t)result ^ (uint32_t)(carry >> 8)) & 0xff);
}

static inline unsigned x86_flag_af(uint64_t carry)
{
	return (unsigned)(carry >> 35) & 1;
}

/* The six flags as they lie in EFLAGS. */
static inline uint32_t x86_flags_get(int64_t result, uint64_t carry)
{
	return x86_flag_cf(carry) | x86_flag_pf(result, carry) << 2 | x86_flag_af(carry) << 4 |
	       x86_flag_zf(result) << 6 | x86_flag_sf(result, carry) << 7 |
	       x86_flag_of(carry) << 11;
}

/* The way back. The low byte of result is 0, hence of even parity, and its sign is 0: the
 * corrections say where that is wrong. */
static inline void x86_flags_set(uint32_t eflags, int64_t *result, uint64_t *carry)
{
	*result = eflags & 1u << 6 ? 0 : 1 << 8;
	*carry = x86_carry_of(eflags & 1, eflags >> 11 & 1);
	*carry |= (uint64_t)(eflags >> 4 & 1) << 35;
	*carry |= (eflags & 1u << 2 ? 0 : UINT64_C(1) << 8) | (eflags >> 7 & 1);
}

#endif
