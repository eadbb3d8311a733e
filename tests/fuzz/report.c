/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports of crashes, of a CPU whose registers, stack, code, descriptor tables and page tables are
 * the input's. Each report ends after a bounded number of lines of bounded length. An input is the
 * kind of report, the registers, and pieces of memory: address, length, bytes.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../fake_cpu.h"
#include "cpu/crash.h"
#include "fuzz_log.h"
#include "input.h"

/* A report fits a terminal of 24 lines, but for chains of callers and branches with long names. */
#define LINES_MAX  48
#define LENGTH_MAX 800 /* bytes of a line: of an exception, with its cause */

#define LONG_NAME                                                                       \
	"a_function_with_a_name_that_is_longer_than_any_line_in_which_it_may_be_shown_" \
	"since_compilers_make_such_names_of_templates_and_of_modules_with_all_their_parts"

static const struct fake_symbol symbols[] = {
	{0x1000, "main"}, {0x2000, "inner"}, {0x2010, LONG_NAME}, {0x8000, "stack"}, {0, NULL}};

static uint64_t take_address(struct input *in)
{
	uint64_t value = take(in, 4);

	/* An odd one is anything, also of 64 bits; the others are mostly in RAM. */
	return value & 1 ? value << 32 | take(in, 4) : value % (FAKE_RAM_SIZE + 0x1000);
}

static struct cpu_segment take_segment(struct input *in)
{
	unsigned how = (unsigned)take(in, 1);

	return (struct cpu_segment){
		.selector = (uint16_t)take(in, 2),
		.base = how & 1 ? take_address(in) : 0,
		.limit = how & 2 ? (uint32_t)take(in, 4) : UINT32_MAX,
	};
}

static void take_registers(struct input *in, struct cpu_registers *r)
{
	for (unsigned i = 0; i < 16; i++)
		r->general[i] = take_address(in);
	r->rip = take_address(in);
	r->rflags = take(in, 4);
	r->cr0 = take(in, 4);
	r->cr2 = take_address(in);
	r->cr3 = take_address(in);
	r->cr4 = take(in, 4);
	r->efer = take(in, 2);
	r->cs = take_segment(in);
	r->ss = take_segment(in);
	r->ds = r->es = take_segment(in);
	r->ldt = take_segment(in);
	r->tr = take_segment(in);
	r->gdt = (struct cpu_table){take_address(in), (uint16_t)take(in, 2)};
	r->idt = (struct cpu_table){take_address(in), (uint16_t)take(in, 2)};
}

static struct cpu_fault take_fault(struct input *in, const struct cpu_registers *r)
{
	unsigned how = (unsigned)take(in, 1);

	return (struct cpu_fault){
		.vector = (unsigned)take(in, 1),
		.has_error = how & 1,
		.by_instruction = how & 2,
		.is_at_entry = how & 4,
		.error = (uint32_t)take(in, 4),
		.rip = how & 8 ? take_address(in) : r->rip,
		.cr2 = r->cr2,
		.source = how & 16 ? "pin 3 (block)" : NULL,
	};
}

static void take_branches(struct input *in, struct fake_cpu *fake)
{
	fake->branch_count = (unsigned)take(in, 1) % (CPU_BRANCHES + 1);
	for (unsigned i = 0; i < fake->branch_count; i++)
		fake->branches[i] = (struct cpu_branch){.from = take_address(in),
			.to = take_address(in),
			.vector = (int)take(in, 2) - 1};
}

static void take_memory(struct input *in, struct fake_cpu *fake)
{
	while (input_left(in) > 0) {
		uint32_t address = (uint32_t)take(in, 3) % FAKE_RAM_SIZE;
		const uint8_t *bytes;
		size_t len = take_bytes(in, (size_t)take(in, 1) + 1, &bytes);

		if (len > FAKE_RAM_SIZE - address)
			len = FAKE_RAM_SIZE - address;
		memcpy(&fake->ram[address], bytes, len);
	}
}

static void report(struct fake_cpu *fake, unsigned kind, const struct cpu_fault faults[3],
	uint64_t address, uint64_t value)
{
	static const struct cpu_lack lack = {"an x87 FPU", "compile it without"};
	unsigned len = 1u << (kind >> 4 & 3);
	struct cpu *cpu = &fake->cpu;
	uint8_t data[8];

	memcpy(data, &value, sizeof data);
	switch (kind & 7) {
	case 0:
		crash_triple_fault(cpu, faults, kind >> 4 & 3);
		break;
	case 1:
		crash_exception(cpu, &faults[0], &fake->registers);
		break;
	case 2:
		crash_instruction(cpu);
		break;
	case 3:
		crash_lacking(cpu, &lack);
		break;
	case 4:
		crash_mmio(cpu, address, kind & 8, data, len, kind & 64 ? -EROFS : -ENXIO);
		break;
	case 5:
		crash_port(cpu, (uint16_t)address, kind & 8, data, len < 8 ? len : 4);
		break;
	case 6:
		crash_own_write(cpu, address, kind & 8 ? CPU_SAVES_TASK : CPU_WRITES_PAGE_FLAGS);
		break;
	default:
		warn_lacking(cpu, &lack, address);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_cpu fake;
	struct input in = input_of(data, size);
	unsigned kind = (unsigned)take(&in, 1), how = (unsigned)take(&in, 1);
	struct cpu_fault faults[3];
	uint64_t address, value;

	fake_cpu_init(&fake);
	fake.cpu.id = how >> 4 & 1;
	fake.has_paging = how & 1;
	fake.region.writable = !(how & 2);
	if (how & 4)
		fake_cpu_make_inexact(&fake);
	if (how & 8)
		fake.symbols = symbols;
	if (how & 32)
		fake.registers_error = how & 64 ? -ENODATA : -EIO;
	take_registers(&in, &fake.registers);
	for (unsigned i = 0; i < 3; i++)
		faults[i] = take_fault(&in, &fake.registers);
	address = take_address(&in);
	value = take_address(&in);
	take_branches(&in, &fake);
	take_memory(&in, &fake);

	fuzz_log_lines = 0;
	fuzz_log_longest = 0;
	report(&fake, kind, faults, address, value);
	assert(fake.reports == 1 && fake.reports_ended == 1);
	assert(fuzz_log_lines > 0 && fuzz_log_lines <= LINES_MAX);
	assert(fuzz_log_longest <= LENGTH_MAX);
	return 0;
}
