/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic in sizes and forms that are too rare for the run loop (SDM 2). Values are of size
 * bytes and zero-extended to 64 bits. */
#include "x86/flags.h"
#include "x86/operands.h"

static uint64_t mask_of(unsigned size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static int64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (int64_t)(value << shift) >> shift;
}

static void set_flags(struct x86_cpu *cpu, uint64_t result, unsigned size, uint64_t carry)
{
	cpu->flags_result = sign_extend(result, size);
	cpu->flags_carry = carry;
}

/* The vector of a + b = result, or of a - b = result. */
static uint64_t carry_vector(uint64_t carries, unsigned size)
{
	return (carries << (64 - 8 * size) & (X86_CARRY_OUT | X86_CARRY_SIGN)) | (carries & 8)
											 << 32;
}

/* --- shifts ----------------------------------------------------------------------------------- */

struct shifted {
	uint64_t value;
	unsigned cf, of;
};

static struct shifted rotate(uint64_t a, unsigned bits, unsigned count, bool left)
{
	unsigned by = count % bits, left_by = left ? by : (bits - by) % bits;
	uint64_t mask = mask_of(bits / 8), r = a;
	unsigned msb, lsb;

	if (left_by != 0)
		r = (a << left_by | a >> (bits - left_by)) & mask;
	msb = r >> (bits - 1) & 1;
	lsb = r & 1;
	if (left)
		return (struct shifted){r, lsb, lsb ^ msb};
	return (struct shifted){r, msb, msb ^ (r >> (bits - 2) & 1)};
}

/* Rotates through CF: bits + 1 bits are rotated. bits is at most 32. */
static struct shifted rotate_carry(
	uint64_t a, unsigned bits, unsigned count, bool left, uint64_t cf)
{
	unsigned by = count % (bits + 1), left_by = left || by == 0 ? by : bits + 1 - by;
	uint64_t wide = cf << bits | a, r;
	unsigned msb;

	if (left_by != 0)
		wide = wide << left_by | wide >> (bits + 1 - left_by);
	r = wide & mask_of(bits / 8);
	cf = wide >> bits & 1;
	msb = r >> (bits - 1) & 1;
	if (left)
		return (struct shifted){r, (unsigned)cf, (unsigned)cf ^ msb};
	return (struct shifted){r, (unsigned)cf, msb ^ (r >> (bits - 2) & 1)};
}

static struct shifted shift(uint64_t a, unsigned bits, unsigned count, unsigned operation)
{
	uint64_t wide;
	int64_t extended;
	unsigned cf;

	switch (operation) {
	case 5: /* SHR */
		return (struct shifted){a >> count, a >> (count - 1) & 1, a >> (bits - 1) & 1};
	case 7: /* SAR */
		extended = sign_extend(a, bits / 8);
		return (struct shifted){(uint64_t)(extended >> count) & mask_of(bits / 8),
			extended >> (count - 1) & 1, 0};
	default: /* SHL */
		wide = a << count;
		cf = wide >> bits & 1;
		return (struct shifted){
			wide & mask_of(bits / 8), cf, cf ^ (wide >> (bits - 1) & 1)};
	}
}

/* Group 2: ModRM.reg is ROL, ROR, RCL, RCR, SHL, SHR, SHL, SAR. The count is an immediate, 1, or
 * CL, modulo 32; a count of 0 changes nothing, but memory is accessed as for any. */
void x86_op_shift(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size, bits = 8 * size, operation = operands->reg;
	unsigned count = operands->opcode < 0xd0   ? operands->immediate
			 : operands->opcode < 0xd2 ? 1
						   : (unsigned)cpu->reg[X86_RCX];
	uint64_t a = x86_read_rm_to_change(cpu, operands, size), carry = cpu->flags_carry;
	struct shifted shifted;

	count &= 31;
	if (count == 0)
		return;
	if (operation < 2)
		shifted = rotate(a, bits, count, operation == 0);
	else if (operation < 4)
		shifted = rotate_carry(a, bits, count, operation == 2, x86_flag_cf(carry));
	else
		shifted = shift(a, bits, count, operation);
	x86_write_rm(cpu, operands, size, shifted.value);
	if (operation < 4)
		cpu->flags_carry = x86_carry_replace(carry, shifted.cf, shifted.of);
	else
		set_flags(cpu, shifted.value, size, x86_carry_of(shifted.cf, shifted.of));
}

/* The count of SHLD and SHRD: an immediate, or CL with the odd opcodes. */
static unsigned double_shift_count(const struct x86_cpu *cpu, const struct x86_operands *operands)
{
	return (operands->opcode & 1 ? (unsigned)cpu->reg[X86_RCX] : operands->immediate) & 31;
}

/* With 16 bits and a count above 16 the result is undefined; processors go on with the
 * destination's own bits, as if three words were shifted. */
void x86_op_shld(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size, bits = 8 * size;
	unsigned count = double_shift_count(cpu, operands);
	uint64_t a = x86_read_rm_to_change(cpu, operands, size);
	uint64_t b = x86_read_register(cpu, operands->reg, size), wide, r;

	if (count == 0)
		return;
	wide = size == 2 ? a << 32 | b << 16 | a : a << 32 | b;
	r = wide << count >> 32 & mask_of(size);
	x86_write_rm(cpu, operands, size, r);
	set_flags(cpu, r, size,
		x86_carry_of(wide >> (32 + bits - count) & 1, (a ^ r) >> (bits - 1) & 1));
}

void x86_op_shrd(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size, bits = 8 * size;
	unsigned count = double_shift_count(cpu, operands);
	uint64_t a = x86_read_rm_to_change(cpu, operands, size);
	uint64_t b = x86_read_register(cpu, operands->reg, size), wide, r;

	if (count == 0)
		return;
	wide = size == 2 ? a << 32 | b << 16 | a : b << 32 | a;
	r = wide >> count & mask_of(size);
	x86_write_rm(cpu, operands, size, r);
	set_flags(cpu, r, size, x86_carry_of(wide >> (count - 1) & 1, (a ^ r) >> (bits - 1) & 1));
}

/* --- multiplication and division -------------------------------------------------------------- */

/* The accumulator of twice the size: AX, DX:AX or EDX:EAX. */
static uint64_t read_double(const struct x86_cpu *cpu, unsigned size)
{
	if (size == 1)
		return x86_read_register(cpu, X86_RAX, 2);
	return x86_read_register(cpu, X86_RDX, size) << (8 * size) |
	       x86_read_register(cpu, X86_RAX, size);
}

static void write_double(struct x86_cpu *cpu, unsigned size, uint64_t low, uint64_t high)
{
	if (size == 1) {
		x86_write_register(cpu, X86_RAX, 2, (high & 0xff) << 8 | (low & 0xff));
		return;
	}
	x86_write_register(cpu, X86_RAX, size, low);
	x86_write_register(cpu, X86_RDX, size, high);
}

/* Group 3, ModRM.reg 4 and 5: MUL and IMUL. */
void x86_op_multiply(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t a = x86_read_register(cpu, X86_RAX, size), b = x86_read_rm(cpu, operands, size);
	uint64_t product = a * b;
	bool significant = product >> (8 * size) != 0;

	if (operands->reg == 5) {
		product = (uint64_t)(sign_extend(a, size) * sign_extend(b, size));
		significant = sign_extend(product, size) != (int64_t)product;
	}
	write_double(cpu, size, product, product >> (8 * size));
	set_flags(cpu, product, size, x86_carry_of(significant, significant));
}

/* Group 3, ModRM.reg 6 and 7: DIV and IDIV. */
void x86_op_divide(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t divisor = x86_read_rm(cpu, operands, size), dividend = read_double(cpu, size);
	int64_t by = sign_extend(divisor, size), of = sign_extend(dividend, 2 * size);

	if (divisor == 0)
		x86_raise(cpu, X86_DE);
	if (operands->reg == 6) {
		if (dividend / divisor > mask_of(size))
			x86_raise(cpu, X86_DE);
		write_double(cpu, size, dividend / divisor, dividend % divisor);
		return;
	}
	if ((by == -1 && of == INT64_MIN) || sign_extend((uint64_t)(of / by), size) != of / by)
		x86_raise(cpu, X86_DE);
	write_double(cpu, size, (uint64_t)(of / by), (uint64_t)(of % by));
}

/* IMUL with two operands, or with three: opcodes 0x69 and 0x6b. */
void x86_op_imul(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	int64_t a = sign_extend(x86_read_rm(cpu, operands, size), size), b, product;
	bool significant;

	if (operands->opcode == 0xaf)
		b = sign_extend(x86_read_register(cpu, operands->reg, size), size);
	else
		b = sign_extend(operands->immediate, size);
	product = a * b;
	significant = sign_extend((uint64_t)product, size) != product;
	x86_write_register(cpu, operands->reg, size, (uint64_t)product);
	set_flags(cpu, (uint64_t)product, size, x86_carry_of(significant, significant));
}

/* --- bits ------------------------------------------------------------------------------------- */

/* BT, BTS, BTR and BTC: bits 4:3 of the opcode, or of ModRM.reg in group 8. A bit offset in a
 * register reaches beyond the operand in memory (SDM 2, BT). */
void x86_op_bit(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size, bits = 8 * size;
	bool is_immediate = operands->opcode == 0xba;
	unsigned operation = is_immediate ? operands->reg & 3 : operands->opcode >> 3 & 3;
	struct x86_operands moved = *operands;
	uint64_t offset = operands->immediate, value, bit;

	if (!is_immediate) {
		offset = x86_read_register(cpu, operands->reg, size);
		if (operands->is_memory)
			moved.displacement +=
				(uint32_t)(sign_extend(offset, size) >> (size == 2 ? 4 : 5)) * size;
	}
	bit = UINT64_C(1) << (offset & (bits - 1));
	value = operation == 0 ? x86_read_rm(cpu, &moved, size)
			       : x86_read_rm_to_change(cpu, &moved, size);
	if (operation != 0)
		x86_write_rm(cpu, &moved, size,
			operation == 1   ? value | bit
			: operation == 2 ? value & ~bit
					 : value ^ bit);
	cpu->flags_carry = x86_carry_replace(
		cpu->flags_carry, (value & bit) != 0, x86_flag_of(cpu->flags_carry));
}

/* BSF and BSR: the even and the odd opcode. */
void x86_op_bit_scan(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t source = x86_read_rm(cpu, operands, size);

	if (source != 0)
		x86_write_register(cpu, operands->reg, size,
			operands->opcode & 1 ? 63 - (unsigned)__builtin_clzll(source)
					     : (unsigned)__builtin_ctzll(source));
	set_flags(cpu, source, size, 0);
}

/* --- exchanges -------------------------------------------------------------------------------- */

void x86_op_xchg(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t value = x86_read_rm_to_change(cpu, operands, size);

	x86_write_rm(cpu, operands, size, x86_read_register(cpu, operands->reg, size));
	x86_write_register(cpu, operands->reg, size, value);
}

/* The sum goes to the r/m operand last: it may be the same register. */
void x86_op_xadd(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t a = x86_read_rm_to_change(cpu, operands, size);
	uint64_t b = x86_read_register(cpu, operands->reg, size), r = a + b;

	if (!operands->is_memory)
		x86_write_register(cpu, operands->reg, size, a);
	x86_write_rm(cpu, operands, size, r);
	if (operands->is_memory)
		x86_write_register(cpu, operands->reg, size, a);
	set_flags(cpu, r, size, carry_vector(X86_CARRIES_ADD(a, b, r), size));
}

/* The destination is written in either case: with itself if the comparison fails (SDM 2,
 * CMPXCHG). */
void x86_op_cmpxchg(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t a = x86_read_register(cpu, X86_RAX, size);
	uint64_t b = x86_read_rm_to_change(cpu, operands, size);
	uint64_t r = (a - b) & mask_of(size);

	if (r == 0) {
		x86_write_rm(cpu, operands, size, x86_read_register(cpu, operands->reg, size));
	} else {
		x86_write_rm(cpu, operands, size, b);
		x86_write_register(cpu, X86_RAX, size, b);
	}
	set_flags(cpu, r, size, carry_vector(X86_CARRIES_SUB(a, b, r), size));
}

/* EDX:EAX with eight bytes of memory; ZF alone changes (SDM 2, CMPXCHG8B). */
void x86_op_cmpxchg8b(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	uint64_t value = x86_read_rm_to_change(cpu, operands, 8), expected = read_double(cpu, 4);
	bool is_equal = value == expected;
	uint64_t replacement =
		x86_read_register(cpu, X86_RCX, 4) << 32 | x86_read_register(cpu, X86_RBX, 4);

	x86_write_rm(cpu, operands, 8, is_equal ? replacement : value);
	if (!is_equal)
		write_double(cpu, 4, value, value >> 32);
	x86_set_eflags(cpu, is_equal ? X86_ZF : 0, X86_ZF);
}

/* CMOVcc of 16 bits: memory is read whatever the condition. */
void x86_op_cmov(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	unsigned size = operands->operand_size;
	uint64_t value = x86_read_rm(cpu, operands, size);

	if (x86_condition(cpu, operands->opcode & 15))
		x86_write_register(cpu, operands->reg, size, value);
}
