/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions of the oracle's cases: shifts, rotates, bit tests and bit scans. */
#include "oracle_builder.h"

/* What a shift or rotate by a count leaves undefined; the count is not 0. */
static enum undefined_by undefined_by_shift(unsigned operation, unsigned count, unsigned size)
{
	enum { SHL = 4, SAR = 7 };

	if (operation < SHL)
		return count > 1 ? UNDEFINED_BY_ROTATE : UNDEFINED_NOTHING;
	if (count == 1)
		return UNDEFINED_BY_SHIFT_ONE;
	return operation != SAR && count >= size * 8 ? UNDEFINED_BY_SHIFT_OUT : UNDEFINED_BY_SHIFT;
}

/* What a count masked to 5 bits changes: nothing if it is 0 (SDM 2, SAL/SAR/SHL/SHR). */
static void define_shift(struct builder *b, unsigned operation, unsigned count, unsigned size)
{
	enum { SHL = 4 };
	uint32_t flags = operation < SHL ? FLAG_CF | FLAG_OF : FLAGS_ARITHMETIC;

	count &= 31;
	if (count > 0)
		define(b, flags, undefined_by_shift(operation, count, size));
}

/* SHLD, SHRD. A count above the operand's size has no defined result at all (SDM 2, SHLD). */
static void build_double_shift(struct builder *b)
{
	unsigned size = choose(b, 2) ? 4 : 2, count = choose(b, size * 8 + 1);
	bool by_register = choose(b, 2);
	unsigned opcode = (choose(b, 2) ? 0x0fa4u : 0x0facu) | by_register;
	struct operand rm;

	if (size == 4 && choose(b, 4) == 0)
		count += 32; /* masked to 5 bits */
	rm = choose_rm(b, size);
	if (by_register) {
		begin(b, 0);
		emit(b, 0xb1); /* MOV CL, imm8 */
		emit(b, count);
		if (rm.base == ECX || rm.index == ECX)
			rm = (struct operand){.reg = EBX};
	}
	begin(b, 0);
	emit_rm(b, opcode, choose_register(b, size), &rm, size);
	if (!by_register)
		emit(b, count);
	count &= 31;
	if (count > 0)
		define(b, FLAGS_ARITHMETIC,
			count == 1 ? UNDEFINED_BY_SHIFT_ONE : UNDEFINED_BY_DOUBLE_SHIFT);
}

/* ROL ROR RCL RCR SHL SHR SAL SAR by 1, imm8 or CL. */
void build_shift(struct builder *b)
{
	enum { RCL = 2, RCR = 3 };
	static const uint8_t opcodes[] = {0xd0, 0xc0, 0xd2};
	unsigned operation = choose(b, 8), form = choose(b, 4), size = choose_size(b), count = 1;
	struct operand rm;

	if (form == 3) {
		build_double_shift(b);
		return;
	}
	if (form > 0)
		count = choose(b, 4) ? choose(b, 34) : choose(b, 256);
	rm = choose_rm(b, size);
	if (form == 2) {
		begin(b, 0);
		emit(b, 0xb1); /* MOV CL, imm8 */
		emit(b, count);
		if (rm.base == ECX || rm.index == ECX)
			rm = (struct operand){.reg = EDX};
	}
	begin(b, operation == RCL || operation == RCR ? FLAG_CF : 0);
	emit_rm(b, opcodes[form] | (size > 1), operation, &rm, size);
	if (form == 1)
		emit(b, count);
	define_shift(b, operation, count, size);
}

/* BT BTS BTR BTC. A bit offset in a register reaches beyond the operand, in both directions
 * (SDM 2, BT). */
static void build_bit_test(struct builder *b)
{
	unsigned operation = 4 + choose(b, 4), size = choose(b, 2) ? 4 : 2;
	bool by_register = choose(b, 2), is_locked = operation > 4 && choose(b, 8) == 0;
	uint8_t reg = choose_register(b, size);
	struct operand rm;

	b->is_aligned = is_locked;
	rm = choose_rm(b, size);
	if (by_register && rm.is_memory && rm.base != reg && rm.index != reg)
		load_register(b, reg, (uint32_t)take(b->in, 2) % 0x4000 - 0x2000);
	begin(b, 0);
	if (rm.is_memory && is_locked)
		emit(b, 0xf0);
	if (by_register) {
		emit_rm(b, 0x0f83 | operation << 3, reg, &rm, size);
	} else {
		emit_rm(b, 0x0fba, operation, &rm, size);
		emit(b, choose(b, 256));
	}
	define(b, FLAG_CF, UNDEFINED_BY_BIT_TEST);
}

void build_bits(struct builder *b)
{
	unsigned size;
	struct operand rm;

	if (choose(b, 3)) {
		build_bit_test(b);
		return;
	}
	/* BSF, BSR. With a source of 0 the destination stays as it is: AMD's manual says so (volume
	 * 3, BSF), and Intel's processors do it. */
	size = choose(b, 2) ? 4 : 2;
	rm = choose_rm(b, size);
	begin(b, 0);
	emit_rm(b, 0x0fbc | choose(b, 2), choose_register(b, size), &rm, size);
	define(b, FLAG_ZF, UNDEFINED_BY_BIT_SCAN);
}
