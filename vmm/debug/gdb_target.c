/* SPDX-License-Identifier: BSD-2-Clause */
/* The documents that gdb reads: "Debugging with GDB", appendix G and E.14. */
#include "debug/gdb_parts.h"

void gdb_describe_target(const struct gdb *gdb, struct text *text)
{
	bool is_64 = gdb->machine.is_64;

	text_begin(text);
	text_line(text, "<?xml version=\"1.0\"?>");
	text_line(text, "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">");
	text_line(text, "<target><architecture>%s</architecture>", is_64 ? "i386:x86-64" : "i386");
	gdb_describe_registers(is_64, text);
	text_line(text, "</target>");
}

const char *gdb_activity(const struct gdb *gdb, unsigned cpu)
{
	struct engine *engine = gdb->machine.engine;
	struct cpu_state state;

	if (engine->ops->state(engine, cpu, &state) < 0)
		return "not stopped";
	switch (state.activity) {
	case CPU_NOT_STARTED:
		return "not started";
	case CPU_HALTED:
		return "halted";
	case CPU_HALTED_FOR_GOOD:
		return "halted, interrupts off";
	default:
		return "running";
	}
}

void gdb_describe_threads(const struct gdb *gdb, struct text *text)
{
	text_begin(text);
	text_line(text, "<?xml version=\"1.0\"?>");
	text_line(text, "<threads>");
	for (unsigned i = 0; i < gdb->machine.cpu_count; i++)
		text_line(text, "<thread id=\"%x\" core=\"%u\" name=\"CPU %u\">%s</thread>", i + 1,
			i, i, gdb_activity(gdb, i));
	text_line(text, "</threads>");
}
