/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/history_points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"
#include "log.h"
#include "machine/recording_state.h"
#include "machine/vm.h"
#include "machine/vm_state.h"
#include "monotonic.h"
#include "snapshot/stream.h"

/* Instructions between two points at first: some 20 ms of the host's time. */
#define INTERVAL_MIN UINT64_C(4000000)

/* Points take this part of the host's time at most, if the machine executes all the time. */
#define PART 60

void history_points_init(struct history_points *points, uint64_t limit)
{
	points->limit = limit;
	points->interval = INTERVAL_MIN;
	points->seen = UINT64_MAX;
}

static void free_point(struct history_points *points, struct history_point *point)
{
	points->used -= point->machine_len + point->outside_len;
	ram_copy_free(&point->ram, &points->used);
	free(point->machine);
	free(point->outside);
}

void history_points_free(struct history_points *points)
{
	while (points->count > 0)
		free_point(points, &points->points[--points->count]);
	undo_free(&points->undo);
}

void history_points_forget(struct history_points *points, struct vm *vm)
{
	struct outside *outside = &vm->recording->outside;

	history_points_free(points);
	if (!vm->recording->is_replay)
		journal_forget(&outside->journal,
			outside->is_past ? outside->journal.at : outside->journal.len);
	points->interval = INTERVAL_MIN;
	points->seen = UINT64_MAX;
}

/* Returns how many bytes are kept of what came from outside and of what was on disks. A record is
 * there anyway. */
static uint64_t outside_size(const struct history_points *points, const struct vm *vm)
{
	const struct recording *recording = vm->recording;

	return points->undo.used + (recording->is_replay ? 0 : recording->outside.journal.len);
}

/* Removes every other point but the last two, and has later ones be rarer. */
static void thin_out(struct history_points *points)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < points->count; i++) {
		if (i % 2 == 1 && i + 2 < points->count)
			free_point(points, &points->points[i]);
		else
			points->points[kept++] = points->points[i];
	}
	points->count = kept;
	points->interval *= 2;
}

/* Removes the first point: the past begins later. */
static void drop_first(struct history_points *points, struct vm *vm)
{
	size_t gone;

	free_point(points, &points->points[0]);
	points->count--;
	memmove(points->points, points->points + 1, points->count * sizeof *points->points);
	undo_forget(&points->undo, points->points[0].undo_count);
	gone = vm->recording->is_replay ? 0 : points->points[0].journal_at;
	journal_forget(&vm->recording->outside.journal, gone);
	for (unsigned i = 0; i < points->count; i++)
		points->points[i].journal_at -= gone;
}

static bool is_too_large(const struct history_points *points, const struct vm *vm)
{
	return points->used + outside_size(points, vm) > points->limit;
}

/* A machine that is in its past keeps a point to go back to, and what comes after it. */
static void bound(struct history_points *points, struct vm *vm)
{
	struct engine_position now;

	vm->engine->ops->position(vm->engine, &now);
	while (is_too_large(points, vm) && points->count > 8)
		thin_out(points);
	while (is_too_large(points, vm) && points->count > 2 &&
		points->points[1].position.turns <= now.turns)
		drop_first(points, vm);
}

void history_points_bound(struct history_points *points, struct vm *vm)
{
	if (outside_size(points, vm) > points->limit)
		bound(points, vm);
	if (points->undo.has_failed || outside_size(points, vm) > points->limit)
		history_points_forget(points, vm);
}

/* --- one point -------------------------------------------------------------------------------- */

static int save(struct vm *vm, struct history_point *point)
{
	struct snapshot_stream machine, outside;
	int ret;

	snapshot_write(&machine);
	snapshot_write(&outside);
	ret = vm_state_save(vm, &machine);
	outside_transfer(&vm->recording->outside, &outside);
	ret = ret == 0 ? outside.error : ret;
	if (ret < 0) {
		snapshot_free(&machine);
		snapshot_free(&outside);
		return ret;
	}
	point->machine = machine.bytes;
	point->machine_len = machine.len;
	point->outside = outside.bytes;
	point->outside_len = outside.len;
	return 0;
}

/* Adds the machine as point number at, before those that are there. */
static int add(struct history_points *points, struct vm *vm, unsigned at,
	const struct engine_position *now)
{
	struct history_point *point = &points->points[points->count];
	const struct ram_copy *before = at > 0 ? &points->points[at - 1].ram : NULL;
	struct history_point added;
	int ret;

	*point = (struct history_point){
		.position = *now,
		.journal_at = vm->recording->outside.is_past ? vm->recording->outside.journal.at
							     : vm->recording->outside.journal.len,
		.undo_count = points->undo.count,
		.exits = atomic_load(&vm->log.exits),
	};
	for (unsigned i = 0; i < vm->options->cpu_count; i++)
		point->counts[i] = vm->engine->ops->debug->count(vm->engine, i);
	ret = save(vm, point);
	if (ret < 0)
		return ret;
	points->used += point->machine_len + point->outside_len;
	ret = ram_copy_take(&point->ram, before, vm->memory.host, vm->memory.size, &points->used);
	if (ret < 0) {
		free_point(points, point);
		return ret;
	}
	added = *point;
	memmove(&points->points[at + 1], &points->points[at],
		(points->count - at) * sizeof *points->points);
	points->points[at] = added;
	points->count++;
	return 0;
}

/* Whether it is time for another point: the machine has come here, further than ever, and was not
 * here before, since what was kicked here would then be served too early. */
static bool is_time(struct history_points *points, const struct engine_position *now)
{
	const struct history_point *last;
	bool has_come = now->turns != points->seen;

	points->seen = now->turns;
	if (points->has_failed || !has_come)
		return false;
	if (points->count == 0)
		return true;
	last = &points->points[points->count - 1];
	return now->turns > last->position.turns &&
	       now->instructions - last->position.instructions >= points->interval &&
	       monotonic_ns() - points->taken_ns >= PART * points->cost_ns;
}

void history_points_look(struct history_points *points, struct vm *vm)
{
	struct engine_position now;
	uint64_t began_ns;
	int ret;

	vm->engine->ops->position(vm->engine, &now);
	if (!is_time(points, &now))
		return;
	if (points->count == HISTORY_POINTS_MAX)
		thin_out(points);
	began_ns = monotonic_ns();
	ret = add(points, vm, points->count, &now);
	bound(points, vm);
	points->taken_ns = monotonic_ns();
	points->cost_ns = points->taken_ns - began_ns;
	if (ret == 0)
		return;
	say("--gdb: %s: the debugger cannot go back to what follows", error_text(-ret));
	points->has_failed = true;
}

void history_points_insert(struct history_points *points, struct vm *vm)
{
	struct engine_position now;
	unsigned at = 0;

	vm->engine->ops->position(vm->engine, &now);
	while (at < points->count && points->points[at].position.turns < now.turns)
		at++;
	if (points->count == HISTORY_POINTS_MAX || points->has_failed || now.done != 0 ||
		(at < points->count && points->points[at].position.turns == now.turns))
		return;
	/* Without it the way back is as it was, only longer. */
	if (add(points, vm, at, &now) == 0)
		bound(points, vm);
}

/* Has kicked queues be served at once, as they were at that moment: the turns of their kicks were
 * over. */
static void serve_soon(struct vm *vm, uint64_t turns)
{
	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
			vm->devices[i].kicks[queue].turns = turns - 1;
}

static const char *name_of(const struct vm *vm, const struct block_backend *backend)
{
	for (unsigned i = 0; i < vm->disk_count; i++)
		if (vm->recording->outside.disks[i].host == backend)
			return vm->disks[i].disk.path;
	return "a disk";
}

int history_points_undo(struct history_points *points, struct vm *vm, unsigned index)
{
	uint64_t count = points->points[index].undo_count;
	struct block_backend *disk = NULL;
	int ret;

	/* The guest may have written since they were bounded. */
	if (points->undo.has_failed) {
		say("--gdb: what was on a disk before it was written could not be kept; the past "
		    "begins after that");
		history_points_forget(points, vm);
		return -EIO;
	}
	ret = undo_back_to(&points->undo, count, &disk);
	if (ret == 0)
		return 0;
	if (!points->undo.has_failed) {
		say("--gdb: %s: its earlier content cannot be written back: %s; the machine stays "
		    "where it is",
			name_of(vm, disk), error_text(-ret));
		return ret;
	}
	say("--gdb: %s: neither its earlier nor its present content can be written: %s; the "
	    "debugger cannot go back any more, and the guest's data is damaged",
		name_of(vm, disk), error_text(-ret));
	history_points_forget(points, vm);
	return ret;
}

int history_points_restore(struct history_points *points, struct vm *vm, unsigned index)
{
	const struct history_point *point = &points->points[index];
	struct outside *outside = &vm->recording->outside;
	struct snapshot_stream stream;
	int ret;

	ram_copy_restore(&point->ram, vm->memory.host);
	atomic_store(&vm->log.exits, point->exits);
	outside->journal.at = point->journal_at;
	outside_begin_past(outside);
	snapshot_read(&stream, point->outside, point->outside_len);
	outside_transfer(outside, &stream);
	/* That input has ended, devices find out again. */
	for (unsigned i = 0; i < vm->console_count; i++)
		vm->console.ports[i].input_ended = false;
	vm->serial.uart.input_ended = false;
	snapshot_read(&stream, point->machine, point->machine_len);
	ret = vm_state_restore(vm, &stream, "--gdb");
	serve_soon(vm, point->position.turns);
	return ret;
}
