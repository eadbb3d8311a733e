/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation in the software CPU. Clauses: SDM 3, chapters 3 and 5, unless they say SDM 2. */
#include <string.h>

#include "../tap.h"
#include "../x86_machine.h"

#define GDT 0x1000u
#define LDT 0x1800u

/* Entries of the tables, as selectors; bases are 0x10000, limits 0xfff bytes, unless said. */
enum {
	CODE_0 = 0x08,
	DATA_0 = 0x10,
	DATA_3 = 0x18,
	READ_ONLY_0 = 0x20,
	EXECUTE_ONLY_0 = 0x28,
	CONFORMING_0 = 0x30,
	ABSENT_0 = 0x38,
	DOWN_16 = 0x40,
	DOWN_32 = 0x48,
	LDT_SELECTOR = 0x50,
	TSS_SELECTOR = 0x58,
	GATE_0 = 0x60,
	BIG_0 = 0x68, /* granularity of pages: limit 0xffffff */
	INTERRUPT_GATE = 0x70,
	CODE_3 = 0x78,
	RESERVED_0 = 0x80, /* a system type that does not exist */
	LIMIT = 0x87,
	LOCAL_DATA_0 = 0x04, /* in the LDT; its only entry */
};

static uint64_t descriptor(uint8_t type)
{
	return UINT64_C(0x0040000100000fff) | (uint64_t)type << 40;
}

static void make_tables(struct x86_machine *m)
{
	static const uint8_t types[] = {
		[CODE_0 / 8] = 0x9a,
		[DATA_0 / 8] = 0x92,
		[DATA_3 / 8] = 0xf2,
		[READ_ONLY_0 / 8] = 0x90,
		[EXECUTE_ONLY_0 / 8] = 0x98,
		[CONFORMING_0 / 8] = 0x9e,
		[ABSENT_0 / 8] = 0x12,
		[DOWN_16 / 8] = 0x96,
		[DOWN_32 / 8] = 0x96,
		[LDT_SELECTOR / 8] = 0x82,
		[TSS_SELECTOR / 8] = 0x89,
		[GATE_0 / 8] = 0x8c,
		[BIG_0 / 8] = 0x92,
		[INTERRUPT_GATE / 8] = 0x8e,
		[CODE_3 / 8] = 0xfa,
		[RESERVED_0 / 8] = 0x80,
	};

	for (unsigned i = 0; i < sizeof types; i++)
		x86_machine_store64(m, GDT + 8 * i, types[i] ? descriptor(types[i]) : 0);
	x86_machine_store64(
		m, GDT + DOWN_16, descriptor(0x96) & ~(UINT64_C(1) << 54)); /* clear B */
	x86_machine_store64(m, GDT + BIG_0, descriptor(0x92) | UINT64_C(1) << 55);
	x86_machine_store64(m, LDT, descriptor(0x92));
	m->cpu.gdtr = (struct x86_table){GDT, LIMIT};
	m->cpu.ldtr = (struct x86_segment){LDT_SELECTOR, 0x82, 7, LDT};
}

/* --- loads ------------------------------------------------------------------------------------ */

struct load {
	const char *name;
	unsigned number, cpl;
	uint16_t selector;
	unsigned vector; /* X86_NO_VECTOR: it works */
	uint32_t error;
};

static const struct load loads[] = {
	{"3.4.2 DS: null", X86_DS, 0, 3, X86_NO_VECTOR, 0},
	{"3.4.2 DS: data", X86_DS, 0, DATA_0, X86_NO_VECTOR, 0},
	{"5.5 DS: data of the LDT", X86_DS, 0, LOCAL_DATA_0, X86_NO_VECTOR, 0},
	{"5.3 DS: beyond the GDT", X86_DS, 0, LIMIT + 1 + 3, X86_GP, LIMIT + 1},
	{"5.3 DS: beyond the LDT", X86_DS, 0, 8 + LOCAL_DATA_0, X86_GP, 8 + LOCAL_DATA_0},
	{"5.5 DS: RPL above DPL", X86_DS, 0, DATA_0 + 1, X86_GP, DATA_0},
	{"5.5 DS: CPL above DPL", X86_DS, 3, DATA_0, X86_GP, DATA_0},
	{"5.5 DS: a user's data at CPL 0", X86_DS, 0, DATA_3 + 3, X86_NO_VECTOR, 0},
	{"5.5 DS: read-only data", X86_DS, 0, READ_ONLY_0, X86_NO_VECTOR, 0},
	{"5.4.1 DS: execute-only code", X86_DS, 0, EXECUTE_ONLY_0, X86_GP, EXECUTE_ONLY_0},
	{"5.4.1 DS: code that can be read", X86_DS, 0, CODE_0, X86_NO_VECTOR, 0},
	{"5.5.1 DS: conforming code at any CPL", X86_DS, 3, CONFORMING_0 + 3, X86_NO_VECTOR, 0},
	{"5.4.1 DS: an LDT", X86_DS, 0, LDT_SELECTOR, X86_GP, LDT_SELECTOR},
	{"5.4.1 DS: a gate", X86_DS, 0, GATE_0, X86_GP, GATE_0},
	{"6.15 DS: not present", X86_DS, 0, ABSENT_0, X86_NP, ABSENT_0},
	{"5.7 SS: writable data", X86_SS, 0, DATA_0, X86_NO_VECTOR, 0},
	{"5.4.1 SS: null", X86_SS, 0, 0, X86_GP, 0},
	{"5.7 SS: RPL is not CPL", X86_SS, 0, DATA_0 + 3, X86_GP, DATA_0},
	{"5.7 SS: DPL is not CPL", X86_SS, 0, DATA_3, X86_GP, DATA_3},
	{"5.7 SS: at CPL 3", X86_SS, 3, DATA_3 + 3, X86_NO_VECTOR, 0},
	{"5.4.1 SS: read-only data", X86_SS, 0, READ_ONLY_0, X86_GP, READ_ONLY_0},
	{"5.4.1 SS: code", X86_SS, 0, CODE_0, X86_GP, CODE_0},
	{"6.15 SS: not present", X86_SS, 0, ABSENT_0, X86_SS_FAULT, ABSENT_0},
};

static void check_load(struct x86_machine *m, const struct load *load)
{
	gpa_t at = load->selector & 4 ? LDT : GDT + (load->selector & 0xfff8);
	struct x86_cpu *cpu = &m->cpu;
	struct x86_segment before;

	make_tables(m);
	x86_machine_protect(m);
	x86_set_cpl(cpu, (uint8_t)load->cpl);
	before = cpu->segment[load->number];
	attempt(m, x86_load_segment(cpu, load->number, load->selector));
	if (load->vector == X86_NO_VECTOR) {
		ok(!m->raised && cpu->segment[load->number].selector == load->selector,
			"%s: loaded", load->name);
		ok(load->selector < 4 || (m->ram[at + 5] & 1), "3.4.5.1 %s: accessed", load->name);
	} else {
		ok(x86_machine_raised(m, load->vector, load->error), "%s: raised", load->name);
		ok(memcmp(&before, &cpu->segment[load->number], sizeof before) == 0 &&
				!(m->ram[at + 5] & 0x10 && m->ram[at + 5] & 1),
			"6.5 %s: nothing is changed", load->name);
	}
}

static void test_loads(struct x86_machine *m)
{
	for (unsigned i = 0; i < sizeof loads / sizeof *loads; i++)
		check_load(m, &loads[i]);
	x86_set_cpl(&m->cpu, 0);
}

static void test_hidden_part(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	const struct x86_segment *ds = &cpu->segment[X86_DS];

	make_tables(m);
	x86_machine_protect(m);
	x86_load_segment(cpu, X86_DS, DATA_0);
	ok(ds->base == 0x10000 && ds->limit == 0xfff && ds->rights == 0x4093,
		"3.4.5 base, limit and rights");
	x86_load_segment(cpu, X86_DS, BIG_0);
	is(ds->limit, 0xffffff, "3.4.5 limit in pages");
	x86_machine_store64(m, GDT + DATA_0, UINT64_C(0xab0f93cdef120fff));
	x86_load_segment(cpu, X86_DS, DATA_0);
	ok(ds->base == 0xabcdef12 && ds->limit == 0xf0fff, "3.4.5 parts of base and limit");

	make_tables(m);
	cpu->gdtr.limit = DATA_0 + 6;
	attempt(m, x86_load_segment(cpu, X86_DS, DATA_0));
	ok(x86_machine_raised(m, X86_GP, DATA_0),
		"3.5.1 a descriptor must lie in the table as a whole");
	cpu->gdtr.limit = LIMIT;

	/* A constant GDT in read-only memory: the accessed flag is the CPU's own write. */
	x86_machine_store64(m, X86_ROM + DATA_0, descriptor(0x92));
	cpu->gdtr.base = X86_ROM;
	m->bus_calls = 0;
	attempt(m, x86_load_segment(cpu, X86_DS, DATA_0));
	ok(!m->raised && m->bus_calls == 0 && ds->base == 0x10000,
		"3.4.5.1 a descriptor in read-only memory is loaded");
	is(m->ram[X86_ROM + DATA_0 + 5], 0x93, "3.4.5.1 and becomes accessed");
}

static void test_real_mode(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_cpu_reset(cpu, false);
	ok(cpu->segment[X86_CS].base == 0xffff0000 && cpu->segment[X86_CS].selector == 0xf000 &&
			cpu->eip == 0xfff0,
		"10.1.4 the first instruction is at 0xfffffff0");
	x86_load_segment(cpu, X86_DS, 0x1234);
	ok(cpu->segment[X86_DS].base == 0x12340 && cpu->segment[X86_DS].limit == 0xffff,
		"21.1.1 real mode: base is 16 times the selector");
	attempt(m, x86_linear(cpu, X86_DS, 0xffff, 2, X86_READ));
	ok(x86_machine_raised(m, X86_GP, 0), "21.1.1 real mode: the limit holds");
	attempt(m, x86_linear(cpu, X86_SS, 0xffff, 2, X86_READ));
	ok(x86_machine_raised(m, X86_SS_FAULT, 0), "21.1.1 real mode: #SS for the stack");
	attempt(m, x86_linear(cpu, X86_CS, 0x10, 2, X86_WRITE));
	ok(!m->raised, "21.1.1 real mode: code can be written");
	cpu->segment[X86_DS].limit = 0xffffffff;
	x86_load_segment(cpu, X86_DS, 0x10);
	is(cpu->segment[X86_DS].limit, 0xffffffff, "10.9.2 a limit of protected mode stays");
	cpu->segment[X86_DS] = (struct x86_segment){0};
	x86_load_segment(cpu, X86_DS, 0x10);
	is(cpu->segment[X86_DS].limit, 0xffff, "21.1.1 but not that of a null selector");
}

/* --- limits ----------------------------------------------------------------------------------- */

struct check {
	const char *name;
	unsigned number;
	uint16_t selector;
	uint32_t offset;
	unsigned size, access;
	bool works;
};

static const struct check checks[] = {
	{"5.3 the last byte", X86_DS, DATA_0, 0xfff, 1, X86_WRITE, true},
	{"5.3 up to the last byte", X86_DS, DATA_0, 0xffc, 4, X86_WRITE, true},
	{"5.3 over the last byte", X86_DS, DATA_0, 0xffd, 4, X86_WRITE, false},
	{"5.3 behind the last byte", X86_DS, DATA_0, 0x1000, 1, X86_READ, false},
	{"5.3 far behind", X86_DS, DATA_0, 0xffffffff, 4, X86_READ, false},
	{"5.3 expand-down: the limit itself", X86_DS, DOWN_32, 0xfff, 1, X86_READ, false},
	{"5.3 expand-down: above", X86_DS, DOWN_32, 0x1000, 4, X86_WRITE, true},
	{"5.3 expand-down: 32 bits", X86_DS, DOWN_32, 0xfffffffc, 4, X86_WRITE, true},
	{"5.3 expand-down: wrap", X86_DS, DOWN_32, 0xfffffffd, 4, X86_WRITE, false},
	{"5.3 expand-down: 16 bits", X86_DS, DOWN_16, 0xfffc, 4, X86_WRITE, true},
	{"5.3 expand-down: over 16 bits", X86_DS, DOWN_16, 0xfffd, 4, X86_WRITE, false},
	{"5.4.1 read-only data read", X86_DS, READ_ONLY_0, 0, 4, X86_READ, true},
	{"5.4.1 read-only data written", X86_DS, READ_ONLY_0, 0, 4, X86_WRITE, false},
	{"5.4.1 code read", X86_DS, CODE_0, 0, 4, X86_READ, true},
	{"5.4.1 code written", X86_DS, CODE_0, 0, 4, X86_WRITE, false},
	{"5.4.1 conforming code is not expand-down", X86_DS, CONFORMING_0, 0, 4, X86_READ, true},
	{"5.4.1 null", X86_DS, 0, 0, 1, X86_READ, false},
	{"5.3 stack over its limit", X86_SS, DATA_0, 0xffd, 4, X86_READ, false},
};

static void check_limit(struct x86_machine *m, const struct check *check)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_load_segment(cpu, check->number, check->selector);
	attempt(m, m->value = x86_linear(
			   cpu, check->number, check->offset, check->size, check->access));
	if (check->works)
		ok(!m->raised && m->value == (uint32_t)(0x10000 + check->offset), "%s",
			check->name);
	else
		ok(x86_machine_raised(m, check->number == X86_SS ? X86_SS_FAULT : X86_GP, 0), "%s",
			check->name);
}

static void test_limits(struct x86_machine *m)
{
	make_tables(m);
	x86_machine_protect(m);
	for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++)
		check_limit(m, &checks[i]);
	x86_machine_protect(m);
	attempt(m, m->value = x86_linear(&m->cpu, X86_DS, 0xfffffffe, 4, X86_READ));
	ok(!m->raised && m->value == 0xfffffffe, "5.3 a flat segment lets an access wrap");
}

static void test_flat(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	struct x86_segment data = {0x10, 0xc093, 0xffffffff, 0};
	uint32_t generation;

	make_tables(m);
	x86_machine_protect(m);
	ok(x86_segments_are_flat(cpu), "flat: all four are");
	generation = cpu->map_generation;
	x86_set_segment(cpu, X86_DS, &data);
	x86_load_segment(cpu, X86_FS, DATA_0);
	ok(x86_segments_are_flat(cpu) && cpu->map_generation == generation,
		"flat: FS does not count, and the same again is no change");
	x86_load_segment(cpu, X86_ES, DATA_0);
	ok(!x86_segments_are_flat(cpu), "flat: ES counts");
	ok(cpu->map_generation != generation, "flat: blocks are looked up again");
	x86_set_segment(cpu, X86_ES, &data);
	ok(x86_segments_are_flat(cpu), "flat: ES is again");
	data.rights &= (uint16_t)~X86_SEGMENT_WRITE;
	x86_set_segment(cpu, X86_DS, &data);
	ok(!x86_segments_are_flat(cpu), "flat: a DS that cannot be written is not");
	x86_set_segment(cpu, X86_DS, &(struct x86_segment){0});
	ok(!x86_segments_are_flat(cpu), "flat: a null DS is not");
	x86_machine_protect(m);
}

/* --- instructions ----------------------------------------------------------------------------- */

static const struct x86_operands in_register = {
	.reg = X86_RCX, .rm = X86_RAX, .operand_size = 4, .address_size = 4};

struct look {
	const char *name;
	unsigned cpl;
	uint16_t selector;
	bool lar, lsl, verr, verw;
};

static const struct look looks[] = {
	{"null", 0, 0, false, false, false, false},
	{"beyond the table", 0, LIMIT + 1, false, false, false, false},
	{"data", 0, DATA_0, true, true, true, true},
	{"data, CPL above DPL", 3, DATA_0, false, false, false, false},
	{"data, RPL above DPL", 0, DATA_0 + 3, false, false, false, false},
	{"a user's data at CPL 3", 3, DATA_3 + 3, true, true, true, true},
	{"read-only data", 0, READ_ONLY_0, true, true, true, false},
	{"code", 0, CODE_0, true, true, true, false},
	{"execute-only code", 0, EXECUTE_ONLY_0, true, true, false, false},
	{"conforming code at CPL 3", 3, CONFORMING_0, true, true, true, false},
	{"data not present", 0, ABSENT_0, true, true, true, true},
	{"an LDT", 0, LDT_SELECTOR, true, true, false, false},
	{"a TSS", 0, TSS_SELECTOR, true, true, false, false},
	{"a call gate", 0, GATE_0, true, false, false, false},
	{"an interrupt gate", 0, INTERRUPT_GATE, false, false, false, false},
	{"a reserved type", 0, RESERVED_0, false, false, false, false},
};

static bool zf(const struct x86_machine *m)
{
	return x86_eflags(&m->cpu) & X86_ZF;
}

static void test_looks(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	make_tables(m);
	x86_machine_protect(m);
	for (unsigned i = 0; i < sizeof looks / sizeof *looks; i++) {
		const struct look *look = &looks[i];
		uint32_t high = x86_machine_load(m, GDT + (look->selector & 0xfff8) + 4);

		x86_set_cpl(cpu, (uint8_t)look->cpl);
		cpu->reg[X86_RAX] = look->selector;
		cpu->reg[X86_RCX] = 0x55555555;
		x86_op_lar(cpu, &in_register);
		ok(zf(m) == look->lar &&
				cpu->reg[X86_RCX] == (look->lar ? high & 0xf0ff00 : 0x55555555),
			"SDM 2 LAR: %s", look->name);
		cpu->reg[X86_RCX] = 0x55555555;
		x86_op_lsl(cpu, &in_register);
		ok(zf(m) == look->lsl && cpu->reg[X86_RCX] == (look->lsl ? 0xfff : 0x55555555),
			"SDM 2 LSL: %s", look->name);
		x86_op_verr(cpu, &in_register);
		is(zf(m), look->verr, "SDM 2 VERR: %s", look->name);
		x86_op_verw(cpu, &in_register);
		is(zf(m), look->verw, "SDM 2 VERW: %s", look->name);
	}
	x86_set_cpl(cpu, 0);
}

static void test_arpl(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_machine_protect(m);
	cpu->reg[X86_RAX] = 0x11;
	cpu->reg[X86_RCX] = 0x0b;
	x86_op_arpl(cpu, &in_register);
	ok(zf(m) && (cpu->reg[X86_RAX] & 0xffff) == 0x13, "SDM 2 ARPL raises the RPL");
	x86_op_arpl(cpu, &in_register);
	ok(!zf(m) && (cpu->reg[X86_RAX] & 0xffff) == 0x13, "SDM 2 ARPL leaves an equal one");
	x86_cpu_reset(cpu, false);
	attempt(m, x86_op_arpl(cpu, &in_register));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "21.1.3 ARPL in real mode: #UD");
	attempt(m, x86_op_lar(cpu, &in_register));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "21.1.3 LAR in real mode: #UD");
}

static void test_moves(struct x86_machine *m)
{
	struct x86_operands to = {.reg = X86_SS, .rm = X86_RAX, .operand_size = 4};
	struct x86_cpu *cpu = &m->cpu;

	make_tables(m);
	x86_machine_protect(m);
	cpu->reg[X86_RAX] = DATA_0;
	cpu->shadow = false;
	x86_op_mov_to_segment(cpu, &to);
	ok(cpu->segment[X86_SS].selector == DATA_0 && cpu->shadow,
		"6.8.3 MOV SS holds interrupts off for an instruction");
	cpu->shadow = false;
	to.reg = X86_DS;
	x86_op_mov_to_segment(cpu, &to);
	ok(cpu->segment[X86_DS].selector == DATA_0 && !cpu->shadow, "6.8.3 MOV DS does not");
	to.reg = X86_CS;
	attempt(m, x86_op_mov_to_segment(cpu, &to));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 MOV CS: #UD");
	to.reg = 6;
	attempt(m, x86_op_mov_to_segment(cpu, &to));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 MOV to segment register 6: #UD");
	attempt(m, x86_op_mov_from_segment(cpu, &to));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 MOV from segment register 6: #UD");
	to.reg = X86_SS;
	cpu->reg[X86_RAX] = 0xffffffff;
	x86_op_mov_from_segment(cpu, &to);
	is(cpu->reg[X86_RAX], DATA_0, "SDM 2 MOV from SS zero-extends");
}

static void test_stack_and_pointers(struct x86_machine *m)
{
	static const struct x86_operands pop = {.reg = X86_DS, .operand_size = 4};
	struct x86_operands les = {.opcode = 0xc4,
		.reg = X86_RBX,
		.base = X86_ZERO,
		.index = X86_ZERO,
		.displacement = 0x4000,
		.segment = X86_DS,
		.operand_size = 4,
		.address_size = 4,
		.is_memory = true};
	struct x86_cpu *cpu = &m->cpu;

	make_tables(m);
	x86_machine_protect(m);
	cpu->reg[X86_RSP] = 0x8000;
	x86_machine_store(m, 0x8000, 0xffff0000 | DATA_0);
	attempt(m, x86_op_pop_segment(cpu, &pop));
	ok(!m->raised && cpu->segment[X86_DS].selector == DATA_0 && cpu->reg[X86_RSP] == 0x8004,
		"SDM 2 POP DS pops 4 bytes");
	x86_machine_store(m, 0x8004, ABSENT_0);
	attempt(m, x86_op_pop_segment(cpu, &pop));
	ok(x86_machine_raised(m, X86_NP, ABSENT_0) && cpu->reg[X86_RSP] == 0x8004,
		"6.5 POP DS that faults pops nothing");
	x86_machine_protect(m);
	x86_machine_store64(m, 0x4000, UINT64_C(0x001089abcdef));
	attempt(m, x86_op_load_far_pointer(cpu, &les));
	ok(!m->raised && cpu->segment[X86_ES].selector == DATA_0 && cpu->reg[X86_RBX] == 0x89abcdef,
		"SDM 2 LES loads ES and the register");
	x86_machine_store64(m, 0x4000, UINT64_C(0x003811111111));
	attempt(m, x86_op_load_far_pointer(cpu, &les));
	ok(x86_machine_raised(m, X86_NP, ABSENT_0) && cpu->reg[X86_RBX] == 0x89abcdef,
		"6.5 LES that faults loads neither");
	les.is_memory = false;
	attempt(m, x86_op_load_far_pointer(cpu, &les));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 LES of a register: #UD");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_real_mode(m);
	test_loads(m);
	test_hidden_part(m);
	test_limits(m);
	test_flat(m);
	test_looks(m);
	test_arpl(m);
	test_moves(m);
	test_stack_and_pointers(m);
	x86_machine_free(m);
	return tap_done();
}
