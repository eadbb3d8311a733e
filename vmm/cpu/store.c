/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/store.h"

#include <string.h>

#include "cpu/register_bits.h"

#define INSN_BYTES  15   /* the longest instruction (Intel SDM 2, 2.3.11) */
#define PREFIX_LOCK 0xf0 /* Intel SDM 2, 2.1.1 */

/* An instruction that is being decoded. */
struct decoder {
	const struct cpu_registers *r;
	const uint8_t *bytes;
	unsigned len, position; /* of bytes; position > len: they were too few */
	bool is_long, is_done;  /* 64-bit code; the instruction was executed already */
	bool is_repeated;       /* prefix REP: each item is executed before the position moves */
	unsigned size;          /* bytes of an operand: 2, 4 or 8 */
	unsigned rex;           /* prefix REX, 0 if absent (Intel SDM 2, 2.2.1) */
	unsigned segment;       /* prefix that overrides the segment, 0 if absent */

	/* What is found: a store of this many bytes at a linear address, of this value if it is
	 * known. */
	uint64_t linear, value;
	unsigned stored;
	bool has_value;
};

static uint64_t take(struct decoder *d, unsigned bytes)
{
	uint64_t value = 0;

	if (d->len - d->position >= bytes && d->position <= d->len)
		memcpy(&value, d->bytes + d->position, bytes);
	d->position += bytes;
	return value;
}

/* Takes an immediate or displacement, which is sign-extended. */
static uint64_t take_signed(struct decoder *d, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(take(d, bytes) << shift) >> shift);
}

/* Immediates have at most 4 bytes. */
static uint64_t take_immediate(struct decoder *d, unsigned size)
{
	return take_signed(d, size < 4 ? size : 4);
}

/* --- addresses -------------------------------------------------------------------------------- */

static uint64_t register_value(const struct decoder *d, unsigned n, unsigned size)
{
	/* Without REX, 4 to 7 are AH, CH, DH and BH (Intel SDM 2, table 3-1). */
	if (size == 1 && !d->rex && n >= 4)
		return d->r->general[n - 4] >> 8;
	return d->r->general[n];
}

static uint64_t to_linear(
	const struct decoder *d, const struct cpu_segment *segment, uint64_t offset)
{
	return d->is_long ? offset : (uint32_t)(segment->base + offset);
}

/* The segment of an operand in memory; NULL for FS and GS, whose bases are not known. */
static const struct cpu_segment *segment_of(const struct decoder *d, bool is_on_stack)
{
	switch (d->segment) {
	case 0x26:
		return &d->r->es;
	case 0x2e:
		return &d->r->cs;
	case 0x36:
		return &d->r->ss;
	case 0x3e:
		return &d->r->ds;
	case 0:
		return is_on_stack ? &d->r->ss : &d->r->ds;
	default:
		return NULL;
	}
}

/*
 * Takes ModRM's memory operand (Intel SDM 2, tables 2-2 and 2-3). Returns false if ModRM names a
 * register, or the address is relative to RIP, which matters to 64-bit code alone and depends on
 * the instruction's end.
 */
static bool take_address(struct decoder *d, unsigned modrm)
{
	unsigned mod = modrm >> 6, rm = modrm & 7, base = rm | (d->rex & 1) << 3;
	const struct cpu_segment *segment;
	uint64_t offset = 0;

	if (mod == 3)
		return false;
	if (rm == 4) {
		unsigned sib = (unsigned)take(d, 1);
		unsigned index = (sib >> 3 & 7) | (d->rex & 2) << 2;

		base = (sib & 7) | (d->rex & 1) << 3;
		if (index != 4)
			offset = d->r->general[index] << (sib >> 6);
		rm = sib & 7;
	} else if (mod == 0 && rm == 5 && d->is_long) {
		return false;
	}
	segment = segment_of(d, (base == CPU_RSP || base == CPU_RBP) && !(mod == 0 && rm == 5));
	if (mod == 0 && rm == 5)
		offset += take_signed(d, 4);
	else
		offset += d->r->general[base];
	if (mod != 0)
		offset += take_signed(d, mod == 1 ? 1 : 4);
	if (!segment)
		return false;
	d->linear = to_linear(d, segment, d->is_long ? offset : (uint32_t)offset);
	return true;
}

/* --- instructions ----------------------------------------------------------------------------- */

static bool store_is(struct decoder *d, unsigned size, bool has_value, uint64_t value)
{
	d->stored = size;
	d->has_value = has_value;
	d->value = value;
	return true;
}

/* A push. After it, RSP is where it has stored. */
static bool push_is(struct decoder *d, bool has_value, uint64_t value)
{
	unsigned size = d->is_long && d->size == 4 ? 8 : d->size;
	uint64_t rsp = d->r->general[CPU_RSP] - (d->is_done ? 0 : size);

	d->linear = to_linear(d, &d->r->ss, d->is_long ? rsp : (uint32_t)rsp);
	return store_is(d, size, has_value, value);
}

/* STOS stores at EDI and moves it. */
static bool stos_is(struct decoder *d, unsigned size)
{
	uint64_t step = d->r->rflags & X86_DF ? 0 - (uint64_t)size : size;
	uint64_t rdi = d->r->general[CPU_RDI] - (d->is_done || d->is_repeated ? step : 0);

	d->linear = to_linear(d, &d->r->es, d->is_long ? rdi : (uint32_t)rdi);
	return store_is(d, size, true, d->r->general[CPU_RAX]);
}

/* Instructions with ModRM. opcode's bit 0 is the width for all of these. */
static bool decode_modrm(struct decoder *d, unsigned opcode)
{
	unsigned size = opcode & 1 ? d->size : 1;
	unsigned modrm = (unsigned)take(d, 1), reg = modrm >> 3 & 7;
	bool is_extended = reg != 7; /* of opcode groups, 7 does not store */

	if (!take_address(d, modrm))
		return false;
	switch (opcode) {
	case 0x88:
	case 0x89: /* MOV from a register */
		return store_is(d, size, true, register_value(d, reg | (d->rex & 4) << 1, size));
	case 0xc6:
	case 0xc7: /* MOV of an immediate */
		return reg == 0 && store_is(d, size, true, take_immediate(d, size));
	case 0x80:
	case 0x81: /* arithmetic and logic with an immediate; /7 compares */
		take_immediate(d, size);
		return is_extended && store_is(d, size, false, 0);
	case 0x83:
		take(d, 1);
		return is_extended && store_is(d, size, false, 0);
	case 0xf6:
	case 0xf7: /* NOT, NEG */
		return (reg == 2 || reg == 3) && store_is(d, size, false, 0);
	case 0xfe: /* INC, DEC */
		return reg <= 1 && store_is(d, size, false, 0);
	case 0xff: /* INC, DEC; PUSH */
		return reg == 6 ? push_is(d, false, 0) : reg <= 1 && store_is(d, size, false, 0);
	default: /* arithmetic and logic from a register, XCHG */
		return store_is(d, size, false, 0);
	}
}

static bool has_modrm(unsigned opcode)
{
	/* ADD, OR, ADC, SBB, AND, SUB, XOR to memory; not CMP. */
	if (opcode < 0x38)
		return (opcode & 6) == 0;
	switch (opcode) {
	case 0x80:
	case 0x81:
	case 0x83:
	case 0x86:
	case 0x87:
	case 0x88:
	case 0x89:
	case 0xc6:
	case 0xc7:
	case 0xf6:
	case 0xf7:
	case 0xfe:
	case 0xff:
		return true;
	default:
		return false;
	}
}

static bool decode_opcode(struct decoder *d)
{
	unsigned opcode = (unsigned)take(d, 1);

	if (has_modrm(opcode))
		return decode_modrm(d, opcode);
	if (opcode >= 0x50 && opcode <= 0x57) /* PUSH of a register */
		return push_is(
			d, opcode != 0x54, register_value(d, (opcode & 7) | (d->rex & 1) << 3, 8));
	switch (opcode) {
	case 0x68: /* PUSH of an immediate */
		return push_is(d, true, take_immediate(d, d->size));
	case 0x6a:
		return push_is(d, true, take_signed(d, 1));
	case 0x9c: /* PUSHF */
		return push_is(d, false, 0);
	case 0xa2:
	case 0xa3: { /* MOV from EAX to an address */
		const struct cpu_segment *segment = segment_of(d, false);

		if (!segment)
			return false;
		d->linear = to_linear(d, segment, take(d, d->is_long ? 8 : 4));
		return store_is(d, opcode & 1 ? d->size : 1, true, d->r->general[CPU_RAX]);
	}
	case 0xaa:
	case 0xab: /* STOS */
		return stos_is(d, opcode & 1 ? d->size : 1);
	default:
		return false;
	}
}

/* Takes the prefixes (Intel SDM 2, 2.1.1). An address size of 16 bits is not known here. */
static bool take_prefixes(struct decoder *d)
{
	for (; d->position < d->len; d->position++) {
		uint8_t byte = d->bytes[d->position];

		switch (byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			d->segment = byte;
			break;
		case 0x66:
			d->size = 2;
			break;
		case PREFIX_LOCK:
			break;
		case 0xf2:
		case 0xf3:
			d->is_repeated = true;
			break;
		default:
			if (!d->is_long || (byte & 0xf0) != 0x40)
				return byte != 0x67;
			d->rex = byte;
			d->size = byte & 8 ? 8 : d->size;
			d->position++;
			return true;
		}
	}
	return false;
}

/* --- the search ------------------------------------------------------------------------------- */

/* Whether the bytes are an instruction that makes the store; of exactly len bytes if it is_done. */
static bool fits(struct cpu *cpu, const struct cpu_registers *r, const struct store *store,
	const uint8_t *bytes, unsigned len, bool is_done)
{
	struct decoder d = {
		.r = r,
		.bytes = bytes,
		.len = len,
		.is_long = r->efer & X86_EFER_LMA,
		.is_done = is_done,
		.size = 4,
	};
	uint64_t mask = store->len >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * store->len) - 1;
	gpa_t gpa;

	if (!take_prefixes(&d) || !decode_opcode(&d) || d.position > len ||
		(is_done && d.position != len))
		return false;
	return d.stored == store->len && cpu->ops->translate(cpu, d.linear, &gpa) == 0 &&
	       gpa == store->gpa && (!d.has_value || ((d.value ^ store->value) & mask) == 0);
}

/*
 * Returns the length of a CALL that has pushed what was stored, 0 if it was none: the value is the
 * address behind the call, and a direct one leads to where execution goes on. An indirect one is
 * believed if the stack pointer is where the store went.
 */
static unsigned call_length(
	struct cpu *cpu, const struct cpu_registers *r, const struct store *store, uint64_t *next)
{
	uint64_t base = r->efer & X86_EFER_LMA ? 0 : r->cs.base;
	uint8_t code[5];
	int32_t relative;
	gpa_t gpa;

	*next = store->value;
	if (cpu->ops->translate(cpu, r->ss.base + r->general[CPU_RSP], &gpa) < 0 ||
		gpa != store->gpa || store->value < sizeof code ||
		cpu_read_linear(cpu, base + store->value - sizeof code, code, sizeof code) <
			sizeof code)
		return 0;
	memcpy(&relative, &code[1], sizeof relative);
	if (code[0] == 0xe8 && (uint32_t)(store->value + (uint64_t)relative) == (uint32_t)r->rip)
		return sizeof code;
	if (code[3] == 0xff && (code[4] & 0xf8) == 0xd0)
		return 2;
	return 0;
}

bool store_find(struct cpu *cpu, struct cpu_registers *r, const struct store *store)
{
	uint64_t base = r->efer & X86_EFER_LMA ? 0 : r->cs.base, found = r->rip, next;
	unsigned count = 0, length = call_length(cpu, r, store, &next);
	uint8_t bytes[INSN_BYTES];

	if (!(r->cr0 & X86_CR0_PE))
		return false;
	if (length > 0) {
		r->rip = next - length;
		return true;
	}
	length = (unsigned)cpu_read_linear(cpu, base + r->rip, bytes, sizeof bytes);
	count += fits(cpu, r, store, bytes, length, false);
	/* The shortest one that ends there, with LOCK if that precedes it: longer ones have
	 * prefixes that change nothing, or are another instruction's end. */
	for (length = 1; length <= INSN_BYTES; length++) {
		if (cpu_read_linear(cpu, base + r->rip - length, bytes, length) < length)
			break;
		if (found != r->rip && bytes[0] != PREFIX_LOCK)
			break;
		if (!fits(cpu, r, store, bytes, length, true))
			continue;
		count += found == r->rip;
		found = r->rip - length;
	}
	if (count == 1)
		r->rip = found;
	return count == 1;
}

/* Whether the bytes are an OUT to the port: E6 and E7 name it, EE and EF have it in DX; the odd
 * ones write EAX or AX. */
static bool is_out(const struct cpu_registers *r, const uint8_t *code, unsigned code_len,
	uint16_t port, unsigned len)
{
	bool is_wide = code[0] & 1;

	if (is_wide != (len > 1))
		return false;
	if ((code[0] & 0xfe) == 0xe6)
		return code_len == 2 && code[1] == port;
	return (code[0] & 0xfe) == 0xee && (uint16_t)r->general[CPU_RDX] == port;
}

bool store_find_out(struct cpu *cpu, struct cpu_registers *r, uint16_t port, unsigned len)
{
	uint64_t base = r->efer & X86_EFER_LMA ? 0 : r->cs.base;
	uint8_t before[2] = {0}, at[3] = {0};
	unsigned at_len = (unsigned)cpu_read_linear(cpu, base + r->rip, at, sizeof at);
	unsigned prefix = at[0] == 0x66, length = 0;

	cpu_read_linear(cpu, base + r->rip - 2, before, sizeof before);
	if (is_out(r, &before[1], 1, port, len))
		length = 1;
	else if (is_out(r, &before[0], 2, port, len) && (before[0] & 0xfe) == 0xe6)
		length = 2;
	if (at_len > prefix && is_out(r, &at[prefix], at_len - prefix > 1 ? 2 : 1, port, len))
		return length == 0;
	if (length > 0 && cpu_read_linear(cpu, base + r->rip - length - 1, before, 1) == 1 &&
		before[0] == 0x66)
		length++;
	r->rip -= length;
	return length > 0;
}
