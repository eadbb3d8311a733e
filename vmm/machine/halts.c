/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/halts.h"

#include <string.h>

#include <vole/ports.h>

#include "container.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "machine/examine.h"
#include "machine/vm.h"

/* Until the next look: at first, at most, and on a PC. */
#define DELAY_NS     100000000
#define DELAY_MAX_NS 800000000
#define DELAY_PC_NS  250000000

/* Looks at which all CPUs must have slept before there are no more: an interrupt may have been on
 * its way at the first one. */
#define IDLE_LOOKS 2

static bool is_pc(const struct vm *vm)
{
	return vm->boot->protocol->board.irqchip == ENGINE_IRQCHIP_PC;
}

/* Any thread. */
static void set_timer(struct vm *vm, uint64_t ns)
{
	atomic_store(&vm->halts.is_set, true);
	io_timer_set(&vm->halts.timer, ns, 0);
}

/* Sets the timer to the next look, seldomer each time. */
static void look_again(struct vm *vm)
{
	set_timer(vm, vm->halts.delay_ns);
	if (!is_pc(vm) && vm->halts.delay_ns < DELAY_MAX_NS)
		vm->halts.delay_ns *= 2;
}

/*
 * Sets the timer to a look after one of the CPUs' own timers, in so many nanoseconds. That may be
 * hours, in which an interrupt of a device may be followed by the end: it asks for an earlier look,
 * which is not to be put off here if it has been asked for just now.
 */
static void look_after_timer(struct vm *vm, uint64_t timer_left)
{
	io_timer_set(&vm->halts.timer, timer_left + vm->halts.delay_ns, 0);
	if (atomic_load(&vm->halts.is_set))
		set_timer(vm, DELAY_NS);
}

/* Whether only another CPU can wake it. */
static bool is_idle_for_good(enum cpu_activity activity)
{
	return activity == CPU_HALTED_FOR_GOOD || activity == CPU_NOT_STARTED;
}

/* Ends the machine if it is dead. The CPUs are paused, and all have halted for good. */
static void end_if_dead(struct vm *vm)
{
	bool fails = vm->boot->protocol->board.halt == BOARD_HALT_FAILS;
	struct state state;

	if (examine(vm, &state) < 0)
		return;
	if (state_is_dead(&state) && vm_end(vm, fails ? EXIT_STATUS_CRASH : 0))
		vm->halts.found = true;
	examine_free(&state);
}

/* --- engines that execute on the I/O thread --------------------------------------------------- */

void halts_look(struct vm *vm)
{
	if (vm->boot->protocol->board.halt == BOARD_HALT_STOPS)
		return;
	for (unsigned i = 0; i < vm->options->cpu_count; i++)
		if (!is_idle_for_good(vm->engine->ops->activity(vm->engine, i)))
			return;
	end_if_dead(vm);
}

/* --- engines with threads --------------------------------------------------------------------- */

/* Whether all CPUs slept when they were asked at the look before; asks them anew. */
static bool all_slept(struct vm *vm)
{
	bool all = true;

	for (unsigned i = 0; i < vm->options->cpu_count; i++) {
		enum cpu_activity activity = vm->engine->ops->activity(vm->engine, i);

		all &= activity == CPU_HALTED || is_idle_for_good(activity);
	}
	return all;
}

/* What a look at paused CPUs finds. */
struct sleep {
	bool all;            /* all CPUs sleep, and no interrupt is on its way to one */
	bool for_good;       /* and none accepts interrupts */
	uint64_t timer_left; /* until a timer interrupts one, in ns; CPU_TIMER_NEVER */
};

static void add_cpu(struct sleep *sleep, const struct cpu_state *cpu)
{
	if (is_idle_for_good(cpu->activity))
		return;
	sleep->for_good = false;
	sleep->all &= cpu->activity == CPU_HALTED;
	for (unsigned i = 0; i < 8; i++)
		sleep->all &= cpu->lapic.irr[i] == 0;
	if (cpu->lapic.timer_left < sleep->timer_left)
		sleep->timer_left = cpu->lapic.timer_left;
}

static struct sleep look_at_paused(struct vm *vm)
{
	struct sleep sleep = {.all = true, .for_good = true, .timer_left = CPU_TIMER_NEVER};

	for (unsigned i = 0; i < vm->options->cpu_count; i++) {
		struct cpu_state state;

		if (vm->engine->ops->state(vm->engine, i, &state) < 0 || state.in_callback)
			return (struct sleep){.all = false};
		add_cpu(&sleep, &state);
	}
	return sleep;
}

/* All CPUs slept a moment ago. Decides when to look the next time, if at all. */
static void look_closer(struct vm *vm)
{
	struct sleep sleep;

	/* From here on an interrupt asks for a look of its own. */
	atomic_store(&vm->halts.is_set, false);
	vm_pause(vm);
	sleep = look_at_paused(vm);
	if (sleep.all && sleep.for_good)
		end_if_dead(vm);
	vm_resume(vm);
	if (!vm_running(vm))
		return;
	vm->halts.idle = sleep.all ? vm->halts.idle + 1 : 0;
	if (vm->halts.idle < IDLE_LOOKS || is_pc(vm))
		look_again(vm);
	else if (sleep.timer_left != CPU_TIMER_NEVER)
		look_after_timer(vm, sleep.timer_left);
}

static void timer_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, halts.timer);

	io_event_clear(source->fd);
	/* The CPUs may be paused for a report, or end. */
	if (vm_running(vm) && !vm->report_asked && all_slept(vm))
		look_closer(vm);
	else
		look_again(vm);
}

int halts_open(struct vm *vm)
{
	int ret;

	if (vm->boot->protocol->board.halt == BOARD_HALT_STOPS || vm->engine->ops->run)
		return 0;
	ret = io_timer_add(&vm->loop, &vm->halts.timer, timer_ready);
	if (ret < 0)
		return ret;
	vm->halts.delay_ns = is_pc(vm) ? DELAY_PC_NS : DELAY_NS;
	look_again(vm);
	return 0;
}

void halts_close(struct vm *vm)
{
	file_close(&vm->halts.timer.fd);
}

void halts_interrupted(struct vm *vm)
{
	if (!atomic_load_explicit(&vm->halts.is_set, memory_order_relaxed) &&
		vm->halts.timer.fd >= 0)
		set_timer(vm, DELAY_NS);
}

/* --- the end ---------------------------------------------------------------------------------- */

void halts_report(struct vm *vm)
{
	bool fails = vm->boot->protocol->board.halt == BOARD_HALT_FAILS;
	struct state state;
	bool is_one;

	if (examine(vm, &state) < 0)
		return;
	is_one = state_count_started(&state) == 1;
	say("%s%s at %s%s", fails ? "guest crashed: " : "",
		is_one ? "CPU 0 has halted with interrupts off,"
		       : "all CPUs have halted with interrupts off, CPU 0",
		state.cpus[0].place.text,
		!fails   ? ": the machine ends"
		: is_one ? ", and nothing can wake it"
			 : ", and nothing can wake them");
	if (fails)
		say("  a kernel that is done returns from its entry function, or writes its exit "
		    "code "
		    "to port 0x%x",
			VOLE_PORT_EXIT);
	examine_free(&state);
}
