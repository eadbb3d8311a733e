/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction's parts (SDM 2, 2.1). */
#include "x86/decode.h"

#include <errno.h>
#include <string.h>

struct reader {
	const uint8_t *bytes;
	unsigned position;
	unsigned available;
	bool short_of_bytes;
};

/* The next little-endian value of size bytes. Past the end it is 0, and that is noted. */
static uint32_t take(struct reader *reader, unsigned size)
{
	uint32_t value = 0;

	if (reader->available - reader->position < size) {
		reader->short_of_bytes = true;
		reader->position = reader->available;
		return 0;
	}
	memcpy(&value, reader->bytes + reader->position, size);
	reader->position += size;
	return value;
}

static uint32_t take_signed(struct reader *reader, unsigned size)
{
	uint32_t value = take(reader, size);

	if (size == 1)
		return (uint32_t)(int8_t)value;
	return size == 2 ? (uint32_t)(int16_t)value : value;
}

/* Legacy prefixes, in any order and number; of those of one group the last one counts (SDM 2,
 * 2.1.1). Returns the first opcode byte. */
static uint8_t take_prefixes(struct reader *reader, unsigned mode, struct x86_decoded *decoded)
{
	struct x86_operands *operands = &decoded->operands;
	unsigned size = mode & X86_MODE_CODE32 ? 4 : 2;

	operands->operand_size = operands->address_size = (uint8_t)size;
	for (;;) {
		uint8_t byte = (uint8_t)take(reader, 1);

		switch (reader->short_of_bytes ? 0 : byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e: /* bits 4:3 are the number of ES, CS, SS or DS */
			operands->segment = byte >> 3 & 3;
			decoded->has_segment_prefix = true;
			break;
		case 0x64:
		case 0x65:
			operands->segment = byte == 0x64 ? X86_FS : X86_GS;
			decoded->has_segment_prefix = true;
			break;
		case 0x66:
			operands->operand_size = (uint8_t)(6 - size);
			decoded->size_prefix = true;
			break;
		case 0x67:
			operands->address_size = (uint8_t)(6 - size);
			break;
		case 0xf0:
			decoded->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			operands->repeat = byte;
			break;
		default:
			return byte;
		}
	}
}

/* Base and index of ModRM.rm with 16-bit addresses (SDM 2, table 2-1). */
static const struct {
	uint8_t base, index;
} address_16[8] = {
	{X86_RBX, X86_RSI},
	{X86_RBX, X86_RDI},
	{X86_RBP, X86_RSI},
	{X86_RBP, X86_RDI},
	{X86_RSI, X86_ZERO},
	{X86_RDI, X86_ZERO},
	{X86_RBP, X86_ZERO},
	{X86_RBX, X86_ZERO},
};

static void take_memory_16(
	struct reader *reader, unsigned mod, unsigned rm, struct x86_operands *to)
{
	if (mod == 0 && rm == 6) {
		to->displacement = take(reader, 2);
		return;
	}
	to->base = address_16[rm].base;
	to->index = address_16[rm].index;
	if (mod != 0)
		to->displacement = take_signed(reader, mod == 1 ? 1 : 2);
}

/* SDM 2, tables 2-2 and 2-3. */
static void take_memory_32(
	struct reader *reader, unsigned mod, unsigned rm, struct x86_operands *to)
{
	bool has_base = true;

	to->base = (uint8_t)rm;
	if (rm == 4) {
		uint8_t sib = (uint8_t)take(reader, 1);

		to->base = sib & 7;
		if ((sib >> 3 & 7) != 4) {
			to->index = sib >> 3 & 7;
			to->scale = sib >> 6;
		}
	}
	if (mod == 0 && to->base == 5) {
		has_base = false;
		to->base = X86_ZERO;
	}
	if (mod != 0 || !has_base)
		to->displacement = take_signed(reader, mod == 1 ? 1 : 4);
}

static void take_modrm(struct reader *reader, struct x86_decoded *decoded)
{
	struct x86_operands *operands = &decoded->operands;
	uint8_t modrm = (uint8_t)take(reader, 1);
	unsigned mod = modrm >> 6, rm = modrm & 7;

	operands->reg = modrm >> 3 & 7;
	if (mod == 3 || decoded->entry->attributes & X86_NO_MEMORY) {
		operands->rm = (uint8_t)rm;
		return;
	}
	operands->is_memory = true;
	if (operands->address_size == 2)
		take_memory_16(reader, mod, rm, operands);
	else
		take_memory_32(reader, mod, rm, operands);
	/* What is addressed by the stack or frame pointer lies in SS (SDM 1, table 3-5). */
	if (!decoded->has_segment_prefix &&
		(operands->base == X86_RSP || operands->base == X86_RBP))
		operands->segment = X86_SS;
}

static void take_immediate(struct reader *reader, struct x86_decoded *decoded)
{
	struct x86_operands *operands = &decoded->operands;
	unsigned attributes = decoded->entry->attributes, size = operands->operand_size;

	if (attributes & X86_OFFSET)
		operands->displacement = take(reader, operands->address_size);
	if (attributes & X86_FAR_POINTER) {
		operands->immediate = take(reader, size);
		operands->selector = (uint16_t)take(reader, 2);
	} else if (attributes & X86_IMM16) {
		operands->immediate = take(reader, 2);
		if (attributes & X86_IMM8)
			operands->selector = (uint16_t)take(reader, 1);
	} else if (attributes & X86_IMM8) {
		operands->immediate = take(reader, 1);
	} else if (attributes & (X86_IMM8_SIGNED | X86_REL8)) {
		operands->immediate = take_signed(reader, 1);
	} else if (attributes & X86_IMM_SIZE ||
		   (attributes & X86_IMM_BY_REG && operands->reg < 2)) {
		operands->immediate = take(reader, size);
	} else if (attributes & X86_REL_SIZE) {
		operands->immediate = take_signed(reader, size);
	}
}

/* LOCK is #UD with whatever does not write memory atomically (SDM 2, LOCK). */
static bool check_lock(const struct x86_decoded *decoded)
{
	const struct x86_opcode *entry = decoded->entry;

	if (!decoded->lock)
		return true;
	if (!decoded->operands.is_memory)
		return false;
	return entry->attributes & X86_LOCKABLE ||
	       (entry->attributes & X86_LOCK_BY_REG &&
		       entry->lock_regs >> decoded->operands.reg & 1);
}

/* The opcode 0x90 with a prefix is another instruction, or without REX none that changes anything
 * (SDM 2, PAUSE); UD and too long instructions have entries of their own. */
static const struct x86_opcode pause = {X86_ENDS, 0, 0, x86_translate_call_out, x86_op_pause};
static const struct x86_opcode undefined = {X86_ENDS, 0, 0, x86_translate_call_out, x86_op_ud};
static const struct x86_opcode too_long = {X86_ENDS, 0, 0, x86_translate_call_out, x86_op_too_long};

int x86_decode(const uint8_t *bytes, unsigned available, unsigned mode, struct x86_decoded *decoded)
{
	struct reader reader = {.bytes = bytes, .available = available};
	struct x86_operands *operands = &decoded->operands;

	*decoded = (struct x86_decoded){
		.operands = {.base = X86_ZERO, .index = X86_ZERO, .segment = X86_DS},
	};
	decoded->opcode = take_prefixes(&reader, mode, decoded);
	if (decoded->opcode == 0x0f)
		decoded->opcode = X86_TWO_BYTE | (uint16_t)take(&reader, 1);
	decoded->entry = &x86_opcodes[decoded->opcode];
	operands->opcode = (uint8_t)decoded->opcode;
	if (decoded->entry->attributes & X86_BYTE)
		operands->operand_size = 1;
	if (decoded->entry->attributes & X86_OPCODE_REG)
		operands->reg = operands->opcode & 7;
	if (decoded->entry->attributes & X86_MODRM)
		take_modrm(&reader, decoded);
	take_immediate(&reader, decoded);
	decoded->length = (uint8_t)reader.position;

	if (reader.short_of_bytes) {
		if (available < X86_INSN_BYTES)
			return -EAGAIN;
		decoded->entry = &too_long;
	} else if (decoded->entry->translate == NULL || !check_lock(decoded)) {
		decoded->entry = &undefined;
	} else if (decoded->opcode == 0x90 && operands->repeat == X86_REPEAT_E) {
		decoded->entry = &pause;
	}
	return 0;
}
