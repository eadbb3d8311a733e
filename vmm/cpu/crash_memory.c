/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of loads, stores and jumps where no memory is, or where it may not be written. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cpu/callers.h"
#include "cpu/crash.h"
#include "cpu/float_code.h"
#include "cpu/page_walk.h"
#include "cpu/place.h"
#include "cpu/register_bits.h"
#include "cpu/report.h"
#include "cpu/stack.h"
#include "layout.h"
#include "log.h"

#define VECTOR_SIZE 4u /* in real mode: offset and segment */
#define ENTRY_SIZE  8u /* of a descriptor, or a gate (Intel SDM 3, 3.4.5 and 6.11) */

/* --- jumps ------------------------------------------------------------------------------------ */

/* Returns how the CPU came to its instruction pointer, as far as the stack tells, and puts what it
 * holds of the way back into text. */
static const char *describe_way(
	struct cpu *cpu, const struct cpu_registers *r, char *text, size_t size)
{
	uint64_t rip = r->cs.base + r->rip, esp = r->ss.base + r->general[CPU_RSP], target;
	uint64_t address;
	uint32_t below, top = 0;

	text[0] = '\0';
	if (callers_top(cpu, r, &address, &target)) {
		snprintf(text, size, "; return address %s", place_of(cpu, address).text);
		/* A direct call that leads elsewhere called the function that has jumped. */
		return target == 0 || target == rip ? "calls" : "jumps";
	}
	if (cpu_read_linear(cpu, esp, &top, sizeof top) == sizeof top && top != 0)
		snprintf(text, size, "; at the top of the stack is %s", place_of(cpu, top).text);
	/* RET leaves the address where it was, and so does, by chance, a stack of zeros. */
	if (cpu_read_linear(cpu, esp - sizeof below, &below, sizeof below) < sizeof below ||
		below != r->rip)
		return "jumps";
	return below == 0 ? "jumps or returns" : "returns";
}

/* Returns how code got to an address where no memory is, if that may have been without a branch:
 * what is before the address is in memory. way is what the stack tells of a branch. */
static const char *correct_way(struct cpu *cpu, uint64_t rip, const char *way)
{
	struct cpu_branch branches[CPU_BRANCHES];
	unsigned count = cpu->ops->branches ? cpu->ops->branches(cpu, branches) : 0;
	uint8_t before;

	if (cpu_read_linear(cpu, rip - 1, &before, 1) < 1)
		return way;
	if (count > 0)
		return branches[count - 1].to == rip ? way : "runs on";
	return strcmp(way, "jumps") == 0 ? "jumps or runs on" : way;
}

/* Reports that the instruction pointer leads to where no memory is. */
static void crash_jump(struct cpu *cpu)
{
	uint64_t rip = cpu->ops->position(cpu);
	struct cpu_registers registers = {.rip = 0};
	char back[160] = "";
	const char *way = "jumps";

	if (!report_begin(cpu))
		return;
	if (cpu->ops->registers(cpu, &registers) == 0)
		way = describe_way(cpu, &registers, back, sizeof back);
	way = correct_way(cpu, rip, way);
	if (rip == 0)
		say("guest crashed: CPU %u %s through a null pointer%s", cpu->id, way, back);
	else
		say("guest crashed: CPU %u %s%s 0x%08" PRIx64 ", %s%s", cpu->id, way,
			strcmp(way, "calls") == 0 ? "" : " to", rip,
			rip < PAGE_SIZE ? "through a null pointer" : "where no memory is", back);
	/* RET takes EIP of an interrupt's frame, and a later one takes what lies above it. */
	if (rip != 0 && rip == registers.cs.selector && strcmp(way, "returns") == 0)
		say("  that is CS, as an interrupt pushes it: a handler has to return by IRET, not "
		    "RET");
	report_cpu(cpu);
	report_end(cpu);
}

/* Whether the instruction pointer leads to where no memory is; *gpa is where. */
static bool is_lost(struct cpu *cpu, gpa_t *gpa)
{
	uint8_t byte;

	return cpu->ops->translate(cpu, cpu->ops->position(cpu), gpa) == 0 &&
	       gmem_read(cpu->gmem, *gpa, &byte, 1) < 0;
}

/* Whether no memory is where real mode has its vectors, or where the interrupt table was loaded. */
static bool lacks_vectors(struct cpu *cpu, const struct cpu_registers *r)
{
	uint8_t byte;

	return (!(r->cr0 & X86_CR0_PE) || r->idt.limit != 0) &&
	       cpu_read_linear(cpu, r->idt.base, &byte, 1) < 1;
}

/* KVM gives up at the instruction, too, if an exception that it raises finds no gate, or no room on
 * the stack (KVM_INTERNAL_ERROR_EMULATION: that access is what cannot be emulated). */
static void say_instruction(struct cpu *cpu)
{
	struct cpu_registers registers;
	struct stack_text stack;
	bool is_known = cpu->ops->registers(cpu, &registers) == 0;
	bool no_vectors = is_known && lacks_vectors(cpu, &registers);

	if (no_vectors && registers.cr0 & X86_CR0_PE)
		say("guest crashed: CPU %u cannot execute the instruction at %s, or take its "
		    "exception: the interrupt table that was loaded (LIDT) is at 0x%08" PRIx64
		    ", where no memory is",
			cpu->id, place_here(cpu).text, registers.idt.base);
	else if (no_vectors)
		say("guest crashed: CPU %u in real mode cannot execute the instruction at %s, or "
		    "take its exception: there are no vectors at 0x%08" PRIx64,
			cpu->id, place_here(cpu).text, registers.idt.base);
	else if (is_known && stack_explain_delivery(cpu, &registers, &stack))
		say("guest crashed: %s: CPU %u cannot execute the instruction, or deliver its "
		    "exception",
			stack.text, cpu->id);
	else
		say("guest crashed: CPU %u cannot execute the instruction at %s", cpu->id,
			place_here(cpu).text);
}

void crash_instruction(struct cpu *cpu)
{
	gpa_t gpa;

	if (is_lost(cpu, &gpa)) {
		crash_jump(cpu);
		return;
	}
	if (!report_begin(cpu))
		return;
	say_instruction(cpu);
	say_float_code(cpu, cpu->ops->position(cpu));
	report_cpu(cpu);
	report_end(cpu);
}

/* --- accesses --------------------------------------------------------------------------------- */

/* Returns what is wrong with an address: error is that of cpu_host.mmio(). */
static const char *describe_address(uint64_t address, int error)
{
	switch (error) {
	case -EROFS:
		return "which is read-only";
	case -EFAULT:
		return "where no memory is";
	case -ENODEV:
		return "the window of a device that this machine lacks: the device map lists those "
		       "that it has";
	default:
		return address < PAGE_SIZE ? "through a null pointer" : "where nothing answers";
	}
}

/* Describes the access: "CPU 0 loads 4 bytes from 0x00000004, through a null pointer". */
static void describe_access(struct cpu *cpu, bool is_write, const struct store *access, int error,
	char *text, size_t size)
{
	const char *plural = access->len == 1 ? "" : "s";
	const char *what = describe_address(access->gpa, error);
	struct place place = place_of(cpu, access->gpa);

	if (is_write)
		snprintf(text, size, "CPU %u stores 0x%" PRIx64 " (%u byte%s) to %s, %s", cpu->id,
			access->value, access->len, plural, place.text, what);
	else
		snprintf(text, size, "CPU %u loads %u byte%s from %s, %s", cpu->id, access->len,
			plural, place.text, what);
}

/* Whether an engine has read an entry of the paging structures, which is not in memory, for the
 * address of the next instruction. */
static bool is_page_walk(
	const struct cpu *cpu, const struct cpu_registers *r, gpa_t gpa, struct page_walk *walk)
{
	return page_walk(cpu->gmem, r, r->cs.base + r->rip, PAGE_FAULT_FETCH, walk) &&
	       walk->result == PAGE_WALK_NO_MEMORY && walk->entry[walk->culprit].gpa == gpa;
}

/* Whether a load is that of an interrupt vector in real mode (Intel SDM 3, 21.1.4), where a CPU
 * that INIT and SIPI have started is. The guest may have loaded one itself. */
static bool is_vector(const struct cpu_registers *r, const struct store *access)
{
	uint64_t offset = access->gpa - r->idt.base;

	return !(r->cr0 & X86_CR0_PE) && access->len == VECTOR_SIZE && offset % VECTOR_SIZE == 0 &&
	       offset < IDT_VECTORS * VECTOR_SIZE;
}

/* Whether a load is that of an entry of a table (GDT, IDT) by the CPU itself, outside of long mode,
 * where no other load has 8 bytes that leads there by chance. */
static bool is_entry(struct cpu *cpu, const struct cpu_registers *r, const struct cpu_table *table,
	const struct store *access)
{
	gpa_t base;

	return r->cr0 & X86_CR0_PE && !(r->efer & X86_EFER_LMA) && access->len == ENTRY_SIZE &&
	       cpu->ops->translate(cpu, table->base, &base) == 0 && access->gpa >= base &&
	       access->gpa - base <= table->limit && (access->gpa - base) % ENTRY_SIZE == 0;
}

bool crash_is_table_entry(struct cpu *cpu, uint64_t address, unsigned len)
{
	const struct store access = {.gpa = address, .len = len};
	struct cpu_registers r;

	return len == ENTRY_SIZE && cpu->ops->registers(cpu, &r) >= 0 &&
	       (is_entry(cpu, &r, &r.idt, &access) || is_entry(cpu, &r, &r.gdt, &access));
}

/* Says that the CPU reads an entry of a table which is not in memory, if the load is that. */
static bool say_entry(struct cpu *cpu, const struct cpu_registers *r, const struct store *access)
{
	if (is_entry(cpu, r, &r->idt, access))
		say("guest crashed: CPU %u finds no gate for an exception or interrupt at %s: the "
		    "interrupt table that was loaded (LIDT) is at 0x%08" PRIx64
		    ", where no memory is",
			cpu->id, place_here(cpu).text, r->idt.base);
	else if (is_entry(cpu, r, &r->gdt, access))
		say("guest crashed: CPU %u finds no descriptor for a selector at %s: the GDT that "
		    "was loaded (LGDT) is at 0x%08" PRIx64 ", where no memory is",
			cpu->id, place_here(cpu).text, r->gdt.base);
	else
		return false;
	return true;
}

/* Says what an access is that the guest has not asked for by the address of an instruction's
 * operand. Returns false, and says nothing, if it is none. */
static bool say_cause(struct cpu *cpu, bool is_write, const struct store *access)
{
	struct cpu_registers registers;
	struct stack_text stack;
	struct page_walk walk;

	if (cpu->ops->registers(cpu, &registers) < 0)
		return false;
	if (!is_write && is_vector(&registers, access)) {
		say("guest crashed: CPU %u in real mode takes interrupt 0x%x, or loads its vector, "
		    "at %s: there are no vectors at 0x%08" PRIx64,
			cpu->id, (unsigned)(access->gpa - registers.idt.base) / VECTOR_SIZE,
			place_here(cpu).text, registers.idt.base);
		return true;
	}
	if (!is_write && say_entry(cpu, &registers, access))
		return true;
	if (stack_explain(cpu, is_write, access, &stack)) {
		say("guest crashed: %s", stack.text);
		return true;
	}
	if (is_write || !is_page_walk(cpu, &registers, access->gpa, &walk))
		return false;
	say("guest crashed: CPU %u has paging on, but %s 0x%x for the instruction at %s is not in "
	    "memory; CR3 is 0x%08" PRIx64,
		cpu->id, walk.entry[walk.culprit].name, walk.entry[walk.culprit].index,
		place_here(cpu).text, walk.cr3);
	return true;
}

/* Says where RAM ends, if more of it would have had the address. */
static void say_ram_end(const struct cpu *cpu, gpa_t gpa)
{
	const struct gmem *gmem = cpu->gmem;
	const struct gmem_region *last = gmem->count > 0 ? &gmem->regions[gmem->count - 1] : NULL;

	if (last && gpa >= last->base + last->size && gpa < RAM_MAX)
		say("  RAM ends at 0x%08" PRIx64 " (--memory)", last->base + last->size - 1);
}

void crash_mmio(struct cpu *cpu, uint64_t address, bool is_write, const uint8_t *data, unsigned len,
	int error)
{
	const struct store access = {.gpa = address, .value = cpu_value(data, len), .len = len};
	char text[400];
	gpa_t code;

	/* An engine fetches code that is not in memory like data. */
	if (!is_write && is_lost(cpu, &code) && code == address) {
		crash_jump(cpu);
		return;
	}
	if (!report_begin(cpu))
		return;
	describe_access(cpu, is_write, &access, error, text, sizeof text);
	if (say_cause(cpu, is_write, &access))
		say("  %s", text);
	else {
		say("guest crashed: %s", text);
		if (error == -ENXIO)
			say_ram_end(cpu, address);
	}
	report_access(cpu, is_write ? &access : NULL);
	report_end(cpu);
}
