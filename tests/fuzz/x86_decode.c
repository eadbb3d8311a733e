/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes as code, in random modes: real and protected, 16 and 32 bits, with random
 * descriptors, page tables and interrupts, on two CPUs that share memory. Whatever they do, a CPU
 * stays within its budget, counts exactly, and touches nothing but its memory.
 */
#include "x86/x86.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

/* Guest-physical memory: RAM, then RAM that the guest may only read, then nothing. */
#define RAM_SIZE      0x20000u
#define READ_ONLY_LEN 0x2000u
#define PAGE          0x1000u
#define CODE          0x8000u
#define CODE_MAX      1024u
#define DIRECTORY     0xc000u /* with the page tables that a state may have */
#define TABLE         0xd000u

#define CPUS       2
#define ROUNDS     6
#define BUDGET_MAX 500

struct machine {
	struct x86_system system;
	struct gmem gmem;
	struct gmem_region regions[2];
	struct x86_cpu cpus[CPUS];
	struct input *in;
	uint32_t noise; /* what devices answer */
	uint8_t *ram;
};

static uint32_t next_noise(struct machine *machine)
{
	machine->noise = machine->noise * 1664525 + 1013904223;
	return machine->noise >> 8;
}

/* --- surroundings ----------------------------------------------------------------------------- */

/* Now and then a device ends the quantum, seldom the machine. */
static bool go_on(struct machine *machine, struct x86_cpu *cpu)
{
	uint32_t noise = next_noise(machine) & 0xff;

	if (noise < 16)
		x86_break(cpu);
	return noise != 255;
}

static bool access_port(
	void *ctx, struct x86_cpu *cpu, uint16_t port, bool is_write, uint32_t *value, unsigned len)
{
	(void)port;
	assert(len == 1 || len == 2 || len == 4);
	if (!is_write)
		*value = next_noise(ctx);
	return go_on(ctx, cpu);
}

static bool access_mmio(
	void *ctx, struct x86_cpu *cpu, uint64_t gpa, bool is_write, uint64_t *value, unsigned len)
{
	assert(len >= 1 && len <= 8 && gpa % PAGE + len <= PAGE);
	/* RAM comes here for stores to its read-only part alone. */
	assert(gpa >= RAM_SIZE);
	assert(is_write || gpa >= RAM_SIZE + READ_ONLY_LEN);
	if (!is_write)
		*value = next_noise(ctx);
	return go_on(ctx, cpu);
}

static int acknowledge(void *ctx, struct x86_cpu *cpu)
{
	uint32_t noise = next_noise(ctx);

	assert(cpu->eflags & X86_IF);
	return noise & 0x700 ? -1 : (int)(noise & 0xff);
}

static uint64_t tsc(void *ctx, struct x86_cpu *cpu)
{
	(void)cpu;
	return next_noise(ctx);
}

static bool read_msr(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t *value)
{
	(void)cpu;
	(void)msr;
	*value = next_noise(ctx);
	return *value & 1;
}

static bool write_msr(void *ctx, struct x86_cpu *cpu, uint32_t msr, uint64_t value)
{
	(void)cpu;
	(void)msr;
	(void)value;
	return next_noise(ctx) & 1;
}

static const struct x86_bus bus = {
	.port = access_port,
	.mmio = access_mmio,
	.acknowledge = acknowledge,
	.tsc = tsc,
	.read_msr = read_msr,
	.write_msr = write_msr,
};

/* --- a state ---------------------------------------------------------------------------------- */

/* A segment register as loads of any descriptor could have left it. */
static struct x86_segment take_segment(struct input *in, bool is_protected, bool is_code)
{
	unsigned kind = (unsigned)take(in, 1);
	uint16_t rights = X86_SEGMENT_P | X86_SEGMENT_S | (is_code ? 0xb : 3);
	struct x86_segment segment = {.selector = (uint16_t)take(in, 2)};

	segment.base = is_protected ? 0 : (uint64_t)segment.selector << 4;
	segment.limit = is_protected ? UINT32_MAX : 0xffff;
	if (kind & 1)
		rights |= X86_SEGMENT_DB | X86_SEGMENT_G;
	if (kind & 2)
		rights |= (uint16_t)take(in, 1) & 0x67;
	if (kind & 4)
		segment.limit = (uint32_t)take(in, 3);
	if (kind & 8)
		segment.base = take(in, 3);
	segment.rights = rights;
	return segment;
}

static struct x86_segment take_system_segment(struct input *in)
{
	static const uint16_t types[] = {0x81, 0x82, 0x83, 0x89, 0x8b};

	return (struct x86_segment){
		.selector = (uint16_t)take(in, 2),
		.rights = types[take(in, 1) % (sizeof types / sizeof *types)],
		.limit = (uint32_t)take(in, 1),
		.base = take(in, 2),
	};
}

static void take_segments(struct input *in, struct x86_cpu *cpu)
{
	bool is_protected = cpu->cr0 & X86_CR0_PE;

	for (unsigned i = 0; i < X86_SEGMENTS; i++) {
		struct x86_segment segment = take_segment(in, is_protected, i == X86_CS);

		x86_set_segment(cpu, i, &segment);
	}
	cpu->ldtr = take_system_segment(in);
	cpu->tr = take_system_segment(in);
	cpu->gdtr = (struct x86_table){take(in, 2), (uint16_t)take(in, 1)};
	cpu->idtr = (struct x86_table){take(in, 2), (uint16_t)(take(in, 1) * 8)};
	x86_set_cpl(cpu, is_protected ? X86_SEGMENT_DPL(cpu->segment[X86_CS].rights) : 0);
}

static void take_state(struct input *in, struct x86_cpu *cpu)
{
	unsigned mode = (unsigned)take(in, 1);
	uint32_t eflags = (uint32_t)take(in, 2);

	cpu->cr0 = X86_CR0_ET | (mode & 1 ? X86_CR0_PE : 0) | (mode & 2 ? X86_CR0_WP : 0);
	if (mode & 1 && mode & 4)
		cpu->cr0 |= X86_CR0_PG;
	cpu->cr4 = (mode & 8 ? X86_CR4_PSE : 0) | (mode & 16 ? X86_CR4_PAE : 0) |
		   (mode & 32 ? X86_CR4_PGE : 0) | (mode & 64 ? X86_CR4_SMAP | X86_CR4_SMEP : 0);
	cpu->efer = mode & 128 ? X86_EFER_NXE : 0;
	cpu->cr3 = take(in, 1) % (RAM_SIZE / PAGE) * PAGE;
	for (unsigned i = 0; i < 4; i++)
		cpu->pdpte[i] = take(in, 1) % (RAM_SIZE / PAGE) * PAGE | 1;
	take_segments(in, cpu);
	for (unsigned i = 0; i < 8; i++)
		cpu->reg[i] = (uint32_t)take(in, 1 + (eflags >> (i & 7) & 1));
	x86_set_eflags(cpu, eflags & (X86_ARITHMETIC | X86_IF | X86_DF | X86_TF | X86_IOPL_MASK),
		~X86_FLAG_ONE);
	cpu->halted = false;
	cpu->eip = cpu->next_eip = (CODE - cpu->segment[X86_CS].base) & 0xffffffff;
	x86_tlb_flush(cpu, false);
	x86_mode_changed(cpu);
}

/* Page tables that map the first pages to themselves, but for a few that are random (SDM 3, 4.3 and
 * 4.4). Without them nearly all paging would end in a triple fault. */
static void make_page_tables(struct machine *machine, struct x86_cpu *cpu)
{
	const size_t size = cpu->cr4 & X86_CR4_PAE ? 8 : 4;
	uint64_t entry = TABLE | 7;

	memset(machine->ram + DIRECTORY, 0, 2 * PAGE);
	memcpy(machine->ram + DIRECTORY, &entry, size);
	for (uint32_t i = 0; i < PAGE / size; i++) {
		uint32_t noise = next_noise(machine);

		entry = (uint64_t)i << 12 | (noise & 0xf0 ? 7 : noise >> 8 & 0xfff);
		memcpy(machine->ram + TABLE + i * size, &entry, size);
	}
	cpu->cr3 = DIRECTORY;
	cpu->pdpte[0] = DIRECTORY | 1;
}

/* --- runs ------------------------------------------------------------------------------------- */

static void check_run(struct x86_cpu *cpu, int64_t budget)
{
	uint64_t before = cpu->instructions;
	enum x86_stop stop = x86_run(cpu, budget);
	uint64_t done = cpu->instructions - before;

	assert(done <= (uint64_t)budget);
	assert(stop != X86_STOP_BUDGET || done == (uint64_t)budget);
	assert(cpu->cpl <= 3 && cpu->eflags & X86_FLAG_ONE);
	assert((x86_eflags(cpu) & ~X86_ARITHMETIC) == (cpu->eflags & ~X86_ARITHMETIC));
	for (unsigned i = 0; i < X86_REGISTERS; i++)
		assert(i == X86_TEMP || cpu->reg[i] <= UINT32_MAX);
	assert(cpu->reg[X86_ZERO] == 0);
	/* An interrupt wakes it, or a watchdog resets it. */
	if (stop == X86_STOP_HALTED)
		cpu->halted = false;
	else if (stop == X86_STOP_SHUTDOWN)
		x86_cpu_reset(cpu, before & 1);
}

/* A device writes over code. */
static void write_memory(struct machine *machine, struct input *in)
{
	gpa_t gpa = CODE + take(in, 1);
	uint8_t byte = (uint8_t)take(in, 1);
	int error = gmem_write(&machine->gmem, gpa, &byte, 1);

	assert(error == 0);
}

static void run(struct machine *machine, struct input *in)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CPUS; i++) {
			int64_t budget = 1 + (int64_t)take(in, 2) % BUDGET_MAX;

			check_run(&machine->cpus[i], budget);
		}
		write_memory(machine, in);
	}
}

/* What is in memory: code where both CPUs begin, and the rest of the input over and over, so that
 * whatever is taken for a descriptor or a page table is not all zero. */
static void fill_memory(struct machine *machine, struct input *in)
{
	const uint8_t *code, *rest;
	size_t code_len = take_bytes(in, CODE_MAX, &code);
	size_t rest_len = take_bytes(in, PAGE, &rest);

	for (size_t i = 0; rest_len > 0 && i < RAM_SIZE + READ_ONLY_LEN; i++)
		machine->ram[i] = rest[i % rest_len];
	memcpy(machine->ram + CODE, code, code_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *machine = calloc(1, sizeof *machine);
	struct input in = input_of(data, size), states;
	const uint8_t *bytes;

	assert(machine);
	machine->ram = aligned_alloc(PAGE, RAM_SIZE + READ_ONLY_LEN);
	assert(machine->ram);
	memset(machine->ram, 0, RAM_SIZE + READ_ONLY_LEN);
	machine->regions[0] = (struct gmem_region){0, RAM_SIZE, machine->ram, true};
	machine->regions[1] =
		(struct gmem_region){RAM_SIZE, READ_ONLY_LEN, machine->ram + RAM_SIZE, false};
	machine->gmem = (struct gmem){.regions = machine->regions,
		.count = 2,
		.written = x86_memory_written,
		.written_ctx = &machine->system};
	machine->system = (struct x86_system){.gmem = &machine->gmem,
		.bus = &bus,
		.ctx = machine,
		.tsc_khz = 1000000,
		.apic_khz = 1000000,
		.cpu_count = CPUS,
		.cpus = machine->cpus};
	/* The first 256 bytes choose states and budgets, what follows is memory. */
	size = take_bytes(&in, 256, &bytes);
	states = input_of(bytes, size);
	machine->noise = (uint32_t)take(&states, 2);
	fill_memory(machine, &in);
	for (unsigned i = 0; i < CPUS; i++) {
		int error = x86_cpu_init(&machine->cpus[i], &machine->system, i);

		assert(error == 0);
		take_state(&states, &machine->cpus[i]);
		if (take(&states, 1) & 1)
			make_page_tables(machine, &machine->cpus[i]);
	}
	run(machine, &states);
	for (unsigned i = 0; i < CPUS; i++)
		x86_cpu_free(&machine->cpus[i]);
	free(machine->ram);
	free(machine);
	return 0;
}
