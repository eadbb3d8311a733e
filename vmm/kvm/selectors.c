/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/selectors.h"

#include <string.h>

#include "cpu/register_bits.h"

/* Bits of a REX prefix (Intel SDM 2, 2.2.1). */
#define REX_W 8
#define REX_X 2
#define REX_B 1

struct instruction {
	const struct emulate *e;
	const uint8_t *begin, *at, *end;
	bool is_64;
	uint8_t rex;
	unsigned operand_size, address_size; /* bytes: 2, 4 or 8 */
	const struct kvm_segment *override;  /* by a prefix, or NULL */
};

/* The next size bytes of the instruction, sign-extended; false at the end of what is given. */
static bool take(struct instruction *i, unsigned size, int64_t *value)
{
	uint64_t bytes = 0;
	unsigned unused = 64 - 8 * size;

	if ((size_t)(i->end - i->at) < size)
		return false;
	memcpy(&bytes, i->at, size);
	i->at += size;
	*value = (int64_t)(bytes << unused) >> unused;
	return true;
}

/* A general register by its number in instructions (Intel SDM 2, table 3-1). */
static uint64_t general(const struct kvm_regs *r, unsigned number)
{
	const uint64_t values[16] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};

	return values[number & 15];
}

static uint64_t truncated(uint64_t value, unsigned size)
{
	return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

/* --- operands in memory ----------------------------------------------------------------------- */

static bool read_memory(const struct instruction *i, const struct kvm_segment *segment,
	uint64_t offset, unsigned size, uint64_t *value)
{
	const struct kvm_sregs *sregs = &i->e->sregs;
	bool has_base = !i->is_64 || segment == &sregs->fs || segment == &sregs->gs;
	uint64_t linear = offset + (has_base ? segment->base : 0);

	*value = 0;
	return i->e->read(i->e->ctx, i->is_64 ? linear : (uint32_t)linear, value, size) == 0;
}

/* Intel SDM 2, table 2-1. Sets *on_stack if SS is the segment. */
static bool address_16(struct instruction *i, uint8_t modrm, uint64_t *address, bool *on_stack)
{
	const struct kvm_regs *r = &i->e->regs;
	const uint64_t bases[8] = {r->rbx + r->rsi, r->rbx + r->rdi, r->rbp + r->rsi,
		r->rbp + r->rdi, r->rsi, r->rdi, r->rbp, r->rbx};
	unsigned mod = modrm >> 6, rm = modrm & 7;
	bool is_direct = mod == 0 && rm == 6;
	int64_t displacement = 0;

	if ((is_direct || mod == 2) && !take(i, 2, &displacement))
		return false;
	if (mod == 1 && !take(i, 1, &displacement))
		return false;
	*address = (is_direct ? 0 : bases[rm]) + (uint64_t)displacement;
	*on_stack = rm == 2 || rm == 3 || (rm == 6 && !is_direct);
	return true;
}

/* Intel SDM 2, tables 2-2 and 2-3. RIP-relative addresses, in 64-bit mode, count from the end of
 * the instruction, which is the displacement's: none of these has an immediate. */
static bool address_32(struct instruction *i, uint8_t modrm, uint64_t *address, bool *on_stack)
{
	unsigned mod = modrm >> 6, base = modrm & 7;
	int64_t displacement = 0, sib = 0;
	bool has_sib = base == 4, is_direct;

	if (has_sib && !take(i, 1, &sib))
		return false;
	base = has_sib ? sib & 7 : base;
	is_direct = mod == 0 && base == 5;
	if ((is_direct || mod == 2) && !take(i, 4, &displacement))
		return false;
	if (mod == 1 && !take(i, 1, &displacement))
		return false;
	*address = (uint64_t)displacement;
	if (!is_direct)
		*address += general(&i->e->regs, base | (i->rex & REX_B ? 8 : 0));
	else if (i->is_64 && !has_sib)
		*address += i->e->regs.rip + (uint64_t)(i->at - i->begin);
	if (has_sib) {
		unsigned index = (sib >> 3 & 7) | (i->rex & REX_X ? 8 : 0);

		if (index != 4)
			*address += general(&i->e->regs, index) << (sib >> 6 & 3);
	}
	*on_stack = !is_direct && (base == 4 || base == 5) && !(i->rex & REX_B);
	return true;
}

/* A selector skip bytes behind the address of a ModRM byte's operand in memory. */
static bool selector_at_operand(
	struct instruction *i, uint8_t modrm, unsigned skip, uint16_t *selector)
{
	const struct kvm_segment *segment = i->override;
	uint64_t address, value;
	bool on_stack;

	if (i->address_size == 2 ? !address_16(i, modrm, &address, &on_stack)
				 : !address_32(i, modrm, &address, &on_stack))
		return false;
	if (!segment)
		segment = on_stack ? &i->e->sregs.ss : &i->e->sregs.ds;
	address = truncated(address + skip, i->address_size);
	if (!read_memory(i, segment, address, 2, &value))
		return false;
	*selector = (uint16_t)value;
	return true;
}

/* A selector offset bytes above the stack pointer. */
static bool selector_on_stack(const struct instruction *i, unsigned offset, uint16_t *selector)
{
	const struct kvm_segment *ss = &i->e->sregs.ss;
	unsigned size = i->is_64 ? 8 : ss->db ? 4 : 2;
	uint64_t value;

	if (!read_memory(i, ss, truncated(i->e->regs.rsp + offset, size), 2, &value))
		return false;
	*selector = (uint16_t)value;
	return true;
}

/* --- which instruction it is ------------------------------------------------------------------ */

/* Takes prefixes. */
static void take_prefixes(struct instruction *i)
{
	const struct kvm_sregs *s = &i->e->sregs;
	bool is_wide = i->is_64 || s->cs.db, operand = false, address = false;

	for (bool goes_on = true; goes_on && i->at < i->end; i->at += goes_on) {
		switch (*i->at) {
		case 0x26:
			i->override = &s->es;
			break;
		case 0x2e:
			i->override = &s->cs;
			break;
		case 0x36:
			i->override = &s->ss;
			break;
		case 0x3e:
			i->override = &s->ds;
			break;
		case 0x64:
			i->override = &s->fs;
			break;
		case 0x65:
			i->override = &s->gs;
			break;
		case 0x66:
			operand = true;
			break;
		case 0x67:
			address = true;
			break;
		case 0xf2:
		case 0xf3:
			break;
		default:
			goes_on = false;
		}
	}
	if (i->is_64 && i->at < i->end && *i->at >> 4 == 4)
		i->rex = *i->at++ & 15;
	i->operand_size = i->rex & REX_W ? 8 : is_wide != operand ? 4 : 2;
	if (i->is_64)
		i->address_size = address ? 4 : 8;
	else
		i->address_size = is_wide != address ? 4 : 2;
}

/* IRET also pops SS, after RIP, CS, RFLAGS and RSP, if it goes to an outer level, and always in
 * 64-bit mode. */
static unsigned selectors_of_iret(const struct instruction *i, uint16_t selectors[SELECTORS_MAX])
{
	unsigned size = i->operand_size;

	if (!selector_on_stack(i, size, &selectors[0]))
		return 0;
	if (!i->is_64 && X86_RPL(selectors[0]) == i->e->sregs.ss.dpl)
		return 1;
	return 1 + selector_on_stack(i, 4 * size, &selectors[1]);
}

static bool has_far_pointer(const struct instruction *i, unsigned opcode, uint8_t modrm)
{
	unsigned reg = modrm >> 3 & 7;

	if (modrm >> 6 == 3)
		return false;
	switch (opcode) {
	case 0xc4: /* LES */
	case 0xc5: /* LDS */
		return !i->is_64;
	case 0x0fb2: /* LSS */
	case 0x0fb4: /* LFS */
	case 0x0fb5: /* LGS */
		return true;
	default:
		return opcode == 0xff && (reg == 3 || reg == 5); /* CALL, JMP */
	}
}

/* Instructions with a ModRM byte. */
static unsigned selectors_by_modrm(
	struct instruction *i, unsigned opcode, uint16_t selectors[SELECTORS_MAX])
{
	int64_t byte;
	uint8_t modrm;

	if (!take(i, 1, &byte))
		return 0;
	modrm = (uint8_t)byte;
	if (opcode == 0x8e && modrm >> 6 == 3) { /* MOV */
		selectors[0] =
			(uint16_t)general(&i->e->regs, (modrm & 7) | (i->rex & REX_B ? 8 : 0));
		return 1;
	}
	if (opcode == 0x8e)
		return selector_at_operand(i, modrm, 0, selectors);
	return has_far_pointer(i, opcode, modrm) &&
	       selector_at_operand(i, modrm, i->operand_size, selectors);
}

unsigned selectors_of_instruction(const struct emulate *e, const uint8_t *bytes, size_t len,
	uint16_t selectors[SELECTORS_MAX])
{
	struct instruction i = {
		.e = e,
		.begin = bytes,
		.at = bytes,
		.end = bytes + len,
		.is_64 = e->sregs.efer & X86_EFER_LMA && e->sregs.cs.l,
	};
	unsigned opcode;
	int64_t value;

	take_prefixes(&i);
	if (!take(&i, 1, &value))
		return 0;
	opcode = value & 0xff;
	if (opcode == 0x0f && take(&i, 1, &value))
		opcode = 0x0f00 | (value & 0xff);
	switch (opcode) {
	case 0x07: /* POP */
	case 0x17:
	case 0x1f:
		return !i.is_64 && selector_on_stack(&i, 0, selectors);
	case 0x0fa1:
	case 0x0fa9:
		return selector_on_stack(&i, 0, selectors);
	case 0x9a: /* CALL, JMP: the offset comes first */
	case 0xea:
		if (i.is_64 || !take(&i, i.operand_size, &value) || !take(&i, 2, &value))
			return 0;
		selectors[0] = (uint16_t)value;
		return 1;
	case 0xca: /* RET */
	case 0xcb:
		return selector_on_stack(&i, i.operand_size, selectors);
	case 0xcf:
		return selectors_of_iret(&i, selectors);
	default:
		return selectors_by_modrm(&i, opcode, selectors);
	}
}
