/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software engine, as cpu/engine.h wants it: making it, its interrupts, what is asked of its
 * CPUs. What it does all day is in soft_run.c.
 */
#include "x86/soft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "error_text.h"
#include "log.h"
#include "x86/branches.h"
#include "x86/doctor_soft.h"
#include "x86/watch.h"

static struct soft_engine *soft_engine_of(struct engine *engine)
{
	return container_of(engine, struct soft_engine, engine);
}

/* --- what is asked of a CPU ------------------------------------------------------------------- */

static struct cpu_segment segment_of(const struct x86_segment *segment)
{
	return (struct cpu_segment){segment->selector, segment->limit, segment->base};
}

static const struct x86_cpu *x86_of(struct cpu *cpu)
{
	return soft_x86(container_of(cpu, struct soft_cpu, cpu));
}

static int cpu_registers(struct cpu *cpu, struct cpu_registers *registers)
{
	const struct x86_cpu *x86 = x86_of(cpu);

	*registers = (struct cpu_registers){
		.rip = x86_position(x86),
		.rflags = x86_eflags(x86),
		.cr0 = x86->cr0,
		.cr2 = x86->cr2,
		.cr3 = x86->cr3,
		.cr4 = x86->cr4,
		.efer = x86->efer,
		.cs = segment_of(&x86->segment[X86_CS]),
		.ss = segment_of(&x86->segment[X86_SS]),
		.ds = segment_of(&x86->segment[X86_DS]),
		.es = segment_of(&x86->segment[X86_ES]),
		.fs = segment_of(&x86->segment[X86_FS]),
		.gs = segment_of(&x86->segment[X86_GS]),
		.ldt = segment_of(&x86->ldtr),
		.tr = segment_of(&x86->tr),
		.gdt = {x86->gdtr.base, x86->gdtr.limit},
		.idt = {x86->idtr.base, x86->idtr.limit},
	};
	memcpy(registers->general, x86->reg, sizeof registers->general);
	return 0;
}

static int cpu_translate(struct cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	return x86_translate(x86_of(cpu), linear, gpa);
}

static uint64_t cpu_position(struct cpu *cpu)
{
	const struct x86_cpu *x86 = x86_of(cpu);

	return x86->segment[X86_CS].base + x86_position(x86);
}

static unsigned cpu_branches(struct cpu *cpu, struct cpu_branch branches[CPU_BRANCHES])
{
	return x86_branches(x86_of(cpu), branches, CPU_BRANCHES);
}

static const struct cpu_ops cpu_ops = {
	.registers = cpu_registers,
	.translate = cpu_translate,
	.position = cpu_position,
	.position_is_exact = true,
	.branches = cpu_branches,
};

/* --- making and freeing ----------------------------------------------------------------------- */

static void add_cpu(struct soft_engine *engine, unsigned id, const struct engine_setup *setup)
{
	struct soft_cpu *cpu = &engine->cpus[id];

	*cpu = (struct soft_cpu){
		.cpu = {.ops = &cpu_ops,
			.host = setup->host,
			.ctx = setup->ctx,
			.gmem = &setup->memory->gmem,
			.id = id,
			.log = setup->log},
		.engine = engine,
		.started = id == 0,
		.is_waiting = id != 0,
	};
	lapic_init(&cpu->lapic, &engine->bus);
}

static int add_cpus(struct soft_engine *engine, const struct engine_setup *setup)
{
	unsigned count = setup->cpu_count;

	engine->cpus = calloc(count, sizeof *engine->cpus);
	engine->system.cpus = calloc(count, sizeof *engine->system.cpus);
	if (!engine->cpus || !engine->system.cpus)
		return -ENOMEM;
	for (unsigned id = 0; id < count; id++) {
		int ret = x86_cpu_init(&engine->system.cpus[id], &engine->system, id);

		if (ret < 0)
			return ret;
		engine->system.cpu_count++; /* soft_free() undoes it from here on */
		add_cpu(engine, id, setup);
	}
	return 0;
}

static int soft_open(struct engine **opened, const struct engine_setup *setup)
{
	struct soft_engine *engine = calloc(1, sizeof *engine);
	int ret = -ENOMEM;

	*opened = NULL;
	if (engine) {
		*opened = &engine->engine;
		engine->engine.ops = &engine_soft;
		engine->engine.tsc_khz = SOFT_TSC_KHZ;
		engine->irqchip = setup->irqchip;
		engine->clock = setup->clock;
		engine->host = setup->host;
		engine->system = (struct x86_system){
			.gmem = &setup->memory->gmem,
			.bus = &soft_bus,
			.ctx = engine,
			.tsc_khz = SOFT_TSC_KHZ,
			.apic_khz = APIC_TIMER_KHZ,
			.cost_max = SOFT_COST_MAX,
		};
		engine->stop.turns = engine->stop_count = UINT64_MAX;
		/* Writes by devices make decoded code stale, too. */
		setup->memory->gmem.written = x86_memory_written;
		setup->memory->gmem.written_ctx = &engine->system;
		lapic_bus_init(&engine->bus, &soft_lapic_ops, engine);
		ret = soft_account_init(engine, setup->account, setup->cpu_count);
		if (ret == 0)
			ret = add_cpus(engine, setup);
	}
	if (ret == 0 && setup->irqchip == ENGINE_IRQCHIP_PC)
		ret = pc_chips_init(&engine->pc, &engine->bus);
	if (ret < 0)
		say("software CPU: %s", error_text(-ret));
	return ret;
}

static void soft_free(struct engine *base)
{
	struct soft_engine *engine = soft_engine_of(base);

	pc_chips_free(&engine->pc);
	soft_debug_free(engine);
	x86_watch_free(&engine->system);
	while (engine->system.cpu_count > 0)
		x86_cpu_free(&engine->system.cpus[--engine->system.cpu_count]);
	x86_account_free(&engine->account);
	free(engine->system.cpus);
	free(engine->cpus);
	free(engine);
}

static const char *soft_absent(void)
{
	return NULL;
}

/* --- interrupts ------------------------------------------------------------------------------- */

static int soft_set_routes(struct engine *base, const struct ioapic_route routes[IOAPIC_PINS])
{
	struct soft_engine *engine = soft_engine_of(base);

	memcpy(engine->routes, routes, sizeof engine->routes);
	return 0;
}

/* Every GSI can be raised. */
static int soft_connect(struct engine *engine, unsigned gsi)
{
	(void)engine;
	(void)gsi;
	return 0;
}

static void soft_raise(struct engine *base, unsigned gsi)
{
	struct soft_engine *engine = soft_engine_of(base);
	const struct ioapic_route *route = &engine->routes[gsi];

	if (engine->irqchip == ENGINE_IRQCHIP_PC)
		pc_chips_pulse(&engine->pc, gsi);
	else if (route->enabled)
		lapic_bus_msi(&engine->bus, route->address, route->data);
}

/* --- starting and stopping -------------------------------------------------------------------- */

static void soft_accessed(void *ctx, struct x86_cpu *x86, const struct x86_seen *access)
{
	struct soft_engine *engine = ctx;
	struct cpu *cpu = &engine->cpus[x86->id].cpu;

	cpu->host->watched(cpu, access->gpa, access->size, access->is_write, access->is_ordered);
}

static int soft_watch(struct engine *base, uint64_t gpa, uint64_t len)
{
	struct soft_engine *engine = soft_engine_of(base);

	return x86_watch(&engine->system, gpa, len, soft_accessed, engine);
}

static int soft_start(struct engine *base, const struct entry_state *state)
{
	struct soft_engine *engine = soft_engine_of(base);

	if (state)
		soft_set_state(&engine->system.cpus[0], state);
	soft_begin(engine);
	return 0;
}

static uint64_t soft_guest_time(struct engine *engine)
{
	return soft_now_monotonic(soft_engine_of(engine));
}

static void soft_position(struct engine *base, struct engine_position *position)
{
	const struct soft_engine *engine = soft_engine_of(base);

	*position = (struct engine_position){.turns = engine->turns, .done = engine->turn_done};
	if (engine->current)
		position->done =
			(int64_t)(x86_count(soft_x86(engine->current)) - engine->current_count);
	for (unsigned i = 0; i < engine->system.cpu_count; i++)
		position->instructions += x86_count(&engine->system.cpus[i]);
}

static void soft_stop_at(struct engine *base, const struct engine_position *position)
{
	soft_engine_of(base)->stop = *position;
}

static void soft_pass(struct engine *base)
{
	soft_engine_of(base)->was_idle = false;
}

static int64_t soft_run(struct engine *base)
{
	struct soft_engine *engine = soft_engine_of(base);

	return engine->paused ? ENGINE_FOREVER : soft_execute(engine);
}

static void soft_yield(struct engine *base)
{
	struct soft_engine *engine = soft_engine_of(base);

	engine->yield_asked = true;
	soft_break(engine);
}

/* Guest code is executed in soft_run() alone. */
static void soft_stop(struct engine *engine)
{
	soft_account_end(soft_engine_of(engine));
}

static struct cpu *soft_cpu_by_id(struct engine *engine, unsigned id)
{
	return &soft_engine_of(engine)->cpus[id].cpu;
}

static int soft_start_cpu(struct engine *base, unsigned id, const struct entry_state *state,
	const uint32_t frame[CPU_FRAME_WORDS])
{
	struct soft_engine *engine = soft_engine_of(base);
	struct soft_cpu *cpu = &engine->cpus[id];

	if (cpu->started)
		return -EBUSY;
	if (frame &&
		gmem_write(cpu->cpu.gmem, state->esp, frame, CPU_FRAME_WORDS * sizeof *frame) < 0)
		return -EBUSY;
	cpu->started = true;
	cpu->is_waiting = false;
	soft_set_state(soft_x86(cpu), state);
	/* Two CPUs execute from here on, in shorter turns. */
	soft_break(engine);
	return 0;
}

static enum cpu_activity soft_cpu_activity(struct engine *engine, unsigned id)
{
	return soft_activity(&soft_engine_of(engine)->cpus[id]);
}

/* Guest code is executed in soft_run() alone. If the I/O thread has come here from a CPU's
 * callback, that CPU can stop only once the callback has returned; by the virtual clock, once its
 * turn is over, since when that is may not depend on the host. */
static int soft_pause(struct engine *base)
{
	struct soft_engine *engine = soft_engine_of(base);

	soft_begin_pause(engine);
	if (!engine->current)
		return 0;
	if (engine->clock == ENGINE_CLOCK_HOST)
		soft_yield(base);
	return -EBUSY;
}

static void soft_resume(struct engine *base)
{
	soft_end_pause(soft_engine_of(base));
}

static int soft_cpu_state(struct engine *engine, unsigned id, struct cpu_state *state)
{
	soft_read_state(&soft_engine_of(engine)->cpus[id], state);
	return 0;
}

static bool soft_pics(struct engine *base, struct pic *pic, bool *uses_ioapic)
{
	const struct pc_chips *pc = &soft_engine_of(base)->pc;

	if (!pc->present)
		return false;
	*pic = pc->pic;
	*uses_ioapic = false;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		*uses_ioapic |= pc->routes[i].enabled;
	return true;
}

static int soft_engine_transfer(struct engine *base, struct snapshot_stream *stream)
{
	soft_transfer(soft_engine_of(base), stream);
	return 0;
}

static uint64_t soft_instructions(struct engine *engine, unsigned id)
{
	return x86_count(&soft_engine_of(engine)->system.cpus[id]);
}

static void soft_describe(struct engine *base, unsigned id, char *text, size_t size)
{
	struct soft_engine *engine = soft_engine_of(base);

	snprintf(text, size, "%" PRIu64 " exits, %" PRIu64 " instructions",
		engine->cpus[id].cpu.exits, x86_count(&engine->system.cpus[id]));
}

const struct engine_ops engine_soft = {
	.name = "soft",
	.absent = soft_absent,
	.open = soft_open,
	.free = soft_free,
	.set_routes = soft_set_routes,
	.connect = soft_connect,
	.raise = soft_raise,
	.watch = soft_watch,
	.start = soft_start,
	.run = soft_run,
	.yield = soft_yield,
	.position = soft_position,
	.stop_at = soft_stop_at,
	.pass = soft_pass,
	.now = soft_guest_time,
	.stop = soft_stop,
	.cpu = soft_cpu_by_id,
	.start_cpu = soft_start_cpu,
	.activity = soft_cpu_activity,
	.pause = soft_pause,
	.resume = soft_resume,
	.state = soft_cpu_state,
	.pics = soft_pics,
	.transfer = soft_engine_transfer,
	.last = soft_last,
	.counts = soft_counts,
	.describe = soft_describe,
	.instructions = soft_instructions,
	.debug = &soft_debug,
	.doctor = doctor_soft,
};
