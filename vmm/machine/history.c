/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/history.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "debug/gdb.h"
#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "machine/pending.h"
#include "machine/recording_state.h"
#include "machine/vm.h"

/* --- positions -------------------------------------------------------------------------------- */

static bool is_before(const struct engine_position *a, const struct engine_position *b)
{
	return a->turns < b->turns || (a->turns == b->turns && a->done < b->done);
}

static struct engine_position position_of(const struct vm *vm)
{
	struct engine_position now;

	vm->engine->ops->position(vm->engine, &now);
	return now;
}

/* --- life ------------------------------------------------------------------------------------- */

int history_open(struct vm *vm, int64_t (*run)(struct vm *vm))
{
	const struct options *options = vm->options;

	if (!vm->recording || options->gdb.kind == GDB_NONE || options->gdb.history == 0 ||
		options->chaos.on)
		return 0;
	vm->history = calloc(1, sizeof *vm->history);
	if (!vm->history) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	vm->history->run = run;
	history_points_init(&vm->history->points, options->gdb.history);
	vm->recording->outside.undo = &vm->history->points.undo;
	return 0;
}

void history_close(struct vm *vm)
{
	if (!vm->history)
		return;
	if (vm->recording)
		vm->recording->outside.undo = NULL;
	history_points_free(&vm->history->points);
	free(vm->history);
	vm->history = NULL;
}

/* --- while the machine executes --------------------------------------------------------------- */

void history_look(struct vm *vm)
{
	struct history *history = vm->history;

	if (!history)
		return;
	/* A search backwards restores points, so none is dropped under it. */
	if (!history->is_at_work)
		history_points_bound(&history->points, vm);
	history_points_look(&history->points, vm);
}

/* Returns whether what was executed again is not what there was: a disk of the host's has failed,
 * for instance. A replay says it at its end. */
static bool has_diverged(const struct vm *vm)
{
	const struct recording *recording = vm->recording;

	if (*recording->outside.diverged && !recording->is_replay)
		say("--gdb: the past is not what it was: %s", recording->outside.diverged);
	return *recording->outside.diverged;
}

void history_arrive(struct vm *vm, const struct engine_position *now)
{
	struct history *history = vm->history;

	if (!history || !history->has_present)
		return;
	if (!history->is_at_work && has_diverged(vm)) {
		vm_end_outside(vm, EXIT_STATUS_VOLE);
		return;
	}
	if (is_before(now, &history->present))
		return;
	if (vm->recording->outside.journal.at < vm->recording->outside.journal.len)
		return;
	history->has_present = false;
	outside_end_past(&vm->recording->outside);
}

void history_choose_stop(const struct vm *vm, struct engine_position *stop)
{
	const struct history *history = vm->history;

	if (!history)
		return;
	if (history->has_present && is_before(&history->present, stop))
		*stop = history->present;
	if (history->has_target && is_before(&history->target, stop))
		*stop = history->target;
}

bool history_takes_stop(struct vm *vm, unsigned cpu, const struct debug_event *event)
{
	struct history *history = vm->history;

	if (!history || !history->is_at_work)
		return false;
	history->has_event = true;
	history->event_cpu = cpu;
	history->event = *event;
	return true;
}

bool history_can_reverse(void *ctx)
{
	const struct vm *vm = ctx;

	return vm->history != NULL;
}

/* A debugger's change of registers or memory would not come again: a record does not have it, so
 * the past before it is forgotten. */
bool history_may_change(void *ctx)
{
	struct vm *vm = ctx;

	if (!vm->history)
		return !vm->recording || !vm->recording->is_replay;
	if (vm->recording->outside.is_past)
		return false;
	history_points_forget(&vm->history->points, vm);
	return true;
}

/* --- executing again -------------------------------------------------------------------------- */

/* Whether a signal ends the machine, stops it, or asks for its state (machine/signals.h), and does
 * not just tell of a window's size. */
static bool interrupts(int signal)
{
	return signal_ends(signal) || signal == SIGQUIT || signal == SIGTSTP;
}

/* Whether the user has had enough of waiting: a debugger that waits for a stop sends nothing but
 * ^C. Who reads it, or the signal, is the loop, afterwards. */
static bool is_interrupted(const struct vm *vm)
{
	struct pollfd input = {.fd = gdb_input_fd(vm->gdb), .events = POLLIN};

	return poll(&input, 1, 0) > 0 || pending_signal(interrupts);
}

/* Calls of history.run() after which, if nothing was executed, the engine is where it is to stop;
 * the first ones may have served devices. */
#define LOOKS_MAX 3

/* Executes until a CPU stops at a point, the target or another stop of the engine's is met, or the
 * machine ends. */
static void execute(struct vm *vm)
{
	struct history *history = vm->history;
	struct engine_position now, last = {.turns = UINT64_MAX};
	unsigned looks = 0;

	history->has_event = history->is_interrupted = false;
	vm->engine->ops->resume(vm->engine);
	while (vm_running(vm) && !history->has_event) {
		now = position_of(vm);
		if (history->has_target && !is_before(&now, &history->target))
			break;
		looks = now.turns == last.turns && now.instructions == last.instructions ? looks + 1
											 : 0;
		if (looks == LOOKS_MAX)
			break;
		history->is_interrupted = history->is_interruptible && is_interrupted(vm);
		if (history->is_interrupted)
			break;
		last = now;
		history->run(vm);
	}
	vm->engine->ops->pause(vm->engine);
}

/* A machine that has ended goes on from an earlier moment. */
static void revive(struct vm *vm)
{
	struct recording *recording = vm->recording;

	if (vm_running(vm))
		return;
	io_loop_restart(&vm->loop);
	atomic_store(&vm->status, -1);
	atomic_store(&vm->ended_outside, false);
	vm_keep_output(vm);
	vm->has_stopped = false;
	vm->halts.found = false;
	vm->crash = (struct vm_crash){.cpu = 0};
	recording->has_ended = recording->outside.has_stopped = false;
	*recording->outside.diverged = '\0';
	/* A run whose time was over has all of it once more. */
	if (vm->gdb_timer.it_value.tv_sec == 0 && vm->gdb_timer.it_value.tv_nsec == 0)
		vm->gdb_timer.it_value.tv_sec = (time_t)vm->options->timeout;
	vm->is_gdb_paused = true;
	vm_pause(vm);
}

/* The machine is about to leave this position for an earlier one. If it is the present, it comes
 * back there. */
static void leave(struct vm *vm, const struct engine_position *from)
{
	if (vm->history->has_moved)
		return;
	revive(vm);
	if (!vm->recording->outside.is_past) {
		vm->history->has_present = true;
		vm->history->present = *from;
	}
	for (unsigned i = 0; i < vm->options->cpu_count; i++)
		vm->engine->ops->debug->go(vm->engine, i, CPU_GO);
	vm->history->has_moved = true;
}

/*
 * Goes back to an earlier moment. With points, CPUs stop at them from there on. Returns 0, or
 * -errno (said): then the machine is where it was, or is_broken.
 */
static int go_back(struct vm *vm, unsigned index, bool with_points)
{
	struct history *history = vm->history;
	struct engine_position from = position_of(vm);
	int ret = history_points_undo(&history->points, vm, index);

	if (ret < 0) {
		history->is_broken = history->has_moved && history->points.count == 0;
		return ret;
	}
	leave(vm, &from);
	ret = history_points_restore(&history->points, vm, index);
	history->is_broken = ret < 0;
	vm->engine->ops->debug->use_points(vm->engine, with_points);
	return ret;
}

/* --- the last stop before a position ---------------------------------------------------------- */

/* A stop of a CPU that a search has found, and the position before it. */
struct found {
	bool is_any;
	unsigned cpu;
	struct debug_event event;
	struct engine_position before;
};

static struct engine_position position_before(const struct vm *vm)
{
	struct engine_position position = position_of(vm);

	if (vm->history->event.kind != DEBUG_EVENT_WATCH)
		return position;
	if (vm->history->event.by_device)
		position.done = 0;
	else
		position.done--;
	return position;
}

/* Executes the instruction at a breakpoint without it. Another stop may come of it. */
static void pass_breakpoint(struct vm *vm, unsigned id)
{
	const struct engine_ops *ops = vm->engine->ops;
	struct cpu *cpu = ops->cpu(vm->engine, id);
	struct debug_point point = {.kind = DEBUG_BREAKPOINT, .len = 1};
	bool is_there;

	point.linear = cpu->ops->position(cpu);
	is_there = cpu->ops->translate(cpu, point.linear, &point.gpa) == 0;
	if (is_there)
		ops->debug->set_point(vm->engine, &point, false);
	ops->debug->stop_at_count(vm->engine, id, ops->debug->count(vm->engine, id) + 1);
	execute(vm);
	ops->debug->stop_at_count(vm->engine, id, UINT64_MAX);
	if (is_there)
		ops->debug->set_point(vm->engine, &point, true);
}

/* Sets *found to the last stop from where the machine is to a position. */
static void search(struct vm *vm, const struct engine_position *end, struct found *found)
{
	struct history *history = vm->history;
	bool has_passed = false;

	history->is_interruptible = history->has_target = true;
	history->target = *end;
	for (;;) {
		struct engine_position before;

		if (!has_passed || !history->has_event)
			execute(vm);
		if (!history->has_event)
			break;
		before = position_before(vm);
		if (!is_before(&before, end))
			break;
		*found = (struct found){true, history->event_cpu, history->event, before};
		has_passed = history->event.kind == DEBUG_EVENT_BREAKPOINT;
		if (has_passed)
			pass_breakpoint(vm, history->event_cpu);
	}
	history->is_interruptible = history->has_target = false;
}

/* Has the machine be at what was found after this moment. */
static int go_to(struct vm *vm, unsigned index, const struct found *found, struct gdb_past *past)
{
	struct history *history = vm->history;
	int ret = go_back(vm, index, false);

	if (ret < 0)
		return ret;
	history->has_target = true;
	history->target = found->before;
	execute(vm);
	history->has_target = false;
	vm->engine->ops->debug->use_points(vm->engine, true);
	past->cpu = found->cpu;
	past->event = found->event;
	return 0;
}

static int go_to_beginning(struct vm *vm, struct gdb_past *past)
{
	past->is_beginning = true;
	return go_back(vm, 0, true);
}

static int run_back(struct vm *vm, const struct engine_position *from, struct gdb_past *past)
{
	struct history *history = vm->history;
	const struct history_points *points = &history->points;
	struct engine_position end = *from;

	for (unsigned i = points->count; i-- > 0; end = points->points[i].position) {
		struct found found = {.is_any = false};
		int ret;

		if (!is_before(&points->points[i].position, from))
			continue;
		if (is_before(from, &end))
			end = *from;
		ret = go_back(vm, i, true);
		if (ret < 0)
			return ret;
		search(vm, &end, &found);
		past->is_interrupted = history->is_interrupted;
		if (past->is_interrupted)
			return 0;
		if (found.is_any)
			return go_to(vm, i, &found, past);
	}
	return go_to_beginning(vm, past);
}

/* Instructions after a point beyond which a step back, which others may follow, leaves another
 * point, and how many before the place that is. */
#define FAR  200000
#define NEAR 20000

/* On the way from a point to where a CPU has executed so many instructions. */
static void come_near(struct vm *vm, unsigned cpu, uint64_t count)
{
	const struct engine_debug_ops *ops = vm->engine->ops->debug;
	struct history *history = vm->history;

	if (count < ops->count(vm->engine, cpu) + FAR)
		return;
	ops->stop_at_count(vm->engine, cpu, count - NEAR);
	execute(vm);
	ops->stop_at_count(vm->engine, cpu, UINT64_MAX);
	history->has_target = true;
	history->target = (struct engine_position){.turns = position_of(vm).turns + 1};
	execute(vm);
	history->has_target = false;
	if (ops->count(vm->engine, cpu) < count)
		history_points_insert(&history->points, vm);
}

/* The CPU's last instruction is undone: it stands where it had executed one fewer, at the first
 * moment at which it had. */
static int step_back(
	struct vm *vm, unsigned cpu, const struct engine_position *from, struct gdb_past *past)
{
	const struct history_points *points = &vm->history->points;
	const struct engine_debug_ops *ops = vm->engine->ops->debug;
	uint64_t count = ops->count(vm->engine, cpu);
	unsigned i = points->count;
	int ret;

	while (i > 0 && (is_before(from, &points->points[i - 1].position) ||
				(i > 1 && points->points[i - 1].counts[cpu] + 1 >= count)))
		i--;
	if (i == 0 || points->points[i - 1].counts[cpu] >= count)
		return go_to_beginning(vm, past);
	ret = go_back(vm, i - 1, false);
	if (ret < 0)
		return ret;
	come_near(vm, cpu, count - 1);
	ops->stop_at_count(vm->engine, cpu, count - 1);
	execute(vm);
	ops->stop_at_count(vm->engine, cpu, UINT64_MAX);
	ops->use_points(vm->engine, true);
	past->event.kind = DEBUG_EVENT_STEP;
	return 0;
}

/* --- what a debugger asks for ----------------------------------------------------------------- */

int history_reverse(void *ctx, unsigned cpu, bool is_step, struct gdb_past *past)
{
	struct vm *vm = ctx;
	struct history *history = vm->history;
	struct engine_position from = position_of(vm);
	int ret;

	*past = (struct gdb_past){.cpu = cpu};
	/* All points are forgotten until the next turn begins. */
	if (history->points.count == 0 && !vm_running(vm)) {
		say("--gdb: nothing of the run is kept that the debugger could go back to");
		return -ENOENT;
	}
	if (history->points.count == 0) {
		past->is_beginning = true;
		return 0;
	}
	history->is_at_work = true;
	atomic_store(&vm->last_resort.is_excused, true);
	history->has_moved = history->is_broken = false;
	ret = is_step ? step_back(vm, cpu, &from, past) : run_back(vm, &from, past);
	atomic_store(&vm->last_resort.is_excused, false);
	history->is_at_work = false;
	history->is_broken |= history->has_moved && has_diverged(vm);
	if (history->is_broken) {
		vm_end_outside(vm, EXIT_STATUS_VOLE);
		return -EIO;
	}
	if (ret == 0 || !history->has_moved)
		return ret;
	/* The search ends at a moment that there was, as if the user had had enough of it. */
	*past = (struct gdb_past){.cpu = cpu, .is_interrupted = true};
	return 0;
}
