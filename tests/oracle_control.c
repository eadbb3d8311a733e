/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions of the oracle's cases: conditions, jumps and loops, strings, the stack. */
#include "oracle_builder.h"

/* Flags that a condition code reads (SDM 2, B.1.4.8), by its upper three bits. */
static const uint32_t condition_reads[8] = {FLAG_OF, FLAG_CF, FLAG_ZF, FLAG_CF | FLAG_ZF, FLAG_SF,
	FLAG_PF, FLAG_SF | FLAG_OF, FLAG_SF | FLAG_OF | FLAG_ZF};

/* Fill in the displacement of a jump whose last byte is the last one so far: to here. */
struct jump {
	unsigned native, soft, size;
	uint32_t undefined;
};

static void patch(uint8_t *code, unsigned at, unsigned size, unsigned target)
{
	for (unsigned i = 0; i < size; i++)
		code[at - size + i] = (uint8_t)((target - at) >> (8 * i));
}

static struct jump jump_from_here(struct builder *b, unsigned size)
{
	emit_value(b, 0, size);
	return (struct jump){b->test->native_len, b->test->soft_len, size, b->undefined};
}

static void jump_to_here(struct builder *b, const struct jump *jump)
{
	patch(b->test->native, jump->native, jump->size, b->test->native_len);
	patch(b->test->soft, jump->soft, jump->size, b->test->soft_len);
	b->undefined |= jump->undefined;
}

/* A few operations that are jumped over, or not. */
static void build_skipped(struct builder *b, const struct jump *jump)
{
	for (unsigned count = choose(b, 3); count > 0 && has_room(b); count--)
		build_operation(b);
	jump_to_here(b, jump);
}

/* SETcc, CMOVcc. */
static void build_condition(struct builder *b)
{
	bool is_move = choose(b, 2);
	unsigned size = is_move ? choose(b, 2) ? 4 : 2 : 1, condition = choose(b, 16);
	struct operand rm = choose_rm(b, size);

	begin(b, condition_reads[condition >> 1]);
	emit_rm(b, (is_move ? 0x0f40u : 0x0f90u) | condition,
		is_move ? choose_register(b, size) : 0, &rm, size);
}

/* Jcc, JMP or JECXZ forward: a displacement of 8 or 32 bits. */
static void build_forward(struct builder *b)
{
	unsigned kind = choose(b, 18);
	bool is_near = kind < 17 && choose(b, 2);
	struct jump jump;

	begin(b, kind < 16 ? condition_reads[kind >> 1] : 0);
	if (kind == 17) {
		emit_address_prefix(b); /* JECXZ: by ECX in 64-bit mode as well */
		emit(b, 0xe3);
	} else if (kind == 16) {
		emit(b, is_near ? 0xe9 : 0xeb);
	} else {
		if (is_near)
			emit(b, 0x0f);
		emit(b, (is_near ? 0x80u : 0x70u) | kind);
	}
	jump = jump_from_here(b, is_near ? 4 : 1);
	if (is_near) {
		build_skipped(b, &jump);
	} else {
		/* An instruction that surely stays within 127 bytes. */
		if (choose(b, 2))
			load_register(b, choose_register(b, 4), choose_value(b));
		jump_to_here(b, &jump);
	}
}

/* A loop of a few rounds: LOOP, LOOPE, LOOPNE, or a counter in memory. */
static void build_loop(struct builder *b)
{
	unsigned kind = choose(b, 4), native, soft;
	struct operand counter = {.is_memory = true,
		.base = NO_REGISTER,
		.index = NO_REGISTER,
		.displacement = ORACLE_DATA + 16 * choose(b, 64)};
	struct jump jump;

	load_register(b, ECX, 1 + choose(b, 12));
	if (kind == 3) {
		begin(b, 0);
		emit_rm(b, 0xc7, 0, &counter, 4);
		emit_value(b, 1 + choose(b, 12), 4);
	}
	native = b->test->native_len;
	soft = b->test->soft_len;
	b->undefined = FLAGS_ARITHMETIC; /* of an earlier round */
	for (unsigned count = 1 + choose(b, 3); count > 0 && has_room(b); count--)
		build_operation(b);
	if (kind == 3) {
		begin(b, 0);
		emit_rm(b, 0xff, 1, &counter, 4); /* DEC */
		define(b, FLAGS_ARITHMETIC & ~FLAG_CF, UNDEFINED_NOTHING);
		begin(b, 0);
		emit(b, 0x0f);
		emit(b, 0x85); /* JNZ */
		jump = jump_from_here(b, 4);
	} else if (b->test->native_len - native < 110) {
		begin(b, kind == 2 ? 0 : FLAG_ZF);
		emit_address_prefix(b);
		emit(b, 0xe0 | kind);
		jump = jump_from_here(b, 1);
	} else {
		return;
	}
	patch(b->test->native, jump.native, jump.size, native);
	patch(b->test->soft, jump.soft, jump.size, soft);
}

/* Instructions that user code may not execute, or nobody: the exception is compared. */
static void build_fault(struct builder *b)
{
	static const uint8_t opcodes[] = {0xfa, 0xfb, 0xec, 0xee, 0xe4, 0xf4};
	unsigned kind = choose(b, 8);

	begin(b, 0);
	if (kind < 6) {
		emit(b, opcodes[kind]); /* CLI STI IN OUT IN HLT */
		if (opcodes[kind] == 0xe4)
			emit(b, 0x80);
	} else if (kind == 6) {
		emit(b, 0x0f); /* UD2 */
		emit(b, 0x0b);
	} else {
		emit(b, 0xf0); /* LOCK with a register: #UD */
		emit(b, 0x01);
		emit(b, 0xc0 | choose(b, 64));
	}
}

void build_control(struct builder *b)
{
	switch (choose(b, 16)) {
	case 0:
	case 1:
	case 2:
		build_loop(b);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		build_condition(b);
		break;
	case 7:
		/* Seldom: it ends the case. */
		if (choose(b, 4) == 0)
			build_fault(b);
		break;
	default:
		build_forward(b);
	}
}

/* The instruction that begin() has begun. */
static struct oracle_insn *this_insn(struct builder *b)
{
	return &b->test->insn[b->test->insn_count - 1];
}

/* MOVS CMPS STOS LODS SCAS, repeated or not, in both directions. */
void build_string(struct builder *b)
{
	static const uint8_t opcodes[] = {0xa4, 0xa6, 0xaa, 0xac, 0xae};
	static const uint8_t repeats[] = {0, 0xf2, 0xf3, 0xf3};
	unsigned kind = choose(b, 5), size = choose_size(b), repeat = choose(b, 4);
	bool compares = opcodes[kind] == 0xa6 || opcodes[kind] == 0xae;

	if (choose(b, 2)) {
		begin(b, 0);
		emit(b, 0xfc | choose(b, 2)); /* CLD, STD */
	}
	if (choose(b, 8))
		load_register(b, EDI, choose_address(b, 4));
	if (choose(b, 8))
		load_register(b, ESI, choose_address(b, 4));
	if (choose(b, 8))
		load_register(b, ECX, choose(b, 32));
	begin(b, 0);
	this_insn(b)->is_open = opcodes[kind] == 0xa6;
	/* A repeated CMPS or SCAS that faults leaves the flags as they were before it (SDM 2, REP).
	 * AMD processors leave those of the last comparison. unit/x86_run.c holds the software CPU
	 * to the manual. */
	if (compares && repeats[repeat])
		this_insn(b)->undefined_at_fault = FLAGS_ARITHMETIC;
	emit_address_prefix(b);
	if (size == 2)
		emit(b, 0x66);
	if (repeats[repeat])
		emit(b, repeats[repeat]);
	emit(b, opcodes[kind] | (size > 1));
	/* With a count of 0 nothing is compared: what was undefined stays so. */
	if (compares && !repeats[repeat])
		define(b, FLAGS_ARITHMETIC, UNDEFINED_NOTHING);
}

/* PUSH, POP, PUSHF, POPF, ENTER and LEAVE of 16 bits, the size that both modes have. */
void build_stack(struct builder *b)
{
	unsigned kind = choose(b, 10);
	bool is_leave = kind == 9;
	struct operand rm = kind == 2 || kind == 3 ? choose_rm(b, 2) : (struct operand){0};

	if (is_leave && choose(b, 4))
		load_register(b, EBP, choose_address(b, 2));
	/* TF now and then: a #DB after the instruction that follows. */
	if (kind == 7) {
		begin(b, 0);
		emit(b, 0x66);
		emit(b, 0x68);
		emit_value(b, (uint32_t)take(b->in, 2) & ~(choose(b, 16) ? FLAG_TF : 0), 2);
	}
	begin(b, kind == 6 ? FLAGS_ARITHMETIC : 0);
	if (kind == 2 || kind == 3) {
		emit_rm(b, kind == 2 ? 0xff : 0x8f, kind == 2 ? 6 : 0, &rm, 2);
		return;
	}
	emit(b, 0x66);
	switch (kind) {
	case 0:
		emit(b, 0x50 | choose(b, 8));
		break;
	case 1:
		emit(b, 0x58 | choose_register(b, 2));
		break;
	case 4:
		emit(b, 0x68);
		emit_value(b, choose_value(b), 2);
		break;
	case 5:
		emit(b, 0x6a);
		emit(b, choose(b, 256));
		break;
	case 6:
		emit(b, 0x9c);
		break;
	case 7:
		emit(b, 0x9d);
		define(b, FLAGS_ARITHMETIC, UNDEFINED_NOTHING);
		break;
	default:
		if (is_leave) {
			emit(b, 0xc9);
		} else {
			this_insn(b)->is_open = true;
			emit(b, 0xc8);
			emit_value(b, (uint32_t)take(b->in, 1), 2);
			emit(b, choose(b, 4) ? 0 : choose(b, 40));
		}
	}
}
