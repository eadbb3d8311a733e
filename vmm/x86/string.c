/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String instructions, repeated or not, and IN and OUT (SDM 1, 7.3.9; SDM 2).
 *
 * A repeated one counts as one instruction for at most X86_REPEAT_MAX elements and then begins anew
 * where it was, so that neither a budget nor an interrupt waits for long. An element of a device's,
 * and of those instructions that do not do many at once, counts as several, by the time that it
 * takes, since a budget shall bound time; but nothing depends on what the TLB has. Registers are up
 * to date before each access that can fault, as the manual has it.
 */
#include <string.h>

#include "x86/flags.h"
#include "x86/operands.h"
#include "x86/physical.h"

#define X86_REPEAT_MAX 4096
#define COST_ALONE     16  /* elements that one which is loaded or stored alone counts as */
#define COST_PORT      512 /* the same of INS, OUTS and a device's: the machine answers each */

/* x86_charge(): of an access to a port, and of elements, one alone or many at once. */
#define CHARGE_PORT    64
#define CHARGE_ALONE   8
#define CHARGE_MANY(n) (16 + (int64_t)(n) / 4)

/* The state of a string instruction: what its registers mean. */
struct string {
	struct x86_cpu *cpu;
	const struct x86_operands *operands;
	unsigned size;
	uint64_t mask; /* of the address size */
	int64_t step;  /* from one element to the next: DF */
	uint64_t cost; /* of an element that is not one of many at once */
};

static struct string begin(struct x86_cpu *cpu, const struct x86_operands *operands, unsigned size)
{
	return (struct string){
		.cpu = cpu,
		.operands = operands,
		.size = size,
		.mask = operands->address_size == 2 ? UINT16_MAX : UINT32_MAX,
		.step = cpu->eflags & X86_DF ? -(int64_t)size : (int64_t)size,
		.cost = COST_ALONE,
	};
}

static uint64_t source_linear(const struct string *string)
{
	return x86_linear(string->cpu, string->operands->segment,
		string->cpu->reg[X86_RSI] & string->mask, string->size, X86_READ);
}

/* The destination's segment is ES and cannot be overridden. */
static uint64_t destination_linear(const struct string *string, enum x86_access access)
{
	return x86_linear(string->cpu, X86_ES, string->cpu->reg[X86_RDI] & string->mask,
		string->size, access);
}

static uint64_t load_source(const struct string *string)
{
	return x86_load_linear(string->cpu, source_linear(string), string->size, X86_READ);
}

static uint64_t load_destination(const struct string *string)
{
	return x86_load_linear(
		string->cpu, destination_linear(string, X86_READ), string->size, X86_READ);
}

static void store_destination(const struct string *string, uint64_t value)
{
	x86_store_linear(
		string->cpu, destination_linear(string, X86_WRITE), value, string->size, X86_WRITE);
}

/* Move an index or count register on by a number; outside of the address size it stays. */
static void advance(const struct string *string, unsigned number, int64_t by)
{
	uint64_t *reg = &string->cpu->reg[number];

	*reg = (*reg & ~string->mask) | ((*reg + (uint64_t)by) & string->mask);
}

/* --- pages at once ---------------------------------------------------------------------------- */

/* Host memory for consecutive elements from a linear address on, and how many; NULL if the TLB does
 * not have the page, or segments are to be checked, or elements go down or over its border. */
static uint8_t *host_elements(const struct string *string, unsigned number,
	enum x86_segment_register segment, bool is_write, uint64_t *count)
{
	struct x86_cpu *cpu = string->cpu;
	uint64_t linear = (uint32_t)cpu->reg[number], left;
	const struct x86_tlb_entry *entry = &cpu->tlb[linear / X86_PAGE_SIZE % X86_TLB_ENTRIES];
	uint64_t page = linear & X86_PAGE_MASK;

	if (!x86_segments_are_flat(cpu) || segment >= X86_FS || string->step < 0 ||
		string->mask != UINT32_MAX)
		return NULL;
	if ((is_write ? entry->write : entry->read) != page)
		return NULL;
	left = (X86_PAGE_SIZE - (linear - page)) / string->size;
	if (left < *count)
		*count = left;
	return left == 0 ? NULL : (uint8_t *)(entry->addend + linear);
}

/* Copy as REP MOVS does, element after element: where the destination overlaps the source from
 * above, what was written is read again. */
static void copy_elements(uint8_t *to, const uint8_t *from, uint64_t count, unsigned size)
{
	if ((uintptr_t)to - (uintptr_t)from >= count * size) {
		memmove(to, from, count * size);
		return;
	}
	for (uint64_t i = 0; i < count * size; i += size) {
		uint32_t element;

		memcpy(&element, from + i, size);
		memcpy(to + i, &element, size);
	}
}

/* What is filled already is copied behind itself, twice as much each time. */
static void fill_elements(uint8_t *to, uint32_t value, uint64_t count, unsigned size)
{
	uint64_t all = count * size, done = size;

	memcpy(to, &value, size);
	while (done < all) {
		uint64_t part = all - done < done ? all - done : done;

		memcpy(to + done, to, part);
		done += part;
	}
}

/* Do up to max elements of MOVS at once; returns how many, 0: do one the slow way. */
static uint64_t move_many(const struct string *string, uint64_t max)
{
	const uint8_t *from =
		host_elements(string, X86_RSI, string->operands->segment, false, &max);
	uint8_t *to = host_elements(string, X86_RDI, X86_ES, true, &max);

	if (from == NULL || to == NULL)
		return 0;
	copy_elements(to, from, max, string->size);
	advance(string, X86_RSI, (int64_t)(max * string->size));
	advance(string, X86_RDI, (int64_t)(max * string->size));
	return max;
}

static uint64_t store_many(const struct string *string, uint64_t max)
{
	uint8_t *to = host_elements(string, X86_RDI, X86_ES, true, &max);

	if (to == NULL)
		return 0;
	fill_elements(to, (uint32_t)string->cpu->reg[X86_RAX], max, string->size);
	advance(string, X86_RDI, (int64_t)(max * string->size));
	return max;
}

/* --- one element ------------------------------------------------------------------------------ */

static void compare(const struct string *string, uint64_t a, uint64_t b)
{
	unsigned shift = 64 - 8 * string->size;
	uint64_t r = a - b, carries = X86_CARRIES_SUB(a, b, r);

	string->cpu->flags_result = (int64_t)(r << shift) >> shift;
	string->cpu->flags_carry =
		(carries << shift & (X86_CARRY_OUT | X86_CARRY_SIGN)) | (carries & 8) << 32;
}

static void port(const struct string *string, uint16_t number, bool is_write, uint32_t *value)
{
	struct x86_cpu *cpu = string->cpu;

	x86_charge(cpu, CHARGE_PORT);
	if (!cpu->system->bus->port(cpu->system->ctx, cpu, number, is_write, value, string->size))
		x86_abandon(cpu);
}

static void move_one(const struct string *string)
{
	store_destination(string, load_source(string));
	advance(string, X86_RSI, string->step);
	advance(string, X86_RDI, string->step);
}

static void store_one(const struct string *string)
{
	store_destination(string, x86_read_register(string->cpu, X86_RAX, string->size));
	advance(string, X86_RDI, string->step);
}

static void load_one(const struct string *string)
{
	x86_write_register(string->cpu, X86_RAX, string->size, load_source(string));
	advance(string, X86_RSI, string->step);
}

static void compare_one(const struct string *string)
{
	uint64_t a = load_source(string);

	compare(string, a, load_destination(string));
	advance(string, X86_RSI, string->step);
	advance(string, X86_RDI, string->step);
}

static void scan_one(const struct string *string)
{
	uint64_t value = load_destination(string);

	compare(string, x86_read_register(string->cpu, X86_RAX, string->size), value);
	advance(string, X86_RDI, string->step);
}

/* The destination is checked before the port is read, since a read cannot be undone. */
static void in_one(const struct string *string)
{
	struct x86_cpu *cpu = string->cpu;
	uint16_t number = (uint16_t)cpu->reg[X86_RDX];
	uint32_t value = 0;

	x86_check_port(cpu, number, string->size);
	x86_check_write(cpu, destination_linear(string, X86_WRITE), string->size, X86_WRITE);
	port(string, number, false, &value);
	store_destination(string, value);
	advance(string, X86_RDI, string->step);
}

static void out_one(const struct string *string)
{
	uint16_t number = (uint16_t)string->cpu->reg[X86_RDX];
	uint32_t value;

	x86_check_port(string->cpu, number, string->size);
	value = (uint32_t)load_source(string);
	port(string, number, true, &value);
	advance(string, X86_RSI, string->step);
}

/* --- repeating -------------------------------------------------------------------------------- */

typedef void one_element(const struct string *string);
typedef uint64_t many_elements(const struct string *string, uint64_t max);

/* Whether REPE or REPNE ends with the flags as they are; other instructions do not look at them. */
static bool ends_by_flags(const struct string *string, bool compares)
{
	bool zf = x86_flag_zf(string->cpu->flags_result);

	return compares && zf != (string->operands->repeat == X86_REPEAT_E);
}

/* As how many elements one counts that was done alone. */
static uint64_t cost_of_one(const struct string *string, bool can_do_many, uint64_t bus_accesses)
{
	if (string->cpu->bus_accesses != bus_accesses)
		return COST_PORT;
	return can_do_many ? 1 : string->cost;
}

/*
 * Execute the instruction: with a prefix, as long as the count register is not 0. many may be NULL.
 * Until it is over, the flags are as they were before the instruction: so a fault finds them,
 * whatever the elements before it gave (SDM 2, REP). A single step traps after each element. What
 * sets cpu->cut ends it after the element, too: it begins anew when the block that it may have
 * overwritten is decoded again.
 */
static void repeat(
	const struct string *string, one_element *one, many_elements *many, bool compares)
{
	struct x86_cpu *cpu = string->cpu;
	uint64_t left = cpu->eflags & X86_TF ? 1 : X86_REPEAT_MAX;
	const int64_t result_before = cpu->flags_result;
	const uint64_t carry_before = cpu->flags_carry;

	if (string->operands->repeat == X86_REPEAT_NONE) {
		one(string);
		return;
	}
	while ((cpu->reg[X86_RCX] & string->mask) != 0) {
		uint64_t count = cpu->reg[X86_RCX] & string->mask, done, cost;
		uint64_t bus_accesses = cpu->bus_accesses;

		if (left == 0 || cpu->cut) {
			cpu->next_eip = cpu->eip;
			return;
		}
		cost = done = many != NULL ? many(string, count < left ? count : left) : 0;
		x86_charge(cpu, done == 0 ? CHARGE_ALONE : CHARGE_MANY(done));
		if (done == 0) {
			one(string);
			done = 1;
			cost = cost_of_one(string, many != NULL, bus_accesses);
		}
		left -= cost < left ? cost : left;
		advance(string, X86_RCX, -(int64_t)done);
		if (ends_by_flags(string, compares) || (cpu->reg[X86_RCX] & string->mask) == 0)
			return;
		cpu->flags_result = result_before;
		cpu->flags_carry = carry_before;
	}
}

void x86_op_movs(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	repeat(&string, move_one, move_many, false);
}

void x86_op_stos(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	repeat(&string, store_one, store_many, false);
}

void x86_op_lods(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	repeat(&string, load_one, NULL, false);
}

void x86_op_cmps(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	repeat(&string, compare_one, NULL, true);
}

void x86_op_scas(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	repeat(&string, scan_one, NULL, true);
}

void x86_op_ins(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	string.cost = COST_PORT;
	repeat(&string, in_one, NULL, false);
}

void x86_op_outs(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	struct string string = begin(cpu, operands, operands->operand_size);

	string.cost = COST_PORT;
	repeat(&string, out_one, NULL, false);
}

/* --- IN and OUT ------------------------------------------------------------------------------- */

static void in(struct x86_cpu *cpu, const struct x86_operands *operands, uint16_t number)
{
	struct string string = begin(cpu, operands, operands->operand_size);
	uint32_t value = 0;

	x86_check_port(cpu, number, string.size);
	port(&string, number, false, &value);
	x86_write_register(cpu, X86_RAX, string.size, value);
}

static void out(struct x86_cpu *cpu, const struct x86_operands *operands, uint16_t number)
{
	struct string string = begin(cpu, operands, operands->operand_size);
	uint32_t value = (uint32_t)x86_read_register(cpu, X86_RAX, string.size);

	x86_check_port(cpu, number, string.size);
	port(&string, number, true, &value);
}

void x86_op_in_immediate(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	in(cpu, operands, (uint16_t)operands->immediate);
}

void x86_op_in_dx(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	in(cpu, operands, (uint16_t)cpu->reg[X86_RDX]);
}

void x86_op_out_immediate(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	out(cpu, operands, (uint16_t)operands->immediate);
}

void x86_op_out_dx(struct x86_cpu *cpu, const struct x86_operands *operands)
{
	out(cpu, operands, (uint16_t)cpu->reg[X86_RDX]);
}
