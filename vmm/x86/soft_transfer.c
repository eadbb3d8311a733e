/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the software engine in a stream: its CPUs, their turns, guest time, the chips. */

#include "snapshot/stream.h"
#include "x86/soft.h"
#include "x86/state.h"

/* Times that no machine reaches: about 146 years. Sums with them do not overflow. */
#define NOW_MAX (UINT64_C(1) << 62)

/* More than a round's instructions: SOFT_QUANTUM_MAX, and what a CPU may execute beyond it. */
#define MOST_MAX (INT64_C(1) << 32)

/* What the stream must agree with, since the engine was made with it. */
static void check_setup(const struct soft_engine *engine, struct snapshot_stream *stream)
{
	uint32_t irqchip = engine->irqchip, clock = engine->clock, count = engine->system.cpu_count;

	SNAPSHOT_FIELD(stream, irqchip);
	SNAPSHOT_FIELD(stream, clock);
	SNAPSHOT_FIELD(stream, count);
	snapshot_check(stream, irqchip == engine->irqchip, "other interrupt controllers");
	snapshot_check(stream, clock == engine->clock, "another clock");
	snapshot_check(stream, count == engine->system.cpu_count, "%u CPUs", count);
}

/* Guest time, and whose turn it is in the round. */
static void transfer_time(struct soft_engine *engine, struct snapshot_stream *stream)
{
	uint64_t now = engine->now; /* when the round began, by the virtual clock */

	if (!stream->is_reading && engine->clock == ENGINE_CLOCK_HOST)
		now = soft_now(engine);
	SNAPSHOT_FIELD(stream, now);
	SNAPSHOT_FIELD(stream, engine->quantum);
	SNAPSHOT_FIELD(stream, engine->most);
	SNAPSHOT_FIELD(stream, engine->turn);
	SNAPSHOT_FIELD(stream, engine->turn_done);
	SNAPSHOT_FIELD(stream, engine->turns);
	snapshot_bool(stream, &engine->was_idle);
	snapshot_check(stream, now < NOW_MAX, "guest time is out of range");
	snapshot_check(stream, engine->quantum >= 0 && engine->quantum <= SOFT_QUANTUM_MAX,
		"a quantum that is out of range");
	snapshot_check(stream, engine->most >= 0 && engine->most < MOST_MAX,
		"more instructions than a round has");
	snapshot_check(
		stream, engine->turn < engine->system.cpu_count, "turn of CPU %u", engine->turn);
	snapshot_check(stream, engine->turn_done >= 0 && engine->turn_done <= SOFT_QUANTUM_MAX,
		"a turn that is out of range");
	if (!stream->is_reading)
		return;
	engine->now = now;
	engine->origin = engine->paused_at - now; /* soft_begin() sets it anew */
}

static void transfer_cpu(struct soft_cpu *cpu, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "SCPU", cpu->cpu.id);
	SNAPSHOT_FIELD(stream, cpu->cpu.exits);
	SNAPSHOT_FIELD(stream, cpu->cpu.start_outcome);
	snapshot_bool(stream, &cpu->started);
	snapshot_bool(stream, &cpu->is_waiting);
	snapshot_bool(stream, &cpu->init_pending);
	snapshot_bool(stream, &cpu->sipi_pending);
	SNAPSHOT_FIELD(stream, cpu->sipi_vector);
	snapshot_end(stream);
	if (stream->is_reading)
		cpu->missing_told = X86_MISSING_NOTHING;
	x86_transfer(soft_x86(cpu), stream);
	lapic_transfer(&cpu->lapic, stream);
}

void soft_transfer(struct soft_engine *engine, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "SOFT", 0);
	check_setup(engine, stream);
	transfer_time(engine, stream);
	snapshot_end(stream);
	for (unsigned i = 0; i < engine->system.cpu_count; i++)
		transfer_cpu(&engine->cpus[i], stream);
	lapic_bus_transfer(&engine->bus, stream);
	if (engine->irqchip == ENGINE_IRQCHIP_PC)
		pc_chips_transfer(&engine->pc, stream);
}
