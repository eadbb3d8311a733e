/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/crash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "log.h"

/* Bytes of code that are shown; no x86 instruction is longer than 15. */
#define CODE_BYTES 16

#define CR0_PE 0x1 /* protected mode (Intel SDM 3, 2.5) */

struct place {
	char text[128];
};

/* An address with the symbol it lies in, or after. */
static struct place locate(struct cpu *cpu, uint64_t address)
{
	struct place place;
	uint32_t offset;
	const char *symbol = cpu->host->symbol(cpu, address, &offset);
	int len = snprintf(place.text, sizeof place.text, "0x%08" PRIx64, address);

	if (symbol)
		snprintf(place.text + len, sizeof place.text - (size_t)len, " (%.80s+0x%x)", symbol,
			offset);
	return place;
}

/* --- registers -------------------------------------------------------------------------------- */

static void show_code(struct cpu *cpu, const char *name, uint64_t address)
{
	uint8_t bytes[CODE_BYTES];
	char text[3 * CODE_BYTES + 1] = "";
	size_t len = cpu_read_linear(cpu, address, bytes, sizeof bytes);

	if (len == 0) {
		say("  code at %s: none, there is no memory", name);
		return;
	}
	for (size_t i = 0; i < len; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	say("  code at %s:%s", name, text);
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

static void show_registers(struct cpu *cpu)
{
	struct cpu_registers r;
	struct place at;
	bool is_long;
	int ret = cpu->ops->registers(cpu, &r);

	if (ret == -ENODATA) {
		say("  registers: lost, since this host's KVM resets a CPU that shuts down "
		    "(run again with --engine soft, which keeps them)");
		return;
	}
	if (ret < 0) {
		say("  registers: %s", strerror(-ret));
		return;
	}
	at = locate(cpu, r.cs.base + r.rip);
	is_long = r.efer & CPU_EFER_LMA;
	if (is_long)
		show_64(&r, &at);
	else
		show_32(&r, &at);
	say("  CS %04x  SS %04x  DS %04x  ES %04x  GDT %08" PRIx64 "+%x  IDT %08" PRIx64 "+%x",
		r.cs.selector, r.ss.selector, r.ds.selector, r.es.selector, r.gdt.base, r.gdt.limit,
		r.idt.base, r.idt.limit);
	show_code(cpu, is_long ? "RIP" : "EIP", r.cs.base + r.rip);
}

static struct place here(struct cpu *cpu)
{
	return locate(cpu, cpu->ops->position(cpu));
}

/* --- reports ---------------------------------------------------------------------------------- */

/* One CPU reports, whole; what others run into at the same moment is not the cause. The machine
 * ends first: the report may have to wait for its reader. */
static bool begin(struct cpu *cpu)
{
	if (!cpu->host->begin_report(cpu))
		return false;
	cpu->host->end(cpu, EXIT_STATUS_CRASH);
	return true;
}

static void end(struct cpu *cpu)
{
	cpu->host->end_report(cpu);
}

/* Intel SDM 3, table 6-1. */
static const char *exception_name(unsigned vector)
{
	static const char *const names[] = {"divide error", "debug exception",
		"non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
		"invalid opcode", "device not available", "double fault", NULL, "invalid TSS",
		"segment not present", "stack-segment fault", "general protection", "page fault",
		NULL, "x87 floating-point error", "alignment check", "machine check"};

	if (vector < sizeof names / sizeof *names && names[vector])
		return names[vector];
	return "interrupt";
}

static void show_fault(struct cpu *cpu, const struct cpu_fault *fault)
{
	char error[32] = "", address[40] = "";

	if (fault->has_error)
		snprintf(error, sizeof error, ", error code 0x%x", fault->error);
	if (fault->vector == 14)
		snprintf(address, sizeof address, ", address 0x%08" PRIx64, fault->cr2);
	say("  %s (%u)%s%s at %s", exception_name(fault->vector), fault->vector, error, address,
		locate(cpu, fault->rip).text);
}

void crash_triple_fault(struct cpu *cpu, const struct cpu_fault *faults, unsigned count)
{
	struct cpu_registers r;
	bool is_kept;

	if (!begin(cpu))
		return;
	is_kept = cpu->ops->registers(cpu, &r) == 0;
	if (is_kept)
		say("guest crashed: triple fault on CPU %u, at %s", cpu->id, here(cpu).text);
	else
		say("guest crashed: triple fault on CPU %u", cpu->id);
	if (count > 0)
		say("  the exceptions that led to it, in the order in which they came:");
	for (unsigned i = 0; i < count; i++)
		show_fault(cpu, &faults[i]);
	if (is_kept && r.cr0 & CR0_PE && r.idt.limit == 0)
		say("  no interrupt descriptor table is loaded, so every exception ends like this");
	show_registers(cpu);
	end(cpu);
}

void crash_instruction(struct cpu *cpu)
{
	if (!begin(cpu))
		return;
	say("guest crashed: CPU %u cannot execute the instruction at %s", cpu->id, here(cpu).text);
	show_registers(cpu);
	end(cpu);
}

void crash_lacking(struct cpu *cpu, const struct cpu_lack *lack)
{
	if (!begin(cpu))
		return;
	say("guest crashed: CPU %u needs %s, which the software CPU does not have, at %s", cpu->id,
		lack->what, here(cpu).text);
	say("  %s", lack->advice);
	show_registers(cpu);
	end(cpu);
}

void warn_lacking(struct cpu *cpu, const struct cpu_lack *lack, uint64_t address)
{
	if (!cpu->host->begin_report(cpu))
		return;
	say("CPU %u uses %s, which the software CPU does not have, at %s: %s", cpu->id, lack->what,
		locate(cpu, address).text, lack->advice);
	end(cpu);
}

static void show_access(struct cpu *cpu, bool is_write)
{
	bool is_exact = !is_write || cpu->ops->position_is_exact;

	say("  by the instruction %s %s", is_exact ? "at" : "before or at", here(cpu).text);
}

void crash_mmio(struct cpu *cpu, uint64_t address, bool is_write, const uint8_t *data, unsigned len,
	int error)
{
	const char *why = error == -EROFS ? "which is read-only" : "where nothing answers";

	if (!begin(cpu))
		return;
	if (is_write)
		say("guest crashed: CPU %u stores 0x%" PRIx64 " (%u bytes) to %s, %s", cpu->id,
			cpu_value(data, len), len, locate(cpu, address).text, why);
	else
		say("guest crashed: CPU %u loads %u bytes from %s, %s", cpu->id, len,
			locate(cpu, address).text, why);
	show_access(cpu, is_write);
	show_registers(cpu);
	end(cpu);
}

void crash_port(struct cpu *cpu, uint16_t port, bool is_write, const uint8_t *data, unsigned len)
{
	if (!begin(cpu))
		return;
	if (is_write)
		say("guest crashed: CPU %u writes 0x%" PRIx64 " (%u bytes) to port 0x%x, where "
		    "nothing answers",
			cpu->id, cpu_value(data, len), len, port);
	else
		say("guest crashed: CPU %u reads %u bytes from port 0x%x, where nothing answers",
			cpu->id, len, port);
	show_access(cpu, is_write);
	show_registers(cpu);
	end(cpu);
}
