/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/clone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "boot/restored.h"
#include "error_text.h"
#include "log.h"
#include "machine/vm.h"
#include "machine/vm_state.h"

/* --- the user's options, completed ------------------------------------------------------------ */

static int refuse(const struct options *options, const char *why)
{
	say("%s: %s", options->kernel, why);
	return -EINVAL;
}

static bool has_choice(const struct feature_choice *choice)
{
	return choice->on || choice->off;
}

/* Consoles are as many as there were, the first one on standard input and output if none is
 * named. */
static int adopt_consoles(struct options *options, const struct setup *setup)
{
	static const struct console_options usual = {.host = "stdio"};
	unsigned count = setup->console_count;

	if (has_choice(&options->console_features) || options->multiport != MULTIPORT_LEFT_OUT)
		return refuse(options, "a clone's consoles have the features of the checkpoint");
	if (options->console_count == 0 && count > 0) {
		options->consoles[0] = usual;
		options->console_count = 1;
	}
	if (options->console_count != count) {
		say("%s: the checkpoint has %u console%s: --console is to be given for each",
			options->kernel, count, count == 1 ? "" : "s");
		return -EINVAL;
	}
	for (unsigned i = 0; i < count; i++) {
		if (options->consoles[i].name)
			return refuse(
				options, "a clone's consoles keep their names; leave out name=");
		if (strcmp(options->consoles[i].host, "none") == 0)
			return refuse(options, "--console none: the checkpoint has a console");
		options->consoles[i].name =
			setup->console_has_name[i] ? setup->console_names[i] : NULL;
	}
	if (count == 0) {
		options->consoles[0] = (struct console_options){.host = "none"};
		options->console_count = 1;
	}
	options->multiport = setup->multiport ? MULTIPORT_ON : MULTIPORT_OFF;
	options->console_features = setup->console_features;
	return 0;
}

static int adopt_serial(struct options *options, const struct setup *setup)
{
	bool is_given = options->serial && strcmp(options->serial, "none") != 0;

	if (!setup->has_serial && is_given)
		return refuse(options, "--serial: the checkpoint has no serial port");
	if (setup->has_serial && options->serial && !is_given)
		return refuse(options, "--serial none: the checkpoint has a serial port");
	if (!setup->has_serial)
		options->serial = "none";
	else if (!options->serial)
		options->serial = "stdio";
	return 0;
}

static int adopt_rng(struct options *options, const struct setup *setup)
{
	if (has_choice(&options->rng_features))
		return refuse(options, "a clone's entropy device has its features already");
	if (setup->has_rng && options->rng == RNG_NONE)
		return refuse(options, "--rng none: the checkpoint has an entropy device");
	if (!setup->has_rng && options->rng == RNG_PRESENT)
		return refuse(options, "--rng: the checkpoint has no entropy device");
	options->rng = setup->has_rng ? RNG_PRESENT : RNG_NONE;
	options->rng_features = setup->rng_features;
	return 0;
}

static int adopt_disk_options(struct options *options, const struct setup *setup)
{
	if (options->disk_count != setup->disk_count) {
		say("%s: the checkpoint has %u disk%s: --disk is to be given for each, in their "
		    "order",
			options->kernel, setup->disk_count, setup->disk_count == 1 ? "" : "s");
		return -EINVAL;
	}
	for (unsigned i = 0; i < setup->disk_count; i++) {
		const struct setup_disk *saved = &setup->disks[i];
		struct disk_options *disk = &options->disks[i];

		if (disk->serial || disk->block_size != 0 || disk->queue_count != 1 ||
			has_choice(&disk->features)) {
			say("--disk %s: a clone's disk keeps what its driver knows: of the options "
			    "it takes ro, private and format=raw",
				disk->path);
			return -EINVAL;
		}
		disk->serial = saved->id;
		disk->block_size = saved->block_size;
		disk->queue_count = saved->queue_count;
		disk->features = saved->features;
		disk->read_only |= saved->read_only;
	}
	return 0;
}

static int adopt_engine(struct options *options, const struct setup *setup)
{
	if (strcmp(options->engine, "auto") != 0 && strcmp(options->engine, setup->engine) != 0) {
		say("--engine %s: %s is a checkpoint of --engine %s, which alone can go on from it",
			options->engine, options->kernel, setup->engine);
		return -EINVAL;
	}
	options->engine = setup->engine;
	options->clock = (enum engine_clock)setup->clock;
	options->cpu_count = setup->cpu_count;
	options->memory_size = setup->memory_size;
	options->has_debug_port = setup->has_debug_port;
	options->debug_port = setup->debug_port;
	options->features = setup->features;
	return 0;
}

static int adopt(struct options *options, const struct setup *setup)
{
	int ret = adopt_engine(options, setup);

	if (ret == 0)
		ret = adopt_consoles(options, setup);
	if (ret == 0)
		ret = adopt_serial(options, setup);
	if (ret == 0)
		ret = adopt_rng(options, setup);
	return ret == 0 ? adopt_disk_options(options, setup) : ret;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int open_boot(struct vm *vm, const struct setup *setup)
{
	int ret = boot_restored(&vm->boot, vm->options, setup->protocol);

	if (ret < 0) {
		say("%s", error_text(ENOMEM));
		return ret;
	}
	vm->boot->region_count = setup->region_count;
	memcpy(vm->boot->regions, setup->regions, sizeof setup->regions);
	vm->boot->cpu_return = setup->cpu_return;
	vm->boot->exception_stubs = setup->exception_stubs;
	setup_transfer_image(vm->boot, &vm->clone->stream);
	return 0;
}

/* Memory is as large as the regions say: the file's is mapped in its place. */
static void check_memory(
	const struct setup *setup, uint64_t memory_len, struct snapshot_stream *stream)
{
	const struct memory_region *last;

	if (snapshot_failed(stream))
		return;
	last = &setup->regions[setup->region_count - 1];
	snapshot_check(stream, (uint64_t)last->base + last->size == memory_len,
		"memory of %" PRIu64 " bytes is not that of the regions", memory_len);
}

/* A number that tells clones from the machine that was saved, and from each other: not 0. */
static uint32_t draw_generation(const struct vm *vm)
{
	uint32_t number = 0;

	if (vm_is_virtual(vm) || getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
		return 1;
	return number != 0 ? number : 1;
}

int clone_open(struct vm *vm, const struct options *options)
{
	struct clone *clone = calloc(1, sizeof *clone);
	int ret;

	if (!clone) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	vm->clone = clone;
	clone->options = *options;
	clone->file = SNAPSHOT_FILE_EMPTY;
	vm->options = &clone->options;
	ret = snapshot_file_open(&clone->file, options->kernel);
	if (ret < 0)
		return ret;
	snapshot_read(&clone->stream, clone->file.state, clone->file.state_len);
	setup_transfer(&clone->setup, &clone->stream);
	check_memory(&clone->setup, clone->file.memory_len, &clone->stream);
	if (snapshot_failed(&clone->stream)) {
		say("%s: a checkpoint that cannot be used: %s", options->kernel,
			clone->stream.fault);
		return clone->stream.error;
	}
	ret = adopt(&clone->options, &clone->setup);
	vm->generation = draw_generation(vm);
	return ret == 0 ? open_boot(vm, &clone->setup) : ret;
}

void clone_free(struct vm *vm)
{
	if (!vm->clone)
		return;
	snapshot_file_close(&vm->clone->file);
	free(vm->clone);
	vm->clone = NULL;
}

/* --- what was opened -------------------------------------------------------------------------- */

static int check_disk(const struct disk *disk, const struct setup_disk *saved)
{
	uint32_t nanoseconds = 0;
	int64_t seconds = 0;

	if (disk->backend.capacity != saved->sectors) {
		say("%s: %" PRIu64 " sectors: the checkpoint's disk has %" PRIu64, disk->path,
			disk->backend.capacity, saved->sectors);
		return -EINVAL;
	}
	if (setup_disk_modified(disk, &seconds, &nanoseconds) < 0 ||
		(seconds == 0 && nanoseconds == 0))
		return 0;
	/* A copy may have the time without its end, and what was written since has a later one. */
	if (seconds == saved->modified_s && nanoseconds <= saved->modified_ns)
		return 0;
	say("%s: not as it was when the checkpoint was taken: it was written at another time (a "
	    "copy keeps the time with cp -p)",
		disk->path);
	return -EINVAL;
}

int clone_adopt_disks(struct vm *vm)
{
	for (unsigned i = 0; i < vm->disk_count; i++) {
		const struct setup_disk *saved = &vm->clone->setup.disks[i];
		struct block_backend *backend = vm_disk_backend(&vm->disks[i]);
		int ret = check_disk(&vm->disks[i].disk, saved);

		if (ret < 0)
			return ret;
		/* The driver knows the disk as it was. If it is opened to be read alone and was not
		 * then, writes fail. */
		backend->unit = saved->unit;
		backend->can_unmap = saved->can_unmap;
		backend->read_only = saved->read_only;
	}
	return 0;
}

int clone_map_memory(struct vm *vm)
{
	return snapshot_file_map(&vm->clone->file, vm->memory.host);
}

int clone_restore(struct vm *vm)
{
	return vm_state_restore(vm, &vm->clone->stream, vm->options->kernel);
}
