/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger asks of the software engine (cpu/debug.h). A CPU that stops leaves its turn where
 * it is, and the turn goes on when the machine does: so a debugger does not change which CPU
 * executes what after which, unless it holds some of them. By the virtual clock it changes nothing
 * at all: CPUs are not held, nor are interrupts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "error_text.h"
#include "log.h"
#include "report.h"
#include "x86/soft.h"
#include "x86/state.h"

static struct soft_engine *soft_engine_of(struct engine *engine)
{
	return container_of(engine, struct soft_engine, engine);
}

void soft_debug_free(struct soft_engine *engine)
{
	if (!engine->debug)
		return;
	engine->system.debug = engine->debug;
	x86_debug_clear(&engine->system);
	engine->system.debug = NULL;
	free(engine->debug);
	engine->debug = NULL;
}

/* --- points ----------------------------------------------------------------------------------- */

static int change_point(struct x86_system *system, const struct debug_point *point, bool set)
{
	struct x86_watchpoint watchpoint = {
		.gpa = point->gpa,
		.len = point->len,
		.on_read = point->kind != DEBUG_WATCH_WRITE,
		.on_write = point->kind != DEBUG_WATCH_READ,
	};

	if (point->kind == DEBUG_BREAKPOINT || point->kind == DEBUG_HARDWARE_BREAKPOINT)
		return x86_debug_set_breakpoint(system, point->gpa, set);
	return x86_debug_set_watchpoint(system, &watchpoint, set);
}

static int attach(struct engine *base)
{
	struct soft_engine *engine = soft_engine_of(base);

	engine->debug = calloc(1, sizeof *engine->debug);
	if (engine->debug)
		return 0;
	say("%s", error_text(ENOMEM));
	return -ENOMEM;
}

static void say_no_room(const struct debug_point *point)
{
	say("there is no room for a watchpoint of %" PRIu32 " byte%s at 0x%08" PRIx64
	    ": the software CPU has %u, of up to %u bytes each",
		point->len, PLURAL(point->len), point->linear, X86_WATCHPOINTS_MAX,
		X86_WATCH_BYTES_MAX);
}

static int set_point(struct engine *base, const struct debug_point *point, bool set)
{
	struct soft_engine *engine = soft_engine_of(base);
	struct x86_debug *debug = engine->debug;
	int ret;

	engine->system.debug = debug;
	ret = change_point(&engine->system, point, set);
	if (ret == -ENOSPC)
		say_no_room(point);
	if (debug->breakpoint_count == 0 && debug->watchpoint_count == 0)
		engine->system.debug = NULL;
	return ret;
}

/* --- stopping --------------------------------------------------------------------------------- */

static void go(struct engine *base, unsigned id, enum cpu_go go)
{
	soft_engine_of(base)->cpus[id].go = go;
}

int64_t soft_debug_quantum(const struct soft_cpu *cpu, int64_t quantum)
{
	struct x86_cpu *x86 = soft_x86(cpu);

	x86->interrupts_held =
		cpu->go == CPU_STEP && !x86->halted && cpu->engine->clock == ENGINE_CLOCK_HOST;
	return cpu->go == CPU_STEP ? 1 : quantum;
}

static void stop_for(struct soft_cpu *cpu, const struct debug_event *event)
{
	struct soft_engine *engine = cpu->engine;

	soft_begin_pause(engine);
	if (engine->host->debug)
		engine->host->debug(&cpu->cpu, event);
}

/* What is watched was accessed. Returns false if not. */
static bool report_watch(struct soft_cpu *cpu, bool by_device)
{
	struct x86_debug *debug = cpu->engine->system.debug;
	struct debug_event event = {.kind = DEBUG_EVENT_WATCH, .by_device = by_device};

	if (!debug || !debug->is_hit)
		return false;
	debug->is_hit = false;
	event.gpa = debug->hit;
	stop_for(cpu, &event);
	return true;
}

bool soft_debug_executed(struct soft_cpu *cpu, enum x86_stop stop, int64_t executed)
{
	if (!cpu->engine->host->running(&cpu->cpu))
		return false;
	if (report_watch(cpu, false))
		return true;
	if (stop == X86_STOP_DEBUG) {
		stop_for(cpu, &(struct debug_event){.kind = DEBUG_EVENT_BREAKPOINT});
		return true;
	}
	if (cpu->go != CPU_STEP || executed == 0)
		return false;
	stop_for(cpu, &(struct debug_event){.kind = DEBUG_EVENT_STEP});
	/* What ends a turn ends it for a debugger, too. */
	return stop == X86_STOP_BUDGET;
}

void soft_debug_look(struct soft_engine *engine)
{
	if (!engine->system.debug)
		return;
	x86_debug_compare(&engine->system);
	report_watch(&engine->cpus[0], true);
}

/* --- going back ------------------------------------------------------------------------------- */

/* Code that is decoded, and tags of the TLB, know of the points that there were. */
static void use_points(struct engine *base, bool use)
{
	struct soft_engine *engine = soft_engine_of(base);
	struct x86_debug *debug = engine->debug;
	bool has_some = debug->breakpoint_count > 0 || debug->watchpoint_count > 0;

	engine->system.debug = use && has_some ? debug : NULL;
	for (unsigned i = 0; i < engine->system.cpu_count; i++)
		x86_forget(&engine->system.cpus[i]);
	debug->is_hit = false;
	if (!engine->system.debug)
		return;
	x86_debug_compare(&engine->system);
	debug->is_hit = false;
}

static uint64_t count(struct engine *base, unsigned id)
{
	return x86_count(&soft_engine_of(base)->system.cpus[id]);
}

static void stop_at_count(struct engine *base, unsigned id, uint64_t count)
{
	struct soft_engine *engine = soft_engine_of(base);

	engine->stop_cpu = id;
	engine->stop_count = count;
}

/* --- registers -------------------------------------------------------------------------------- */

static int set_registers(struct engine *base, unsigned id, const struct cpu_registers *registers)
{
	struct x86_cpu *x86 = &soft_engine_of(base)->system.cpus[id];

	if (registers->rip != x86->eip)
		x86->halted = false;
	for (unsigned i = 0; i < 8; i++)
		x86->reg[i] = (uint32_t)registers->general[i];
	x86->eip = x86->next_eip = (uint32_t)registers->rip;
	x86_set_eflags(x86, (uint32_t)registers->rflags, ~X86_VM);
	return 0;
}

const struct engine_debug_ops soft_debug = {
	.attach = attach,
	.set_point = set_point,
	.go = go,
	.use_points = use_points,
	.count = count,
	.stop_at_count = stop_at_count,
	.set_registers = set_registers,
};
