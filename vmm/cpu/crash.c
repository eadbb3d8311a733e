/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/crash.h"

#include <inttypes.h>
#include <stdio.h>

#include <vole/machine.h>

#include "cpu/place.h"
#include "cpu/report.h"
#include "log.h"

#define SERIAL_PORTS 8 /* a 16550 has as many registers */

void crash_lacking(struct cpu *cpu, const struct cpu_lack *lack)
{
	if (!report_begin(cpu))
		return;
	say("guest crashed: CPU %u needs %s, which the software CPU does not have, at %s", cpu->id,
		lack->what, place_here(cpu).text);
	say("  %s", lack->advice);
	report_cpu(cpu);
	report_end(cpu);
}

void warn_lacking(struct cpu *cpu, const struct cpu_lack *lack, uint64_t address)
{
	if (!cpu->host->begin_report(cpu))
		return;
	say("CPU %u uses %s, which the software CPU does not have, at %s: %s", cpu->id, lack->what,
		place_of(cpu, address).text, lack->advice);
	cpu->lacks_at = address;
	report_end(cpu);
}

static const char *plural(unsigned len)
{
	return len == 1 ? "" : "s";
}

void crash_own_write(struct cpu *cpu, uint64_t address, enum cpu_own_write write)
{
	static const struct {
		const char *what, *advice;
	} writes[] = {
		[CPU_SAVES_TASK] = {"saves a task in a TSS",
			"a task switch writes to the TSSs (Intel SDM 3, 8.3): they must not be "
			"const"},
		[CPU_WRITES_PAGE_FLAGS] = {"sets an accessed or dirty flag of a "
					   "paging-structure entry",
			"the CPU writes to page tables (Intel SDM 3, 4.8): they must not be const, "
			"or have both flags set (entries | 0x60)"},
	};
	const struct store unknown = {.gpa = address};

	if (!report_begin(cpu))
		return;
	say("guest crashed: CPU %u itself %s at %s, which is read-only", cpu->id,
		writes[write].what, place_of(cpu, address).text);
	say("  %s", writes[write].advice);
	/* KVM has emulated an instruction that needed the entry, but none that switches tasks. */
	report_access(cpu, write == CPU_SAVES_TASK ? NULL : &unknown);
	report_end(cpu);
}

/* Returns what a PC has at a port, or NULL. Kernels that follow a tutorial for PCs begin by setting
 * it up, and need not here. */
static const char *pc_device(uint16_t port)
{
	static const struct {
		uint16_t first, last;
		const char *name;
	} devices[] = {
		{0x20, 0x21, "an interrupt controller (8259A)"},
		{0x40, 0x43, "a timer (8254)"},
		{0x60, 0x60, "a keyboard controller (8042)"},
		{0x64, 0x64, "a keyboard controller (8042)"},
		{0x70, 0x71, "a clock with CMOS memory"},
		{0x80, 0x80, "POST codes, written for a short delay"},
		{0xa0, 0xa1, "an interrupt controller (8259A)"},
		{0x3c0, 0x3df, "a VGA adapter"},
		{0xcf8, 0xcff, "PCI configuration space"},
	};

	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		if (port >= devices[i].first && port <= devices[i].last)
			return devices[i].name;
	return NULL;
}

/* Says what a guest may have looked for at a port where nothing answers. */
static void say_port(uint16_t port)
{
	const char *device = pc_device(port);

	if (port >= VOLE_SERIAL_PORT && port < VOLE_SERIAL_PORT + SERIAL_PORTS)
		say("  a serial port is there with --serial stdio");
	else if (device)
		say("  there a PC has %s, which this machine lacks: spec/machine.md says what it "
		    "has",
			device);
}

void crash_port(struct cpu *cpu, uint16_t port, bool is_write, const uint8_t *data, unsigned len)
{
	const char *takes = cpu->host->port_takes(cpu, port);
	char why[64] = "where nothing answers";

	if (!report_begin(cpu))
		return;
	if (takes)
		snprintf(why, sizeof why, "which takes %s only", takes);
	if (is_write)
		say("guest crashed: CPU %u writes 0x%" PRIx64 " (%u byte%s) to port 0x%x, %s",
			cpu->id, cpu_value(data, len), len, plural(len), port, why);
	else
		say("guest crashed: CPU %u reads %u byte%s from port 0x%x, %s", cpu->id, len,
			plural(len), port, why);
	if (!takes)
		say_port(port);
	if (is_write)
		report_out(cpu, port, len);
	else
		report_access(cpu, NULL);
	report_end(cpu);
}
