/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/monitor_tables.h"

#include <inttypes.h>

#include "cpu/page_walk.h"
#include "cpu/place.h"
#include "cpu/register_bits.h"

static bool read_registers(struct cpu *cpu, struct cpu_registers *registers, struct text *text)
{
	if (cpu->ops->registers(cpu, registers) == 0)
		return true;
	text_line(text, "the registers of CPU %u are lost", cpu->id);
	return false;
}

void monitor_pages(struct cpu *cpu, uint64_t linear, struct text *text)
{
	struct cpu_registers registers;
	struct page_walk walk;
	char reason[200];

	if (!read_registers(cpu, &registers, text))
		return;
	if (linear > UINT32_MAX && !(registers.efer & X86_EFER_LMA)) {
		text_line(text,
			"0x%" PRIx64 ": beyond 4 GiB, where addresses end outside of long mode",
			linear);
		return;
	}
	if (!page_walk(cpu->gmem, &registers, linear, 0, &walk)) {
		text_line(text, "paging is off: 0x%08" PRIx64 " is itself", linear);
		return;
	}
	text_line(text, "  CR3 %08" PRIx64, walk.cr3);
	for (unsigned i = 0; i < walk.count; i++) {
		const struct page_walk_entry *entry = &walk.entry[i];

		text_line(text, "  %s 0x%x, at 0x%08" PRIx64 ": %08" PRIx64 "%s%s%s%s%s%s",
			entry->name, entry->index, entry->gpa, entry->value,
			entry->value & 0x01 ? ", present" : ", not present",
			entry->value & 0x02 ? ", writable" : ", read-only",
			entry->value & 0x04 ? ", user" : ", supervisor",
			entry->value & 0x20 ? ", accessed" : "",
			entry->value & 0x40 ? ", dirty" : "",
			entry->value & 0x100 ? ", global" : "");
	}
	if (walk.result == PAGE_WALK_PERMITTED) {
		text_line(text, "  0x%08" PRIx64 " is at 0x%08" PRIx64, linear, walk.gpa);
		return;
	}
	page_walk_explain(&walk, 0, reason, sizeof reason);
	text_line(text, "  0x%08" PRIx64 ": %s", linear, reason);
}

/* Reads entry number n of 8 bytes of a table. False if there is no memory. */
static bool read_entry(
	struct cpu *cpu, const struct cpu_table *table, unsigned n, uint32_t words[2])
{
	return cpu_read_linear(cpu, table->base + 8ull * n, words, 8) == 8;
}

static unsigned count_entries(const struct cpu_table *table)
{
	return (table->limit + 1u) / 8;
}

static const char *gate_type(unsigned type)
{
	switch (type) {
	case 0x5:
		return "task gate";
	case 0x6:
		return "16-bit interrupt gate";
	case 0x7:
		return "16-bit trap gate";
	case 0xe:
		return "interrupt gate";
	case 0xf:
		return "trap gate";
	default:
		return "not a gate";
	}
}

/* Gates of 64-bit mode have twice the size. */
static bool is_long(const struct cpu_registers *registers, struct text *text)
{
	if (registers->efer & X86_EFER_LMA)
		text_line(text, "this is shown for 32-bit kernels only");
	return registers->efer & X86_EFER_LMA;
}

void monitor_idt(struct cpu *cpu, struct text *text)
{
	struct cpu_registers registers;
	uint32_t words[2];

	if (!read_registers(cpu, &registers, text) || is_long(&registers, text))
		return;
	text_line(text, "  IDT at 0x%08" PRIx64 ", limit 0x%x", registers.idt.base,
		registers.idt.limit);
	for (unsigned i = 0; i < count_entries(&registers.idt) && i < 256; i++) {
		uint32_t offset;

		if (!read_entry(cpu, &registers.idt, i, words) || !(words[1] & 0x8000))
			continue;
		offset = (words[1] & 0xffff0000) | (words[0] & 0xffff);
		text_line(text, "  0x%02x: %s, DPL %u, 0x%04x:%s", i,
			gate_type(words[1] >> 8 & 0x1f), words[1] >> 13 & 3, words[0] >> 16,
			place_of(cpu, offset).text);
	}
}

/* By the type of a system descriptor (Intel SDM 3, table 3-2). */
static const char *system_type(unsigned type)
{
	static const char *const names[16] = {[1] = "16-bit TSS",
		[2] = "LDT",
		[3] = "16-bit TSS, busy",
		[4] = "16-bit call gate",
		[5] = "task gate",
		[9] = "TSS",
		[11] = "TSS, busy",
		[12] = "call gate"};

	return names[type] ? names[type] : "reserved type";
}

static void describe_segment(unsigned selector, const uint32_t words[2], struct text *text)
{
	uint32_t high = words[1];
	uint32_t base = (high & 0xff000000) | (high & 0xff) << 16 | words[0] >> 16;
	uint32_t limit = (high & 0xf0000) | (words[0] & 0xffff);
	unsigned type = high >> 8 & 15;

	if (high & 0x800000)
		limit = limit << 12 | 0xfff;
	text_add(text, "  0x%04x: base 0x%08x, limit 0x%08x, DPL %u, ", selector, base, limit,
		high >> 13 & 3);
	if (!(high & 0x1000))
		text_add(text, "%s", system_type(type));
	else if (type & 8)
		text_add(text, "code%s%s", type & 2 ? ", readable" : "",
			type & 4 ? ", conforming" : "");
	else
		text_add(text, "data%s%s", type & 2 ? ", writable" : "", type & 4 ? ", down" : "");
	text_line(text, "%s%s",
		!(high & 0x1000)  ? ""
		: high & 0x200000 ? ", 64 bits"
		: high & 0x400000 ? ", 32 bits"
				  : ", 16 bits",
		high & 0x8000 ? "" : ", not present");
}

void monitor_gdt(struct cpu *cpu, struct text *text)
{
	struct cpu_registers registers;
	uint32_t words[2];

	if (!read_registers(cpu, &registers, text))
		return;
	text_line(text, "  GDT at 0x%08" PRIx64 ", limit 0x%x", registers.gdt.base,
		registers.gdt.limit);
	for (unsigned i = 1; i < count_entries(&registers.gdt); i++)
		if (read_entry(cpu, &registers.gdt, i, words) && (words[0] || words[1]))
			describe_segment(8 * i, words, text);
}
