/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/crash.h"

#include <errno.h>
#include <inttypes.h>

#include "cpu/place.h"
#include "cpu/report.h"
#include "log.h"

void crash_instruction(struct cpu *cpu)
{
	if (!report_begin(cpu))
		return;
	say("guest crashed: CPU %u cannot execute the instruction at %s", cpu->id,
		place_here(cpu).text);
	report_cpu(cpu);
	report_end(cpu);
}

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
	report_end(cpu);
}

void crash_mmio(struct cpu *cpu, uint64_t address, bool is_write, const uint8_t *data, unsigned len,
	int error)
{
	const struct store store = {.gpa = address, .value = cpu_value(data, len), .len = len};
	const char *why = error == -EROFS ? "which is read-only" : "where nothing answers";

	if (!report_begin(cpu))
		return;
	if (is_write)
		say("guest crashed: CPU %u stores 0x%" PRIx64 " (%u bytes) to %s, %s", cpu->id,
			store.value, len, place_of(cpu, address).text, why);
	else
		say("guest crashed: CPU %u loads %u bytes from %s, %s", cpu->id, len,
			place_of(cpu, address).text, why);
	report_access(cpu, is_write ? &store : NULL);
	report_end(cpu);
}

void crash_port(struct cpu *cpu, uint16_t port, bool is_write, const uint8_t *data, unsigned len)
{
	if (!report_begin(cpu))
		return;
	if (is_write)
		say("guest crashed: CPU %u writes 0x%" PRIx64 " (%u bytes) to port 0x%x, where "
		    "nothing answers",
			cpu->id, cpu_value(data, len), len, port);
	else
		say("guest crashed: CPU %u reads %u bytes from port 0x%x, where nothing answers",
			cpu->id, len, port);
	if (is_write)
		report_out(cpu, port, len);
	else
		report_access(cpu, NULL);
	report_end(cpu);
}
