/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_BUILDER_H
#define TESTS_ORACLE_BUILDER_H

/*
 * Makes cases for the oracle out of bytes, random ones or libFuzzer's: each choice takes some of
 * them. Two encodings grow at once, the native one and the software CPU's.
 *
 * Flags that the SDM leaves undefined must not be read, or one processor's habit would spread into
 * registers: the builder knows which flags are undefined, and puts a CMP before an instruction that
 * reads one.
 */

#include "fuzz/input.h"
#include "oracle.h"

#define FLAG_CF          0x001u
#define FLAG_PF          0x004u
#define FLAG_AF          0x010u
#define FLAG_ZF          0x040u
#define FLAG_SF          0x080u
#define FLAG_TF          0x100u
#define FLAG_DF          0x400u
#define FLAG_OF          0x800u
#define FLAGS_ARITHMETIC (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, NO_REGISTER };

/* Instructions by what they leave undefined; oracle_builder.c has the table. */
enum undefined_by {
	UNDEFINED_NOTHING,
	UNDEFINED_BY_LOGIC,
	UNDEFINED_BY_SHIFT_ONE,
	UNDEFINED_BY_SHIFT,
	UNDEFINED_BY_SHIFT_OUT,
	UNDEFINED_BY_ROTATE,
	UNDEFINED_BY_DOUBLE_SHIFT,
	UNDEFINED_BY_MULTIPLY,
	UNDEFINED_BY_DIVIDE,
	UNDEFINED_BY_BIT_TEST,
	UNDEFINED_BY_BIT_SCAN,
};

struct builder {
	struct oracle_case *test;
	struct input *in;
	uint32_t undefined; /* flags, at the place reached */
	/* Memory operands are to be aligned: a locked access over the border of cache lines is
	 * slowed down or refused by hosts that detect split locks (SDM 3, 9.1.2.3). */
	bool is_aligned;
};

/* The r/m operand of an instruction. */
struct operand {
	bool is_memory;
	uint8_t reg;         /* if it is a register */
	uint8_t base, index; /* NO_REGISTER: absent */
	uint8_t scale;
	uint8_t mod; /* 0, 1 or 2, as ModRM has it */
	uint32_t displacement;
};

/* A number below limit; limit is at most 256. */
unsigned choose(struct builder *b, unsigned limit);

/* A 32-bit number, often one at a border. */
uint32_t choose_value(struct builder *b);

/* 1, 2 or 4. */
unsigned choose_size(struct builder *b);

/* A register to write to: not ESP, unless it stands for AH. */
uint8_t choose_register(struct builder *b, unsigned size);

/* An address of data: mostly one where len bytes can be read and written. */
uint32_t choose_address(struct builder *b, unsigned len);

/* An operand in memory at address, or a register as well. Registers of the address are loaded. */
struct operand choose_memory_at(struct builder *b, uint32_t address);
struct operand choose_rm(struct builder *b, unsigned size);

/* Whether there is room for some more instructions. */
bool has_room(const struct builder *b);

/* Begin an instruction that reads these flags. */
void begin(struct builder *b, uint32_t reads);

/* Say what the instruction did: it defined these flags, but for what it leaves undefined. */
void define(struct builder *b, uint32_t flags, enum undefined_by by);

/* Bytes of both encodings; or prefixes that only the native one has. */
void emit(struct builder *b, unsigned byte);
void emit_native(struct builder *b, unsigned byte);
void emit_value(struct builder *b, uint32_t value, unsigned size);

/* The address-size prefix in the native encoding, and now and then a segment prefix that changes
 * nothing in either mode. */
void emit_address_prefix(struct builder *b);

/* Prefixes for an operand of this size, in memory or not. */
void emit_prefixes(struct builder *b, const struct operand *rm, unsigned size);

/* ModRM, SIB, displacement. */
void emit_modrm(struct builder *b, unsigned reg, const struct operand *rm);

/* A whole instruction: prefixes, one or two opcode bytes (0x0f00 | opcode), ModRM. */
void emit_rm(
	struct builder *b, unsigned opcode, unsigned reg, const struct operand *rm, unsigned size);

/* MOV register, imm32. */
void load_register(struct builder *b, unsigned reg, uint32_t value);

/* One more operation of a random kind, with what has to come before it. In oracle_operations.c. */
void build_operation(struct builder *b);

/* Other kinds, in files of their own: they take a share of build_operation()'s. */
void build_string(struct builder *b);
void build_stack(struct builder *b);
void build_control(struct builder *b);
void build_bits(struct builder *b);
void build_shift(struct builder *b);

/* A whole case from bytes. */
void oracle_build(struct oracle_case *test, const uint8_t *bytes, size_t len);

#endif
