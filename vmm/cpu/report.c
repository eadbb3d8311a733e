/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cpu/branches.h"
#include "cpu/callers.h"
#include "cpu/place.h"
#include "cpu/register_bits.h"
#include "error_text.h"
#include "exit_status.h"
#include "layout.h"
#include "log.h"

/* Bytes of code that are shown, no x86 instruction is longer than 15; and bytes before them. */
#define CODE_BYTES  16
#define CODE_BEFORE 8

/* One CPU reports, whole; what others run into at the same moment is not the cause. The machine
 * ends first: the report may have to wait for its reader. */
bool report_begin(struct cpu *cpu)
{
	if (!cpu->host->begin_report(cpu))
		return false;
	cpu->host->end(cpu, EXIT_STATUS_CRASH);
	return true;
}

void report_end(struct cpu *cpu)
{
	cpu->host->end_report(cpu);
}

/* --- registers -------------------------------------------------------------------------------- */

static void put_bytes(char *text, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
}

/* The bytes at the instruction pointer and, since the cause may be there, some before it: in the
 * same page, so that there is no second place that may be absent. */
static void show_code(struct cpu *cpu, const char *name, uint64_t address)
{
	uint8_t bytes[CODE_BYTES];
	char at[3 * CODE_BYTES + 1] = "", before[3 * CODE_BEFORE + 1] = "";
	size_t len = cpu_read_linear(cpu, address, bytes, sizeof bytes), before_len;

	if (len == 0) {
		say("  code at %s: none, there is no memory", name);
		return;
	}
	put_bytes(at, bytes, len);
	before_len = address % PAGE_SIZE < CODE_BEFORE ? address % PAGE_SIZE : CODE_BEFORE;
	before_len = cpu_read_linear(cpu, address - before_len, bytes, before_len);
	put_bytes(before, bytes, before_len);
	say("  code at %s:%s%s%s", name, at, before_len > 0 ? "; before it:" : "", before);
}

static void show_32(const struct cpu_registers *r, const struct place *eip)
{
	const uint64_t *g = r->general;

	say("  EAX %08x  EBX %08x  ECX %08x  EDX %08x", (uint32_t)g[CPU_RAX], (uint32_t)g[CPU_RBX],
		(uint32_t)g[CPU_RCX], (uint32_t)g[CPU_RDX]);
	say("  ESI %08x  EDI %08x  EBP %08x  ESP %08x", (uint32_t)g[CPU_RSI], (uint32_t)g[CPU_RDI],
		(uint32_t)g[CPU_RBP], (uint32_t)g[CPU_RSP]);
	say("  EIP %s  EFLAGS %08x", eip->text, (uint32_t)r->rflags);
	say("  CR0 %08x  CR2 %08x  CR3 %08x  CR4 %08x", (uint32_t)r->cr0, (uint32_t)r->cr2,
		(uint32_t)r->cr3, (uint32_t)r->cr4);
}

static void show_64(const struct cpu_registers *r, const struct place *rip)
{
	static const char *const names[16] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI",
		"RDI", "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
	static const unsigned lines[][3] = {{CPU_RAX, CPU_RBX, CPU_RCX},
		{CPU_RDX, CPU_RSI, CPU_RDI}, {CPU_RBP, CPU_RSP, 8}, {9, 10, 11}, {12, 13, 14}};

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		const unsigned *n = lines[i];

		say("  %s %016" PRIx64 "  %s %016" PRIx64 "  %s %016" PRIx64, names[n[0]],
			r->general[n[0]], names[n[1]], r->general[n[1]], names[n[2]],
			r->general[n[2]]);
	}
	say("  R15 %016" PRIx64, r->general[15]);
	say("  RIP %s  RFLAGS %08" PRIx64, rip->text, r->rflags);
	say("  CR0 %08" PRIx64 "  CR2 %016" PRIx64 "  CR3 %016" PRIx64 "  CR4 %08" PRIx64
	    "  EFER %08" PRIx64,
		r->cr0, r->cr2, r->cr3, r->cr4, r->efer);
}

static void show_registers(const struct cpu_registers *r, const struct place *at)
{
	if (r->efer & X86_EFER_LMA)
		show_64(r, at);
	else
		show_32(r, at);
	say("  CS %04x  SS %04x  DS %04x  ES %04x  GDT %08" PRIx64 "+%x  IDT %08" PRIx64 "+%x",
		r->cs.selector, r->ss.selector, r->ds.selector, r->es.selector, r->gdt.base,
		r->gdt.limit, r->idt.base, r->idt.limit);
}

/* --- the state of a CPU ----------------------------------------------------------------------- */

void report_state(struct cpu *cpu, const struct cpu_registers *r)
{
	struct place at = place_of(cpu, r->cs.base + r->rip);
	struct callers callers;

	if (cpu->host->reported)
		cpu->host->reported(cpu, r);
	callers_find(cpu, r, &callers);
	callers_say(cpu, &callers);
	show_registers(r, &at);
	show_code(cpu, r->efer & X86_EFER_LMA ? "RIP" : "EIP", r->cs.base + r->rip);
	branches_say(cpu, r);
}

/* The registers that the engine has, or says why there are none. */
static bool get_registers(struct cpu *cpu, struct cpu_registers *r)
{
	int ret = cpu->ops->registers(cpu, r);

	if (ret == -ENODATA)
		say("  registers: lost, since this host's KVM resets a CPU that shuts down "
		    "(run again with --engine soft, which keeps them)");
	else if (ret < 0)
		say("  registers: %s", error_text(-ret));
	return ret >= 0;
}

void report_cpu(struct cpu *cpu)
{
	struct cpu_registers r;

	if (get_registers(cpu, &r))
		report_state(cpu, &r);
}

/* --- the instruction of an access ------------------------------------------------------------- */

static void report_at(struct cpu *cpu, const struct cpu_registers *r, bool is_exact)
{
	say("  by the instruction %s %s", is_exact ? "at" : "before or at",
		place_of(cpu, r->cs.base + r->rip).text);
	report_state(cpu, r);
}

void report_access(struct cpu *cpu, const struct store *store)
{
	struct cpu_registers r;

	if (get_registers(cpu, &r))
		report_at(cpu, &r,
			!store || cpu->ops->position_is_exact || store_find(cpu, &r, store));
}

void report_out(struct cpu *cpu, uint16_t port, unsigned len)
{
	struct cpu_registers r;

	if (get_registers(cpu, &r))
		report_at(
			cpu, &r, cpu->ops->position_is_exact || store_find_out(cpu, &r, port, len));
}
