/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the software engine spends its time: all CPUs take turns on the I/O thread. Time passes in
 * quanta; within one, each CPU that has something to do executes about as many instructions as the
 * others.
 */

#include "cpu/crash.h"
#include "cpu/exit_log.h"
#include "monotonic.h"
#include "x86/soft.h"

/* Instructions of a quantum: while several CPUs execute, which wait for each other, and while one
 * does, which no one waits for. The clock is looked at once a quantum. */
#define QUANTUM_SHARED 1000
#define QUANTUM_ALONE  SOFT_QUANTUM_MAX

/* So many instructions are executed before devices are served, unless one was kicked; or until so
 * much guest time has passed, since some instructions take long. */
#define SLICE    200000
#define SLICE_NS 10000000

/* What it costs to give a CPU its turn, in instructions. */
#define COST_ROUND 16

/* --- time ------------------------------------------------------------------------------------- */

void soft_begin(struct soft_engine *engine)
{
	engine->paused_at = monotonic_ns();
	engine->origin = engine->paused_at - engine->now;
}

/* With the virtual clock an instruction takes a nanosecond. */
uint64_t soft_now(const struct soft_engine *engine)
{
	if (engine->clock == ENGINE_CLOCK_HOST)
		return (engine->paused ? engine->paused_at : monotonic_ns()) - engine->origin;
	if (!engine->current)
		return engine->now + (uint64_t)engine->turn_done;
	return engine->now + x86_count(soft_x86(engine->current)) - engine->current_count;
}

uint64_t soft_now_monotonic(const struct soft_engine *engine)
{
	uint64_t now = soft_now(engine);
	uint64_t reached = engine->now + (uint64_t)engine->most;

	return engine->clock == ENGINE_CLOCK_HOST || now > reached ? now : reached;
}

void soft_begin_pause(struct soft_engine *engine)
{
	if (!engine->paused)
		engine->paused_at = monotonic_ns();
	engine->paused = true;
}

void soft_end_pause(struct soft_engine *engine)
{
	if (engine->paused)
		engine->origin += monotonic_ns() - engine->paused_at;
	engine->paused = false;
}

/* The next event of a timer, in guest time; UINT64_MAX: there is none. */
static uint64_t next_timer(const struct soft_engine *engine)
{
	uint64_t next = UINT64_MAX;

	if (engine->irqchip == ENGINE_IRQCHIP_NONE)
		return next;
	for (unsigned i = 0; i < engine->system.cpu_count; i++) {
		uint64_t timer = lapic_timer_next(&engine->cpus[i].lapic);

		next = timer < next ? timer : next;
	}
	if (engine->irqchip == ENGINE_IRQCHIP_PC) {
		uint64_t timer = pc_chips_next(&engine->pc);

		next = timer < next ? timer : next;
	}
	return next;
}

/* Begins a quantum: has timers interrupt that are due. */
static void begin_quantum(struct soft_engine *engine)
{
	if (engine->clock == ENGINE_CLOCK_HOST)
		engine->now = monotonic_ns() - engine->origin;
	if (engine->irqchip == ENGINE_IRQCHIP_NONE)
		return;
	for (unsigned i = 0; i < engine->system.cpu_count; i++)
		lapic_timer_advance(&engine->cpus[i].lapic, engine->now);
	if (engine->irqchip == ENGINE_IRQCHIP_PC)
		pc_chips_advance(&engine->pc, engine->now);
}

/* --- executing -------------------------------------------------------------------------------- */

static bool can_execute(const struct soft_cpu *cpu)
{
	const struct x86_cpu *x86 = soft_x86(cpu);

	if (cpu->go == CPU_HOLD && cpu->engine->clock == ENGINE_CLOCK_HOST)
		return false;
	if (cpu->init_pending || cpu->sipi_pending)
		return true;
	if (cpu->is_waiting)
		return false;
	return !x86->halted || (x86->nmi_pending && !x86->nmi_masked) || soft_has_interrupt(cpu);
}

#define RUN_WITH_KVM "run it with --engine kvm, on a host whose KVM has it"

/* By enum x86_missing, for reports. */
static const struct cpu_lack lacks[] = {
	[X86_MISSING_VIRTUAL_8086] = {"virtual-8086 mode", RUN_WITH_KVM},
	[X86_MISSING_LONG_MODE] = {"64-bit mode", RUN_WITH_KVM},
	[X86_MISSING_FPU] = {"an x87 FPU",
		"compile it with -mgeneral-regs-only, or " RUN_WITH_KVM " (vole doctor)"},
	[X86_MISSING_SIMD] = {"MMX or SSE",
		"compile it with -mgeneral-regs-only, or " RUN_WITH_KVM " (vole doctor)"},
};

static void report_shutdown(struct soft_cpu *cpu)
{
	const struct x86_cpu *x86 = soft_x86(cpu);
	struct cpu_fault faults[X86_FAULTS_MAX];

	if (cpu->cpu.host->triple_fault(&cpu->cpu) == 0)
		return;
	/* x86->faults has the last one first. */
	for (unsigned i = 0; i < x86->fault_count; i++) {
		const struct x86_exception *fault = &x86->faults[x86->fault_count - 1 - i];

		faults[i] = (struct cpu_fault){
			.vector = fault->vector,
			.has_error = fault->has_error,
			.error = fault->error,
			.rip = fault->eip + x86->segment[X86_CS].base,
			.cr2 = fault->cr2,
		};
	}
	crash_triple_fault(&cpu->cpu, faults, x86->fault_count);
}

/* HLT where nothing could wake the CPU: without interrupt controllers it ends the machine. */
static void halt_without_irqchip(struct soft_cpu *cpu)
{
	const struct cpu_exit exit = {.kind = CPU_EXIT_OTHER, .name = "hlt"};

	exit_begin(&cpu->cpu, &exit);
	cpu->cpu.host->end(&cpu->cpu, 0);
	exit_end(&cpu->cpu, &exit);
}

static void handle_stop(struct soft_cpu *cpu, enum x86_stop stop)
{
	switch (stop) {
	case X86_STOP_SHUTDOWN:
		report_shutdown(cpu);
		break;
	case X86_STOP_ENDED:
		if (soft_x86(cpu)->refused)
			crash_lacking(&cpu->cpu, &lacks[soft_x86(cpu)->missing]);
		break;
	case X86_STOP_HALTED:
		if (cpu->engine->irqchip == ENGINE_IRQCHIP_NONE)
			halt_without_irqchip(cpu);
		break;
	case X86_STOP_BUDGET:
	case X86_STOP_YIELD:
	case X86_STOP_DEBUG:
		break;
	}
}

void soft_tell_missing(struct soft_cpu *cpu)
{
	const struct x86_cpu *x86 = soft_x86(cpu);

	if (x86->missing == cpu->missing_told)
		return;
	cpu->missing_told = x86->missing;
	if (!x86->refused && x86->missing != X86_MISSING_NOTHING)
		warn_lacking(&cpu->cpu, &lacks[x86->missing],
			x86->segment[X86_CS].base + x86->missing_eip);
}

static void tell_begin(struct soft_cpu *cpu)
{
	cpu->engine->has_begun = true;
	if (cpu->engine->host->begins)
		cpu->engine->host->begins(&cpu->cpu);
}

/* How many instructions of the turn are executed before soft_execute() is to return. */
static int64_t until_stop(const struct soft_cpu *cpu, int64_t quantum)
{
	const struct soft_engine *engine = cpu->engine;
	uint64_t left = engine->stop_count - x86_count(soft_x86(cpu));

	if (engine->turns == engine->stop.turns && engine->stop.done < quantum)
		quantum = engine->stop.done;
	if (engine->stop_count != UINT64_MAX && cpu->cpu.id == engine->stop_cpu &&
		left < (uint64_t)(quantum - engine->turn_done))
		quantum = engine->turn_done + (int64_t)left;
	return quantum;
}

/* Whether soft_execute() has come to where it is to return. */
static bool is_at_stop(const struct soft_engine *engine)
{
	if (engine->turns == engine->stop.turns && engine->turn_done >= engine->stop.done)
		return true;
	return engine->stop_count != UINT64_MAX &&
	       x86_count(&engine->system.cpus[engine->stop_cpu]) >= engine->stop_count;
}

/* Whether a turn is over, and does not go on the next time. By the virtual clock no turn ends since
 * the host had much to do: that depends on what it had done before. was_whole: the budget was the
 * turn's. */
static bool is_turn_over(const struct soft_cpu *cpu, enum x86_stop stop, bool was_whole)
{
	const struct soft_engine *engine = cpu->engine;

	if (stop == X86_STOP_BUDGET)
		return was_whole;
	return stop != X86_STOP_YIELD || engine->clock == ENGINE_CLOCK_HOST || engine->ends_turn ||
	       soft_x86(cpu)->yielded;
}

/* Executes a turn, or the rest of one that a debugger has interrupted. Sets *executed to how many
 * instructions of it were executed: fewer than the quantum if the CPU halted, yielded or was told
 * to break off. Returns false if a debugger has interrupted it. */
static bool execute(struct soft_cpu *cpu, int64_t whole, int64_t *executed)
{
	struct soft_engine *engine = cpu->engine;
	struct x86_cpu *x86 = soft_x86(cpu);
	int64_t quantum = until_stop(cpu, whole);
	uint64_t before;
	enum x86_stop stop;

	*executed = engine->turn_done;
	soft_take_init(cpu);
	if (!can_execute(cpu) || whole <= *executed)
		return true;
	if (!engine->has_begun)
		tell_begin(cpu);
	before = x86_count(x86);
	engine->current = cpu;
	engine->current_count = before - (uint64_t)engine->turn_done;
	engine->turn_done = 0;
	engine->ends_turn = false;
	stop = x86_run(x86, soft_debug_quantum(cpu, quantum - *executed));
	engine->current = NULL;
	engine->left -= (int64_t)(x86_count(x86) - before) + engine->system.cost;
	*executed = (int64_t)(x86_count(x86) - engine->current_count);
	engine->turn_done = *executed;
	soft_tell_missing(cpu);
	handle_stop(cpu, stop);
	if (soft_debug_executed(cpu, stop, (int64_t)(x86_count(x86) - before)))
		return false;
	return is_turn_over(cpu, stop, *executed < quantum || quantum == whole);
}

/* How many instructions until there is something else to do: a timer, with the virtual clock, is
 * met exactly. */
static int64_t choose_quantum(const struct soft_engine *engine, unsigned busy)
{
	int64_t quantum = busy > 1 ? QUANTUM_SHARED : QUANTUM_ALONE;
	uint64_t next = next_timer(engine);

	if (engine->clock == ENGINE_CLOCK_VIRTUAL && next > engine->now &&
		next - engine->now < (uint64_t)quantum)
		quantum = (int64_t)(next - engine->now);
	return quantum;
}

static unsigned count_busy(const struct soft_engine *engine)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < engine->system.cpu_count; i++)
		busy += can_execute(&engine->cpus[i]);
	return busy;
}

static int64_t wait_for_host(const struct soft_engine *engine, uint64_t next)
{
	uint64_t now = soft_now(engine);

	if (next == UINT64_MAX)
		return ENGINE_FOREVER;
	return next > now ? (int64_t)(next - now) : 0;
}

/*
 * No CPU has anything to execute. The host's clock is waited for. The virtual clock jumps to the
 * next timer, but devices are served once before that: what the guest asked of them comes first.
 * Both are steps, which count as turns.
 */
static int64_t idle(struct soft_engine *engine)
{
	uint64_t next = next_timer(engine);

	if (engine->clock == ENGINE_CLOCK_HOST)
		return wait_for_host(engine, next);
	if (engine->was_idle && next == UINT64_MAX)
		return ENGINE_FOREVER;
	if (engine->was_idle && next > engine->now)
		engine->now = next;
	engine->was_idle = true;
	engine->turns++;
	return 0;
}

/* Begins a round, in which each CPU has a turn. False if none has anything to execute. */
static bool begin_round(struct soft_engine *engine)
{
	unsigned busy;

	begin_quantum(engine);
	busy = count_busy(engine);
	if (busy == 0)
		return false;
	engine->was_idle = false;
	engine->quantum = choose_quantum(engine, busy);
	return true;
}

/* The quantum of a turn. A CPU that another one of the round has woken or started is not alone, as
 * that one was when the round began. */
static int64_t turn_quantum(const struct soft_engine *engine)
{
	bool is_shared = engine->most > 0 && engine->quantum > QUANTUM_SHARED;

	return is_shared ? QUANTUM_SHARED : engine->quantum;
}

/*
 * A turn of each CPU. All of them have the same time, which is that of the one that executed most.
 * When a device was kicked, it is served before the next turn, where the round then goes on.
 * Otherwise that CPU would see what the device does sooner or later depending on when its output is
 * taken, since devices are served while it waits. Returns false if the machine is ending.
 */
static bool execute_round(struct soft_engine *engine)
{
	while (engine->turn < engine->system.cpu_count) {
		struct soft_cpu *cpu = &engine->cpus[engine->turn];
		int64_t executed;
		bool is_over = execute(cpu, turn_quantum(engine), &executed);

		if (!engine->host->running(&cpu->cpu))
			return false;
		if (!is_over)
			return true;
		engine->turn_done = 0;
		engine->turn++;
		engine->turns++;
		engine->most = executed > engine->most ? executed : engine->most;
		if ((engine->yield_asked || engine->paused || is_at_stop(engine)) &&
			engine->turn < engine->system.cpu_count)
			return true;
	}
	engine->turn = 0;
	if (engine->clock == ENGINE_CLOCK_VIRTUAL)
		engine->now += (uint64_t)engine->most;
	engine->most = 0;
	/* Something at least, so that devices are served whatever the guest does. */
	engine->left -= COST_ROUND * engine->system.cpu_count;
	return true;
}

int64_t soft_execute(struct soft_engine *engine)
{
	uint64_t end = soft_now(engine) + SLICE_NS;

	if (!engine->host->running(&engine->cpus[0].cpu))
		return 0;
	engine->left = SLICE;
	engine->yield_asked = false;
	soft_debug_look(engine);
	while (engine->left > 0 && engine->now < end && !engine->yield_asked && !engine->paused &&
		!is_at_stop(engine)) {
		if (engine->turn == 0 && engine->turn_done == 0 && !begin_round(engine))
			return idle(engine);
		if (!execute_round(engine))
			return 0;
	}
	return 0;
}

void soft_break(struct soft_engine *engine)
{
	if (!engine->current)
		return;
	engine->ends_turn = true;
	x86_break(soft_x86(engine->current));
}
