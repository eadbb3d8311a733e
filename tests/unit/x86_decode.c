/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions taken apart: prefixes, ModRM, displacements, immediates. Clauses: SDM 2. */
#include "x86/decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../tap.h"

#define CODE32 (X86_MODE_CODE32 | X86_MODE_STACK32 | X86_MODE_FLAT)
#define CODE16 0u
#define NONE   X86_ZERO

static unsigned parse(const char *hex, uint8_t bytes[X86_INSN_BYTES])
{
	unsigned count = 0, byte;
	int used;

	memset(bytes, 0x90, X86_INSN_BYTES);
	while (count < X86_INSN_BYTES && sscanf(hex, "%2x%n", &byte, &used) == 1) {
		bytes[count++] = (uint8_t)byte;
		hex += used;
	}
	return count;
}

/* --- memory operands -------------------------------------------------------------------------- */

/* The instruction is MOV r, r/m: 0x8b. */
static const struct {
	const char *name, *hex;
	unsigned mode;
	uint8_t base, index, scale, segment;
	uint32_t displacement;
} addresses[] = {
	{"table 2-2 [eax]", "8b00", CODE32, X86_RAX, NONE, 0, X86_DS, 0},
	{"table 2-2 disp32", "8b05 78563412", CODE32, NONE, NONE, 0, X86_DS, 0x12345678},
	{"table 2-2 [ebp + disp8] lies in SS", "8b45 fc", CODE32, X86_RBP, NONE, 0, X86_SS,
		0xfffffffc},
	{"table 2-2 [edi + disp32]", "8b87 00010000", CODE32, X86_RDI, NONE, 0, X86_DS, 0x100},
	{"table 2-3 [esp]", "8b0424", CODE32, X86_RSP, NONE, 0, X86_SS, 0},
	{"table 2-3 [esi + ebx * 8]", "8b04de", CODE32, X86_RSI, X86_RBX, 3, X86_DS, 0},
	{"table 2-3 [ebp * 4 + disp32]", "8b04ad 10000000", CODE32, NONE, X86_RBP, 2, X86_DS, 0x10},
	{"table 2-3 [ebp + ecx + disp8]", "8b440d 80", CODE32, X86_RBP, X86_RCX, 0, X86_SS,
		0xffffff80},
	{"table 2-3 without index the scale is nothing", "8b04e0", CODE32, X86_RAX, NONE, 0, X86_DS,
		0},
	{"2.1.1 CS override", "2e8b4500", CODE32, X86_RBP, NONE, 0, X86_CS, 0},
	{"2.1.1 the last override counts", "64658b00", CODE32, X86_RAX, NONE, 0, X86_GS, 0},
	{"table 2-1 [bx + si]", "678b00", CODE32, X86_RBX, X86_RSI, 0, X86_DS, 0},
	{"table 2-1 [bp + di + disp8]", "8b43 ff", CODE16, X86_RBP, X86_RDI, 0, X86_SS, 0xffffffff},
	{"table 2-1 disp16", "8b06 34f2", CODE16, NONE, NONE, 0, X86_DS, 0xf234},
	{"table 2-1 [bp + disp16]", "8b86 00f0", CODE16, X86_RBP, NONE, 0, X86_SS, 0xfffff000},
	{"2.1.1 0x67 in 16-bit code", "678b0424", CODE16, X86_RSP, NONE, 0, X86_SS, 0},
	{"MOV moffs32", "a1 78563412", CODE32, NONE, NONE, 0, X86_DS, 0x12345678},
	{"MOV moffs16", "26a3 7856", CODE16, NONE, NONE, 0, X86_ES, 0x5678},
};

static void test_addresses(void)
{
	for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		uint8_t bytes[X86_INSN_BYTES];
		unsigned count = parse(addresses[i].hex, bytes);
		struct x86_decoded decoded;
		const struct x86_operands *operands = &decoded.operands;

		is(x86_decode(bytes, X86_INSN_BYTES, addresses[i].mode, &decoded), 0, "%s",
			addresses[i].name);
		is(decoded.length, count, "%s: length", addresses[i].name);
		ok(operands->base == addresses[i].base && operands->index == addresses[i].index &&
				operands->scale == addresses[i].scale,
			"%s: registers", addresses[i].name);
		is(operands->displacement, addresses[i].displacement, "%s: displacement",
			addresses[i].name);
		is(operands->segment, addresses[i].segment, "%s: segment", addresses[i].name);
	}
}

/* --- operands and lengths --------------------------------------------------------------------- */

static const struct {
	const char *name, *hex;
	unsigned mode;
	uint8_t size, reg;
	uint32_t immediate;
} immediates[] = {
	{"ADD EAX, imm32", "05 78563412", CODE32, 4, 0, 0x12345678},
	{"ADD AX, imm16", "6605 3412", CODE32, 2, 0, 0x1234},
	{"ADD AX, imm16 in 16-bit code", "05 3412", CODE16, 2, 0, 0x1234},
	{"ADD EAX, imm32 in 16-bit code", "6605 78563412", CODE16, 4, 0, 0x12345678},
	{"ADD AL, imm8", "04 fe", CODE32, 1, 0, 0xfe},
	{"group 1 sign-extends imm8", "83ee fe", CODE32, 4, 5, 0xfffffffe},
	{"group 1 of bytes", "80ee fe", CODE32, 1, 5, 0xfe},
	{"MOV r32, imm32", "bf 78563412", CODE32, 4, 7, 0x12345678},
	{"MOV r8, imm8", "b7 12", CODE32, 1, 7, 0x12},
	{"PUSH imm8", "6a 80", CODE32, 4, 0, 0xffffff80},
	{"TEST in group 3 has an immediate", "f7c1 01000000", CODE32, 4, 0, 1},
	{"NOT in group 3 has none", "f7d1", CODE32, 4, 2, 0},
	{"TEST of bytes in group 3", "f6c1 80", CODE32, 1, 0, 0x80},
	{"RET imm16", "c2 0400", CODE32, 4, 0, 4},
	{"JMP rel8", "eb fe", CODE32, 4, 0, 0xfffffffe},
	{"CALL rel32", "e8 00010000", CODE32, 4, 0, 0x100},
	{"CALL rel16", "e8 00ff", CODE16, 2, 0, 0xffffff00},
	{"JMP ptr16:32", "ea 78563412 0800", CODE32, 4, 0, 0x12345678},
	{"JMP ptr16:16", "ea 3412 0800", CODE16, 2, 0, 0x1234},
	{"SHLD imm8", "0fa4c1 21", CODE32, 4, 0, 0x21},
	{"IMUL r, r/m, imm8", "6bc1 ff", CODE32, 4, 0, 0xffffffff},
	{"the last of two operand sizes", "6666 05 3412", CODE32, 2, 0, 0x1234},
};

static void test_immediates(void)
{
	for (unsigned i = 0; i < sizeof immediates / sizeof immediates[0]; i++) {
		uint8_t bytes[X86_INSN_BYTES];
		unsigned count = parse(immediates[i].hex, bytes);
		struct x86_decoded decoded;

		x86_decode(bytes, X86_INSN_BYTES, immediates[i].mode, &decoded);
		is(decoded.length, count, "%s: length", immediates[i].name);
		is(decoded.operands.operand_size, immediates[i].size, "%s: operand size",
			immediates[i].name);
		is(decoded.operands.immediate, immediates[i].immediate, "%s: immediate",
			immediates[i].name);
		if (decoded.entry->attributes & (X86_MODRM | X86_OPCODE_REG))
			is(decoded.operands.reg, immediates[i].reg, "%s: reg", immediates[i].name);
		for (unsigned part = 0; part < count; part++)
			is(x86_decode(bytes, part, immediates[i].mode, &decoded), -EAGAIN,
				"%s: %u bytes do not suffice", immediates[i].name, part);
	}
}

/* --- what is no instruction ------------------------------------------------------------------- */

static x86_operation *function_of(const char *hex)
{
	uint8_t bytes[X86_INSN_BYTES];
	struct x86_decoded decoded;

	parse(hex, bytes);
	if (x86_decode(bytes, X86_INSN_BYTES, CODE32, &decoded) != 0)
		return NULL;
	return decoded.entry->function;
}

static const struct {
	const char *name, *hex;
	bool is_undefined;
} locked[] = {
	{"LOCK ADD m, r", "f00108", false},
	{"LOCK ADD r, r", "f001c8", true},
	{"LOCK ADD r, m", "f00308", true},
	{"LOCK CMP m, r", "f03908", true},
	{"LOCK CMP m, imm8", "f08338 01", true},
	{"LOCK OR m, imm8", "f08308 01", false},
	{"LOCK NOT m", "f0f710", false},
	{"LOCK MUL m", "f0f720", true},
	{"LOCK INC m", "f0ff00", false},
	{"LOCK PUSH m", "f0ff30", true},
	{"LOCK XCHG m, r", "f08700", false},
	{"LOCK XADD m, r", "f00fc108", false},
	{"LOCK CMPXCHG m, r", "f00fb108", false},
	{"LOCK CMPXCHG8B", "f00fc708", false},
	{"LOCK BTS m, r", "f00fab08", false},
	{"LOCK BT m, r", "f00fa308", true},
	{"LOCK BTC m, imm8", "f00fba38 01", false},
	{"LOCK BT m, imm8", "f00fba20 01", true},
	{"LOCK MOV m, r", "f08900", true},
	{"LOCK NOP", "f090", true},
	{"LOCK MOVSB", "f0a4", true},
};

static void test_undefined(void)
{
	for (unsigned i = 0; i < sizeof locked / sizeof locked[0]; i++)
		is(function_of(locked[i].hex) == x86_op_ud, locked[i].is_undefined, "LOCK: %s",
			locked[i].name);
	ok(function_of("0f0b") == x86_op_ud, "UD2");
	ok(function_of("0fb9c0") == x86_op_ud, "UD1");
	ok(function_of("0fffc0") == x86_op_ud, "UD0");
	ok(function_of("0f04") == x86_op_ud, "table A-3: an opcode that is free");
	ok(function_of("f390") == x86_op_pause, "PAUSE is NOP with 0xf3");
	ok(function_of("90") == NULL, "NOP is not");
	ok(function_of("2626262626262626262626262626 90") == NULL, "2.3.11 fifteen bytes");
	ok(function_of("262626262626262626262626262626 90") == x86_op_too_long,
		"2.3.11 sixteen bytes are too many");
	ok(function_of("26262626262626262626 0505050505") == NULL, "2.3.11 operands count, too");
	ok(function_of("2626262626262626262626 0505050505") == x86_op_too_long,
		"2.3.11 operands count, too");
	ok(function_of("0f2000") == x86_op_mov_from_cr, "MOV CR: mod is ignored");
}

/* --- the whole table -------------------------------------------------------------------------- */

/* Each opcode, with each ModRM, in both sizes: what decodes also becomes slots. */
static void test_table(void)
{
	static struct x86_block *block, *dead;
	static _Alignas(32) uint8_t
		room[sizeof(struct x86_block) + X86_SLOTS_MAX * (sizeof(struct x86_insn) + 2)];
	bool fits = true, has_handlers = true;

	block = (struct x86_block *)room;
	dead = block;
	for (unsigned opcode = 0; opcode < 512; opcode++)
		for (unsigned modrm = 0; modrm < 256; modrm++)
			for (unsigned mode = 0; mode < 8; mode++) {
				uint8_t bytes[X86_INSN_BYTES] = {
					0x0f, (uint8_t)opcode, (uint8_t)modrm};
				struct x86_builder builder = {.block = block, .dead = dead};
				struct x86_decoded decoded;
				unsigned skip = opcode < X86_TWO_BYTE ? 1 : 0;

				memset(room, 0, sizeof room);
				block->mode = (uint8_t)mode;
				block->cs_limit = 0xffff;
				if (x86_decode(bytes + skip, X86_INSN_BYTES - 1, mode, &decoded) !=
					0)
					continue;
				x86_translate_insn(&builder, &decoded);
				fits &= builder.slots >= 1 && builder.slots <= 2;
				x86_finish_block(&builder, true);
				has_handlers &= block->code[0].handler != NULL && block->count == 1;
			}
	ok(fits, "each instruction is one slot or two");
	ok(has_handlers, "each has a handler");
}

int main(void)
{
	test_addresses();
	test_immediates();
	test_undefined();
	test_table();
	return tap_done();
}
