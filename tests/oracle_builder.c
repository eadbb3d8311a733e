/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle_builder.h"

#include <string.h>

/* Intel SDM 2, "Flags Affected" of each instruction. */
static const struct {
	uint32_t flags;
	const char *reason;
} undefined_flags[] = {
	[UNDEFINED_NOTHING] = {0, "all affected flags have a value"},
	[UNDEFINED_BY_LOGIC] = {FLAG_AF, "AND, OR, XOR, TEST: AF is undefined"},
	[UNDEFINED_BY_SHIFT_ONE] = {FLAG_AF, "SHL, SHR, SAR: AF is undefined"},
	[UNDEFINED_BY_SHIFT] = {FLAG_AF | FLAG_OF, "and OF for counts above 1"},
	[UNDEFINED_BY_SHIFT_OUT] = {FLAG_AF | FLAG_OF | FLAG_CF,
		"and CF of SHL, SHR for counts not below the operand's size"},
	[UNDEFINED_BY_ROTATE] = {FLAG_OF, "ROL, ROR, RCL, RCR: OF is undefined for counts above 1"},
	[UNDEFINED_BY_DOUBLE_SHIFT] = {FLAG_AF | FLAG_OF,
		"SHLD, SHRD: AF, and OF for counts above 1, are undefined"},
	[UNDEFINED_BY_MULTIPLY] = {FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF,
		"MUL, IMUL: SF, ZF, AF, PF are undefined"},
	[UNDEFINED_BY_DIVIDE] = {FLAGS_ARITHMETIC, "DIV, IDIV: all are undefined"},
	[UNDEFINED_BY_BIT_TEST] = {FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
		"BT, BTS, BTR, BTC: OF, SF, AF, PF are undefined"},
	[UNDEFINED_BY_BIT_SCAN] = {FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF,
		"BSF, BSR: all but ZF are undefined"},
};

/* --- choices ---------------------------------------------------------------------------------- */

unsigned choose(struct builder *b, unsigned limit)
{
	return (unsigned)take(b->in, 1) % limit;
}

uint32_t choose_value(struct builder *b)
{
	static const uint32_t borders[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xffff8000, 0xffffff80, 0xffffffff};
	unsigned kind = choose(b, 48);

	return kind < 16 ? borders[kind] : (uint32_t)take(b->in, 4);
}

unsigned choose_size(struct builder *b)
{
	static const unsigned sizes[] = {1, 2, 4, 4};

	return sizes[choose(b, 4)];
}

uint8_t choose_register(struct builder *b, unsigned size)
{
	uint8_t reg = (uint8_t)choose(b, 8);

	return reg == ESP && size > 1 ? EAX : reg;
}

uint32_t choose_address(struct builder *b, unsigned len)
{
	uint32_t at = (uint32_t)take(b->in, 2);

	uint32_t address;

	switch (at >> 11) {
	case 0: /* around the end of what is mapped */
		address = ORACLE_CONSTANT + ORACLE_PAGE - 8 + at % 12;
		break;
	case 1: /* around the border to read-only memory */
		address = ORACLE_CONSTANT - 8 + at % 16;
		break;
	case 2: /* around a border of pages */
	case 3:
		address = ORACLE_DATA + ORACLE_PAGE - 8 + at % 12;
		break;
	default:
		address = ORACLE_DATA + at % (ORACLE_DATA_SIZE - len);
	}
	return b->is_aligned ? address & ~(len - 1) : address;
}

/* --- bytes ------------------------------------------------------------------------------------ */

bool has_room(const struct builder *b)
{
	return b->test->insn_count < ORACLE_INSN_MAX - 16 &&
	       b->test->native_len < ORACLE_CODE_MAX - 256;
}

void emit_native(struct builder *b, unsigned byte)
{
	b->test->native[b->test->native_len++] = (uint8_t)byte;
}

static void emit_soft(struct builder *b, unsigned byte)
{
	b->test->soft[b->test->soft_len++] = (uint8_t)byte;
}

void emit(struct builder *b, unsigned byte)
{
	emit_native(b, byte);
	emit_soft(b, byte);
}

void emit_value(struct builder *b, uint32_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		emit(b, value >> (8 * i) & 0xff);
}

static void note_instruction(struct builder *b)
{
	struct oracle_case *test = b->test;

	test->insn[test->insn_count++] = (struct oracle_insn){
		(uint16_t)test->native_len, (uint16_t)test->soft_len, b->undefined, 0, false};
}

void begin(struct builder *b, uint32_t reads)
{
	if (b->undefined & reads) {
		unsigned pair = choose(b, 64);

		note_instruction(b);
		emit(b, 0x39); /* CMP r/m32, r32: defines them all */
		emit(b, 0xc0 | pair);
		b->undefined = 0;
	}
	note_instruction(b);
}

void define(struct builder *b, uint32_t flags, enum undefined_by by)
{
	b->undefined = (b->undefined & ~flags) | undefined_flags[by].flags;
}

void emit_address_prefix(struct builder *b)
{
	static const uint8_t segments[] = {0x26, 0x36, 0x3e};
	unsigned segment = choose(b, 32);

	if (segment < sizeof segments)
		emit(b, segments[segment]);
	emit_native(b, 0x67);
}

void emit_prefixes(struct builder *b, const struct operand *rm, unsigned size)
{
	if (rm->is_memory)
		emit_address_prefix(b);
	if (size == 2)
		emit(b, 0x66);
}

/* No base and no index. 64-bit mode has this as RIP-relative in the short form, so the native
 * encoding takes a SIB byte (SDM 2, 2.2.1.6). */
static void emit_absolute(struct builder *b, unsigned reg, uint32_t displacement)
{
	emit_native(b, reg << 3 | 4);
	emit_native(b, 0x25);
	emit_soft(b, reg << 3 | 5);
	emit_value(b, displacement, 4);
}

void emit_modrm(struct builder *b, unsigned reg, const struct operand *rm)
{
	unsigned base = rm->base == NO_REGISTER ? EBP : rm->base;

	if (!rm->is_memory) {
		emit(b, 0xc0 | reg << 3 | rm->reg);
		return;
	}
	if (rm->base == NO_REGISTER && rm->index == NO_REGISTER) {
		emit_absolute(b, reg, rm->displacement);
		return;
	}
	if (rm->index == NO_REGISTER && rm->base != ESP) {
		emit(b, (unsigned)rm->mod << 6 | reg << 3 | base);
	} else {
		unsigned index = rm->index == NO_REGISTER ? ESP : rm->index;

		emit(b, (unsigned)rm->mod << 6 | reg << 3 | ESP);
		emit(b, (unsigned)rm->scale << 6 | index << 3 | base);
	}
	if (rm->base == NO_REGISTER || rm->mod == 2)
		emit_value(b, rm->displacement, 4);
	else if (rm->mod == 1)
		emit(b, rm->displacement & 0xff);
}

void emit_rm(
	struct builder *b, unsigned opcode, unsigned reg, const struct operand *rm, unsigned size)
{
	emit_prefixes(b, rm, size);
	if (opcode & 0xf00)
		emit(b, 0x0f);
	emit(b, opcode & 0xff);
	emit_modrm(b, reg, rm);
}

void load_register(struct builder *b, unsigned reg, uint32_t value)
{
	begin(b, 0);
	emit(b, 0xb8 | reg);
	emit_value(b, value, 4);
}

/* --- operands --------------------------------------------------------------------------------- */

static uint32_t choose_displacement(struct builder *b, struct operand *rm)
{
	rm->mod = (uint8_t)choose(b, 3);
	if (rm->mod == 0 && rm->base == EBP)
		rm->mod = 1;
	if (rm->mod == 0)
		return 0;
	return rm->mod == 1 ? (uint32_t)(int8_t)take(b->in, 1) : choose_value(b);
}

struct operand choose_memory_at(struct builder *b, uint32_t address)
{
	struct operand rm = {.is_memory = true, .base = NO_REGISTER, .index = NO_REGISTER};
	unsigned kind = choose(b, 8);

	if (kind == 0) {
		rm.displacement = address;
		return rm;
	}
	if (kind >= 4) {
		rm.index = choose_register(b, 4);
		rm.scale = (uint8_t)choose(b, 4);
		rm.displacement = choose_value(b);
		load_register(b, rm.index, rm.displacement);
		address -= rm.displacement << rm.scale;
	}
	if (kind == 7) {
		rm.displacement = address;
		return rm;
	}
	rm.base = choose_register(b, 4);
	if (rm.base == rm.index)
		rm.base ^= 1; /* never ESP: that is 4, and 5 is EBP */
	if (rm.base == ESP)
		rm.base = rm.index == EDI ? ESI : EDI;
	rm.displacement = choose_displacement(b, &rm);
	load_register(b, rm.base, address - rm.displacement);
	return rm;
}

/* An address that registers happen to have: it leads outside of memory as often as not. */
static struct operand choose_wild_memory(struct builder *b)
{
	struct operand rm = {
		.is_memory = true, .base = (uint8_t)choose(b, 8), .index = NO_REGISTER};

	if (rm.base == ESP) {
		rm.mod = 1;
		rm.displacement = (uint32_t)(int8_t)take(b->in, 1);
	} else {
		rm.displacement = choose_displacement(b, &rm);
	}
	return rm;
}

struct operand choose_rm(struct builder *b, unsigned size)
{
	unsigned kind = choose(b, 32);

	if (kind < 16)
		return (struct operand){.reg = choose_register(b, size)};
	if (kind < 31 || b->is_aligned)
		return choose_memory_at(b, choose_address(b, size));
	return choose_wild_memory(b);
}

/* --- cases ------------------------------------------------------------------------------------ */

static void choose_start(struct builder *b)
{
	struct oracle_state *start = &b->test->start;
	uint32_t fill = (uint32_t)take(b->in, 4) | 1;

	for (unsigned i = 0; i < 8; i++)
		start->reg[i] = choose_value(b);
	start->reg[ESP] = ORACLE_DATA + ORACLE_PAGE + (uint32_t)take(b->in, 1);
	start->eflags = 0x202 | ((uint32_t)take(b->in, 2) & FLAGS_ARITHMETIC);
	for (unsigned i = 0; i < ORACLE_DATA_SIZE; i += 4) {
		fill = fill * 1664525 + 1013904223;
		memcpy(b->test->data + i, &fill, 4);
	}
}

void oracle_build(struct oracle_case *test, const uint8_t *bytes, size_t len)
{
	struct input in = input_of(bytes, len);
	struct builder b = {.test = test, .in = &in};

	test->native_len = test->soft_len = test->insn_count = 0;
	choose_start(&b);
	while (input_left(&in) > 0 && has_room(&b))
		build_operation(&b);
	begin(&b, 0);
	emit(&b, 0xf4); /* HLT */
}
