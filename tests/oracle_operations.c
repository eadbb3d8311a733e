/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions of the oracle's cases: arithmetic, moves, and the choice among all kinds. */
#include "oracle_builder.h"

/* Whether to lock an access, if it is to memory. */
static bool choose_lock(struct builder *b)
{
	b->is_aligned = choose(b, 8) == 0;
	return b->is_aligned;
}

/* LOCK is permitted with a destination in memory (SDM 2, LOCK). */
static void emit_lock(struct builder *b, bool is_locked, const struct operand *rm)
{
	if (is_locked && rm->is_memory)
		emit(b, 0xf0);
}

/* ADD OR ADC SBB AND SUB XOR CMP, all forms. */
static void build_alu(struct builder *b)
{
	enum { OR = 1, ADC, SBB, AND, XOR = 6, CMP };
	unsigned operation = choose(b, 8), form = choose(b, 6), size = choose_size(b);
	bool is_logic = operation == OR || operation == AND || operation == XOR;
	unsigned wide = size > 1;
	bool is_locked = operation != CMP && form != 1 && choose_lock(b);
	struct operand rm = form < 4 ? choose_rm(b, size) : (struct operand){0};
	uint8_t reg = choose_register(b, size);
	uint32_t value = choose_value(b);

	begin(b, operation == ADC || operation == SBB ? FLAG_CF : 0);
	emit_lock(b, is_locked, &rm);
	switch (form) {
	case 0: /* r/m, r */
	case 1: /* r, r/m */
		emit_rm(b, operation << 3 | form << 1 | wide, reg, &rm, size);
		break;
	case 2: /* r/m, imm */
		emit_rm(b, 0x80 | wide, operation, &rm, size);
		emit_value(b, value, size);
		break;
	case 3: /* r/m, imm8 sign-extended */
		emit_rm(b, wide ? 0x83 : 0x80, operation, &rm, size);
		emit_value(b, value, 1);
		break;
	default: /* accumulator, imm */
		if (size == 2)
			emit(b, 0x66);
		emit(b, operation << 3 | 4 | wide);
		emit_value(b, value, size);
	}
	define(b, FLAGS_ARITHMETIC, is_logic ? UNDEFINED_BY_LOGIC : UNDEFINED_NOTHING);
}

static void build_test(struct builder *b)
{
	unsigned form = choose(b, 3), size = choose_size(b), wide = size > 1;
	struct operand rm = form < 2 ? choose_rm(b, size) : (struct operand){0};

	begin(b, 0);
	if (form == 0) {
		emit_rm(b, 0x84 | wide, choose_register(b, size), &rm, size);
	} else if (form == 1) {
		/* /1 is the same as /0, though the SDM names /0 alone: processors agree. */
		emit_rm(b, 0xf6 | wide, 0, &rm, size);
		emit_value(b, choose_value(b), size);
	} else {
		emit_prefixes(b, &rm, size);
		emit(b, 0xa8 | wide);
		emit_value(b, choose_value(b), size);
	}
	define(b, FLAGS_ARITHMETIC, UNDEFINED_BY_LOGIC);
}

/* NOT NEG INC DEC. */
static void build_unary(struct builder *b)
{
	static const uint8_t forms[4][2] = {{0xf6, 2}, {0xf6, 3}, {0xfe, 0}, {0xfe, 1}};
	unsigned form = choose(b, 4), size = choose_size(b);
	bool is_locked = choose_lock(b);
	struct operand rm = choose_rm(b, size);

	begin(b, 0);
	emit_lock(b, is_locked, &rm);
	emit_rm(b, forms[form][0] | (size > 1), forms[form][1], &rm, size);
	if (form == 1)
		define(b, FLAGS_ARITHMETIC, UNDEFINED_NOTHING);
	else if (form > 1)
		define(b, FLAGS_ARITHMETIC & ~FLAG_CF, UNDEFINED_NOTHING);
}

/* MUL IMUL DIV IDIV of the accumulator. */
static void build_multiply(struct builder *b)
{
	unsigned operation = 4 + choose(b, 4), size = choose_size(b);
	bool is_division = operation >= 6;
	struct operand rm;

	/* Half of the quotients fit. */
	if (is_division && choose(b, 2) == 0)
		load_register(b, EDX, choose(b, 4) - 2);
	if (is_division && size == 1 && choose(b, 2) == 0)
		load_register(b, EAX, (uint32_t)take(b->in, 1));
	rm = choose_rm(b, size);
	begin(b, 0);
	emit_rm(b, 0xf6 | (size > 1), operation, &rm, size);
	define(b, FLAGS_ARITHMETIC, is_division ? UNDEFINED_BY_DIVIDE : UNDEFINED_BY_MULTIPLY);
}

/* IMUL of any register. */
static void build_imul(struct builder *b)
{
	unsigned form = choose(b, 3), size = choose(b, 2) ? 4 : 2;
	static const unsigned opcodes[] = {0x0faf, 0x69, 0x6b};
	struct operand rm = choose_rm(b, size);

	begin(b, 0);
	emit_rm(b, opcodes[form], choose_register(b, size), &rm, size);
	if (form > 0)
		emit_value(b, choose_value(b), form == 1 ? size : 1);
	define(b, FLAGS_ARITHMETIC, UNDEFINED_BY_MULTIPLY);
}

/* MOV, all forms. */
static void build_mov(struct builder *b)
{
	unsigned form = choose(b, 6), size = choose_size(b), wide = size > 1;
	struct operand rm = form < 3 ? choose_rm(b, size) : (struct operand){0};
	uint8_t reg = choose_register(b, size);

	begin(b, 0);
	switch (form) {
	case 0: /* ESP can be stored as well */
		emit_rm(b, 0x88 | wide, choose(b, 8), &rm, size);
		break;
	case 1:
		emit_rm(b, 0x8a | wide, reg, &rm, size);
		break;
	case 2:
		emit_rm(b, 0xc6 | wide, 0, &rm, size);
		emit_value(b, choose_value(b), size);
		break;
	case 3: /* register, imm */
		emit_prefixes(b, &rm, size);
		emit(b, (wide ? 0xb8u : 0xb0u) | reg);
		emit_value(b, choose_value(b), size);
		break;
	default: /* accumulator, moffs and back; its offset has the address size (SDM 2, MOV) */
		emit_address_prefix(b);
		if (size == 2)
			emit(b, 0x66);
		emit(b, 0xa0 | (form - 4) << 1 | wide);
		emit_value(b, choose_address(b, size), 4);
	}
}

static void build_extend(struct builder *b)
{
	static const unsigned opcodes[] = {0x0fb6, 0x0fb7, 0x0fbe, 0x0fbf};
	unsigned opcode = opcodes[choose(b, 4)], size = choose(b, 2) ? 4 : 2;
	struct operand rm = choose_rm(b, opcode & 1 ? 2 : 1);

	begin(b, 0);
	emit_rm(b, opcode, choose_register(b, size), &rm, size);
}

static void build_lea(struct builder *b)
{
	unsigned size = choose(b, 2) ? 4 : 2;
	struct operand rm = choose_memory_at(b, choose_value(b));

	begin(b, 0);
	emit_rm(b, 0x8d, choose_register(b, size), &rm, size);
}

/* XCHG, which locks by itself, CMPXCHG, XADD. */
static void build_exchange(struct builder *b)
{
	unsigned form = choose(b, 4), size = choose_size(b), wide = size > 1;
	bool is_locked = choose_lock(b);
	struct operand rm = {0};
	uint8_t reg = choose_register(b, size);

	b->is_aligned |= form == 0;
	if (form < 3)
		rm = choose_rm(b, size);
	begin(b, 0);
	emit_lock(b, is_locked, &rm);
	switch (form) {
	case 0:
		emit_rm(b, 0x86 | wide, reg, &rm, size);
		break;
	case 1:
		emit_rm(b, 0x0fb0 | wide, reg, &rm, size);
		define(b, FLAGS_ARITHMETIC, UNDEFINED_NOTHING);
		break;
	case 2:
		emit_rm(b, 0x0fc0 | wide, reg, &rm, size);
		define(b, FLAGS_ARITHMETIC, UNDEFINED_NOTHING);
		break;
	default: /* with EAX. XCHG EAX, EAX is left out: in 64-bit mode NOP keeps RAX whole */
		if (size == 2)
			emit(b, 0x66);
		emit(b, 0x90 | (reg && reg != ESP ? reg : EDI));
	}
}

static void build_cmpxchg8b(struct builder *b)
{
	bool is_locked = choose_lock(b);
	struct operand rm = choose_memory_at(b, choose_address(b, 8));

	begin(b, 0);
	emit_lock(b, is_locked, &rm);
	emit_rm(b, 0x0fc7, 1, &rm, 4);
	define(b, FLAG_ZF, UNDEFINED_NOTHING);
}

/* CMC CLC STC CLD STD, CBW CWDE CWD CDQ, LAHF SAHF, XLAT, NOP, BSWAP. */
static void build_small(struct builder *b)
{
	static const uint8_t opcodes[] = {0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0x98, 0x99, 0x9f, 0x9e};
	enum { CMC, CLC, STC, CLD, STD, CBW, CWD, LAHF, SAHF, XLAT, LONG_NOP, BSWAP, KINDS };
	unsigned kind = choose(b, KINDS);
	struct operand rm = kind == LONG_NOP ? choose_rm(b, 4) : (struct operand){0};

	if (kind == XLAT)
		load_register(b, EBX, choose_address(b, 256));
	begin(b, kind == CMC ? FLAG_CF : kind == LAHF ? FLAGS_ARITHMETIC : 0);
	if ((kind == CBW || kind == CWD) && choose(b, 2))
		emit(b, 0x66);
	if (kind == XLAT) {
		emit_address_prefix(b);
		emit(b, 0xd7);
	} else if (kind == LONG_NOP) {
		emit_rm(b, 0x0f1f, 0, &rm, 4);
	} else if (kind == BSWAP) {
		emit(b, 0x0f);
		emit(b, 0xc8 | choose_register(b, 4));
	} else {
		emit(b, opcodes[kind]);
	}
	if (kind <= STC)
		define(b, FLAG_CF, UNDEFINED_NOTHING);
	if (kind == SAHF)
		define(b, FLAGS_ARITHMETIC & ~FLAG_OF, UNDEFINED_NOTHING);
}

void build_operation(struct builder *b)
{
	static void (*const kinds[])(struct builder * b) = {build_alu, build_alu, build_alu,
		build_alu, build_test, build_unary, build_unary, build_multiply, build_imul,
		build_mov, build_mov, build_extend, build_lea, build_exchange, build_cmpxchg8b,
		build_small, build_small, build_shift, build_shift, build_bits, build_bits,
		build_string, build_string, build_stack, build_control, build_control,
		build_control};

	b->is_aligned = false;
	kinds[choose(b, sizeof kinds / sizeof *kinds)](b);
}
