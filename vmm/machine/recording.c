/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vole/virtio_blk.h>

#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "machine/halts.h"
#include "machine/history.h"
#include "machine/plan.h"
#include "machine/replay.h"
#include "machine/vm.h"
#include "monotonic.h"
#include "shell_word.h"
#include "version.h"

/* --- the devices, as the outside knows them --------------------------------------------------- */

static void tell_input(void *ctx, unsigned port)
{
	struct vm *vm = ctx;

	if (port == RECORDING_SERIAL)
		uart_ready(&vm->serial.uart);
	else
		virtio_backend_ready(&vm->console.dev, port);
}

static void tell_window(void *ctx, unsigned port)
{
	struct vm *vm = ctx;

	if (port != RECORDING_SERIAL)
		virtio_config_changed(&vm->console.dev);
}

static void tell_entropy(void *ctx)
{
	struct vm *vm = ctx;

	virtio_backend_ready(&vm->rng.dev, 0);
}

/* A private layer is as large as the disk was. What is added may be no hole, and the record does
 * not have it. */
static void look_at_sizes(void *ctx)
{
	struct vm *vm = ctx;

	for (unsigned i = 0; i < vm->disk_count; i++) {
		struct disk *disk = &vm->disks[i].disk;
		off_t end = (off_t)(disk->backend.capacity * VIRTIO_BLK_SECTOR_SIZE);

		if (vm->disks[i].overlay.fd >= 0 || disk_refresh_size(disk) <= 0)
			continue;
		if (lseek(disk->fd, end, SEEK_DATA) >= 0)
			say("%s: what was added to it is not empty, and the record does not have "
			    "it",
				disk->path);
		outside_resized(&vm->recording->outside, i, disk->backend.capacity);
	}
}

static void tell_size(void *ctx, unsigned number)
{
	struct vm *vm = ctx;
	struct vm_disk *disk = &vm->disks[number];
	uint64_t sectors = vm->recording->outside.disks[number].backend.capacity;
	struct undo *undo = vm->recording->outside.undo;

	/* What is cut off cannot be written again: the past begins anew. */
	if (undo)
		undo->has_failed = true;
	if (disk->overlay.fd >= 0 && overlay_resize(&disk->overlay, sectors) < 0)
		vm_end_outside(vm, EXIT_STATUS_VOLE);
	virtio_config_changed(&disk->block.dev);
}

static const struct outside_host outside_host = {
	.sizes = look_at_sizes,
	.resize = tell_size,
	.input = tell_input,
	.window = tell_window,
	.entropy = tell_entropy,
};

struct console_backend *recording_port(
	struct vm *vm, unsigned number, struct console_backend *backend)
{
	return vm->recording ? outside_add_port(&vm->recording->outside, number, backend) : backend;
}

struct rng_backend *recording_entropy(struct vm *vm, struct rng_backend *backend)
{
	return vm->recording ? outside_add_entropy(&vm->recording->outside, backend) : backend;
}

struct block_backend *recording_disk(struct vm *vm, unsigned number, struct block_backend *backend)
{
	return vm->recording ? outside_add_disk(&vm->recording->outside, number, backend) : backend;
}

/* --- turns ------------------------------------------------------------------------------------ */

void recording_kicked(struct vm *vm, struct vm_kick *kick)
{
	struct engine_position position;

	vm->engine->ops->position(vm->engine, &position);
	kick->turns = position.turns;
}

/* Serves the queues that were kicked in a turn which is over, in their order. Returns whether some
 * are left to be served. */
static bool serve_kicks(struct vm *vm, uint64_t turns)
{
	bool more = false;

	for (unsigned i = 0; i < vm->device_count; i++) {
		struct vm_device *device = &vm->devices[i];

		for (unsigned queue = 0; queue < device->virtio->queue_count; queue++) {
			struct vm_kick *kick = &device->kicks[queue];

			if (!atomic_load(&kick->pending))
				continue;
			if (kick->turns < turns) {
				atomic_store(&kick->pending, false);
				if (virtio_serve(device->virtio, queue))
					virtio_kick(device->virtio, queue);
			}
			more |= atomic_load(&kick->pending);
		}
	}
	return more;
}

/* Has the engine return at the next entry of the journal, and after each turn while a device has
 * more to do than it does at a time. */
static void choose_stop(struct vm *vm, const struct engine_position *now, bool more)
{
	struct recording *recording = vm->recording;
	struct engine_position stop = {.turns = UINT64_MAX};
	struct journal_entry entry;

	if (recording->is_written || replay_is_at_cut(recording)) {
		stop.turns = recording->outside.journal.turns + JOURNAL_MARK_TURNS;
	} else if (recording->outside.is_past &&
		   journal_next(&recording->outside.journal, &entry)) {
		stop.turns = entry.turns;
		if (entry.kind == JOURNAL_STOP && entry.number == 1)
			stop.done = replay_done(&entry);
		else if (entry.kind == JOURNAL_STOP)
			stop.turns += REPLAY_BEYOND;
		/* The queues that were kicked before this position are served by now, so nothing
		 * is left that would take the entry. */
		else if (entry.turns == now->turns)
			outside_diverge(&recording->outside,
				"nothing asks for what the record has after instruction %" PRIu64,
				entry.instructions);
	}
	if (more && now->turns + 1 < stop.turns)
		stop = (struct engine_position){.turns = now->turns + 1};
	history_choose_stop(vm, &stop);
	vm->engine->ops->stop_at(vm->engine, &stop);
}

bool recording_is_kicked(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < vm->devices[i].virtio->queue_count; queue++)
			if (atomic_load(&vm->devices[i].kicks[queue].pending))
				return true;
	return false;
}

/* The engine has nothing to execute. Kicks come first, at a position of their own, where a replay
 * takes what they ask for; then only something from outside can have it go on, which in the past
 * would have come by now. */
static int64_t wait_for_outside(struct vm *vm)
{
	struct recording *recording = vm->recording;
	struct engine_position now;

	vm->engine->ops->position(vm->engine, &now);
	recording->outside.position = now;
	if (recording_is_kicked(vm)) {
		vm->engine->ops->pass(vm->engine);
		return 0;
	}
	/* If the past is just over, nothing else has the loop come back. */
	if (!recording->outside.is_past)
		return outside_has_come(&recording->outside) ? 0 : IO_FOREVER;
	if (recording->idle.turns == now.turns)
		outside_diverge(&recording->outside,
			"the guest waits after instruction %" PRIu64
			" for something that the record does not have there",
			now.instructions);
	recording->idle = now;
	return 0;
}

/* Where nothing comes from outside, the record says now and then how far the run has come. */
static void note_progress(struct recording *recording, const struct engine_position *now)
{
	struct outside *outside = &recording->outside;

	if (recording->is_written && now->turns - outside->journal.turns >= JOURNAL_MARK_TURNS)
		outside_note(outside, (struct journal_entry){.kind = JOURNAL_MARK});
}

/* A record's file that takes nothing is tried again after the one, and the user is told of it after
 * the other. */
#define RETRY_NS   (SECOND_NS / 50)
#define PATIENT_NS SECOND_NS

bool recording_waits(struct vm *vm)
{
	struct recording *recording = vm->recording;
	uint64_t now_ns;

	if (!recording || !recording->is_written)
		return false;
	if (!journal_write(&recording->outside.journal) &&
		(vm_running(vm) || !sink_waits(&recording->sink))) {
		recording->waits_since_ns = 0;
		return false;
	}
	now_ns = monotonic_ns();
	if (recording->waits_since_ns == 0)
		recording->waits_since_ns = now_ns;
	if (!recording->said_waits && now_ns - recording->waits_since_ns >= PATIENT_NS) {
		recording->said_waits = true;
		say("--record %s: the file takes nothing at present; the machine waits for it",
			vm->options->record);
	}
	return true;
}

int64_t recording_run(struct vm *vm)
{
	struct recording *recording = vm->recording;
	struct engine_position now;
	int64_t ns;
	bool more;

	if (recording_waits(vm))
		return RETRY_NS;
	vm->engine->ops->position(vm->engine, &now);
	/* In the present, kicks may not have been served before the machine stood, and afterwards
	 * what the journal has of this position is taken. */
	history_arrive(vm, &now);
	if (now.done == 0) {
		history_look(vm);
		recording->outside.position = now;
		more = serve_kicks(vm, now.turns);
		outside_take(&recording->outside, &now);
		note_progress(recording, &now);
	} else {
		more = false;
	}
	history_arrive(vm, &now);
	if (recording->is_replay && replay_look(vm, &now))
		return 0;
	/* While the past is repeated, nothing is sent. */
	if (outside_waits(&recording->outside) && !(vm->history && vm->history->is_at_work))
		return IO_FOREVER;
	choose_stop(vm, &now, more);
	ns = vm->engine->ops->run(vm->engine);
	halts_look(vm);
	return ns == IO_FOREVER && vm_running(vm) ? wait_for_outside(vm) : ns;
}

/* --- life ------------------------------------------------------------------------------------- */

/* Bytes that name_ports() adds at most. */
#define NAMED_MAX 64u

/* A debugger can go back in what is repeated as a record is, but written to no file. */
static bool has_past(const struct options *options)
{
	return options->gdb.kind != GDB_NONE && options->gdb.history > 0 &&
	       options->clock == ENGINE_CLOCK_VIRTUAL && !options->is_clone &&
	       !options->checkpoint.path && !options->chaos.on;
}

int recording_open(struct vm *vm)
{
	const struct options *options = vm->options;
	struct recording *recording;

	if (!options->record && !options->is_replay && !has_past(options))
		return 0;
	recording = vm->recording = calloc(1, sizeof *recording);
	if (!recording) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	recording->fd = recording->replayed = -1;
	recording->sink = SINK_EMPTY;
	recording->idle.turns = UINT64_MAX;
	recording->is_replay = options->is_replay;
	outside_init(&recording->outside, &outside_host, vm, options->is_replay);
	if (options->is_replay)
		return replay_open(vm);
	if (!options->record)
		return 0;
	if (options->words_len > RECORD_WORDS_MAX - NAMED_MAX) {
		say("--record %s: the command line has more than %u bytes", options->record,
			RECORD_WORDS_MAX - NAMED_MAX);
		return -EINVAL;
	}
	snprintf(recording->setup.vole, sizeof recording->setup.vole, "%s", VOLE_VERSION);
	recording->setup.words_len = (uint32_t)options->words_len;
	memcpy(recording->setup.words, options->words, options->words_len);
	return 0;
}

int recording_create(struct vm *vm)
{
	struct recording *recording = vm->recording;

	if (!recording || !vm->options->record)
		return 0;
	recording->fd = record_create(vm->options->record);
	return recording->fd < 0 ? recording->fd : 0;
}

/* Adds an option to the command line of the record, behind the verb. */
static void add_option(struct record_setup *setup, const char *option, const char *value)
{
	char *at = setup->words + strlen(setup->words) + 1;
	size_t option_len = strlen(option) + 1, len = option_len + strlen(value) + 1;

	memmove(at + len, at, setup->words_len - (size_t)(at - setup->words));
	memcpy(at, option, option_len);
	memcpy(at + option_len, value, len - option_len);
	setup->words_len += (uint32_t)len;
}

/* Names the console and the serial port that the board has where the user says nothing: a replay
 * may have them elsewhere. */
static void name_ports(const struct vm *vm, struct record_setup *setup)
{
	if (vm->options->console_count == 0)
		add_option(setup, "--console", plan_console_count(vm) > 0 ? "stdio" : "none");
	if (!vm->options->serial)
		add_option(setup, "--serial", plan_serial(vm));
}

int recording_begin(struct vm *vm)
{
	struct recording *recording = vm->recording;
	int ret;

	if (!recording || recording->fd < 0)
		return 0;
	ret = sink_open_fd(&recording->sink, recording->fd, true);
	if (ret < 0) {
		say("--record %s: %s", vm->options->record, error_text(-ret));
		return ret;
	}
	recording->is_written = true;
	recording->fd = -1;
	name_ports(vm, &recording->setup);
	ret = record_write_setup(&recording->sink, &recording->setup);
	if (ret < 0)
		say("--record %s: %s", vm->options->record, error_text(-ret));
	journal_begin_writing(&recording->outside.journal, &recording->sink);
	return ret;
}

void recording_stopped(struct vm *vm)
{
	struct recording *recording = vm->recording;
	struct engine_position now;
	uint64_t done;

	if (!recording)
		return;
	vm->engine->ops->position(vm->engine, &now);
	recording->outside.has_stopped = true;
	recording->outside.position = now;
	if (recording->is_replay) {
		replay_stopped(vm, &now);
		return;
	}
	if (!recording->is_written)
		return;
	done = (uint64_t)now.done;
	outside_note(&recording->outside, (struct journal_entry){.kind = JOURNAL_STOP,
						  .number = atomic_load(&vm->ended_outside),
						  .value = atomic_load(&vm->status),
						  .data = (const uint8_t *)&done,
						  .len = sizeof done});
}

void recording_end(struct vm *vm)
{
	struct recording *recording = vm->recording;

	if (!recording)
		return;
	if (recording->is_replay)
		replay_end(vm);
	if (!recording->is_written)
		return;
	outside_note(&recording->outside, (struct journal_entry){.kind = JOURNAL_END,
						  .number = (uint32_t)atomic_load(&vm->signal),
						  .value = atomic_load(&vm->status)});
	journal_finish(&recording->outside.journal);
	sink_flush(&recording->sink);
}

/* Returns whether vole has failed, and has said why, before the guest did anything. */
static bool has_nothing(const struct vm *vm)
{
	return vm->recording->outside.position.instructions == 0 &&
	       atomic_load(&vm->status) == EXIT_STATUS_VOLE;
}

/* A record is whole, or said not to be. */
void recording_finish(struct vm *vm)
{
	struct recording *recording = vm->recording;
	struct sink_end end;
	size_t left;

	if (!recording || !recording->is_written)
		return;
	left = journal_finish(&recording->outside.journal);
	if (recording->outside.journal.error)
		say("--record %s: %s; the record is not complete", vm->options->record,
			error_text(-recording->outside.journal.error));
	end = sink_close(&recording->sink);
	recording->is_written = end.is_stuck;
	if (left > 0 && !end.error)
		end.error = -ETIMEDOUT;
	end.unwritten += left;
	sink_report(&end, "--record", vm->options->record, "input");
	vm->is_stuck |= end.is_stuck;
	if (has_nothing(vm))
		say("--record %s: the machine did not start; there is nothing to repeat",
			vm->options->record);
	else if (!end.error && !end.lost)
		say("--record %s: %" PRIu64 " instructions; \"vole replay %s\" repeats them",
			vm->options->record, recording->outside.position.instructions,
			shell_word(vm->options->record));
}

void recording_close(struct vm *vm)
{
	struct recording *recording = vm->recording;

	if (!recording)
		return;
	if (recording->is_written)
		vm->is_stuck |= sink_close(&recording->sink).is_stuck;
	file_close(&recording->fd);
	file_close(&recording->replayed);
	outside_free(&recording->outside);
	free(recording->options);
	free(recording->words);
	free(recording);
	vm->recording = NULL;
}
