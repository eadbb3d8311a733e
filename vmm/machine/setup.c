/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "block.h"
#include "boot/image_state.h"
#include "machine/plan.h"
#include "machine/vm.h"
#include "snapshot/stream.h"

/* --- from a machine --------------------------------------------------------------------------- */

int setup_disk_modified(const struct disk *disk, int64_t *seconds, uint32_t *nanoseconds)
{
	struct stat st;

	if (fstat(disk->fd, &st) < 0)
		return -errno;
	*seconds = S_ISREG(st.st_mode) ? st.st_mtim.tv_sec : 0;
	*nanoseconds = S_ISREG(st.st_mode) ? (uint32_t)st.st_mtim.tv_nsec : 0;
	return 0;
}

static void add_disk(const struct vm *vm, unsigned index, struct setup_disk *saved)
{
	const struct disk_options *options = &vm->options->disks[index];
	const struct disk *disk = &vm->disks[index].disk;
	const struct block_backend *backend = &disk->backend;

	*saved = (struct setup_disk){
		.block_size = backend->block_size,
		.unit = backend->unit,
		.sectors = vm->disks[index].block.disk.capacity,
		.queue_count = options->queue_count,
		.read_only = backend->read_only,
		.can_unmap = backend->can_unmap,
		.features = options->features,
	};
	memcpy(saved->id, backend->id, sizeof backend->id);
	setup_disk_modified(disk, &saved->modified_s, &saved->modified_ns);
}

static void add_consoles(const struct vm *vm, struct setup *setup)
{
	setup->console_count = plan_console_count(vm);
	setup->multiport = setup->console_count > 0 && plan_multiport(vm);
	for (unsigned i = 0; i < setup->console_count; i++) {
		const char *name = plan_console(vm, i)->name;

		setup->console_has_name[i] = name != NULL;
		snprintf(setup->console_names[i], sizeof setup->console_names[i], "%s",
			name ? name : "");
	}
}

static void add_boot(const struct boot *boot, struct setup *setup)
{
	setup->protocol = boot->protocol_number;
	setup->cpu_return = boot->cpu_return;
	setup->exception_stubs = boot->exception_stubs;
	setup->region_count = boot->region_count;
	memcpy(setup->regions, boot->regions, boot->region_count * sizeof *boot->regions);
}

void setup_of(const struct vm *vm, struct setup *setup)
{
	const struct options *options = vm->options;

	*setup = (struct setup){
		.clock = options->clock,
		.cpu_count = options->cpu_count,
		.memory_size = options->memory_size,
		.has_debug_port = options->has_debug_port,
		.debug_port = options->debug_port,
		.has_serial = plan_has_serial(vm),
		.has_rng = plan_has_rng(vm),
		.features = options->features,
		.console_features = options->console_features,
		.rng_features = options->rng_features,
		.disk_count = vm->disk_count,
	};
	snprintf(setup->engine, sizeof setup->engine, "%s", vm->engine->ops->name);
	add_boot(vm->boot, setup);
	add_consoles(vm, setup);
	for (unsigned i = 0; i < vm->disk_count; i++)
		add_disk(vm, i, &setup->disks[i]);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void transfer_features(struct feature_choice *choice, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, choice->on);
	SNAPSHOT_FIELD(stream, choice->off);
	snapshot_check(stream, !(choice->on & choice->off), "a feature is on and off");
}

static void transfer_board(struct setup *setup, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "MACH", 0);
	snapshot_string(stream, setup->engine, sizeof setup->engine);
	snapshot_check(stream,
		strcmp(setup->engine, engine_kvm.name) == 0 ||
			strcmp(setup->engine, engine_soft.name) == 0,
		"an engine that vole does not have");
	SNAPSHOT_FIELD(stream, setup->clock);
	SNAPSHOT_FIELD(stream, setup->cpu_count);
	SNAPSHOT_FIELD(stream, setup->protocol);
	SNAPSHOT_FIELD(stream, setup->memory_size);
	SNAPSHOT_FIELD(stream, setup->cpu_return);
	SNAPSHOT_FIELD(stream, setup->exception_stubs);
	snapshot_bool(stream, &setup->has_debug_port);
	SNAPSHOT_FIELD(stream, setup->debug_port);
	snapshot_check(stream, boot_protocol_find(setup->protocol) != NULL, "boot protocol %u",
		setup->protocol);
	snapshot_check(stream, setup->clock <= ENGINE_CLOCK_VIRTUAL, "clock %u", setup->clock);
	snapshot_check(stream, setup->cpu_count >= 1 && setup->cpu_count <= CPUS_MAX, "%u CPUs",
		setup->cpu_count);
	snapshot_check(
		stream, setup->memory_size <= RAM_MAX, "RAM of %u bytes", setup->memory_size);
	snapshot_end(stream);
}

/* Sorted, disjoint, made of pages. */
static void check_region(const struct setup *setup, unsigned index, struct snapshot_stream *stream)
{
	const struct memory_region *region = &setup->regions[index];
	uint64_t end = 0;

	if (index > 0)
		end = (uint64_t)region[-1].base + region[-1].size;
	snapshot_check(stream,
		region->base >= end && region->base % PAGE_SIZE == 0 && region->size > 0 &&
			region->size % PAGE_SIZE == 0 &&
			(uint64_t)region->base + region->size <= UINT64_C(1) << 32,
		"region %u: 0x%x bytes from 0x%x on", index, region->size, region->base);
}

static void transfer_regions(struct setup *setup, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "MEMO", 0);
	SNAPSHOT_FIELD(stream, setup->region_count);
	snapshot_check(stream,
		setup->region_count >= 1 && setup->region_count <= MEMORY_REGIONS_MAX, "%u regions",
		setup->region_count);
	for (unsigned i = 0; !snapshot_failed(stream) && i < setup->region_count; i++) {
		struct memory_region *region = &setup->regions[i];

		SNAPSHOT_FIELD(stream, region->base);
		SNAPSHOT_FIELD(stream, region->size);
		snapshot_bool(stream, &region->read_only);
		check_region(setup, i, stream);
	}
	snapshot_end(stream);
}

static void transfer_disk(struct setup_disk *disk, unsigned index, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "DISK", index);
	snapshot_string(stream, disk->id, sizeof disk->id);
	SNAPSHOT_FIELD(stream, disk->block_size);
	SNAPSHOT_FIELD(stream, disk->unit);
	SNAPSHOT_FIELD(stream, disk->sectors);
	SNAPSHOT_FIELD(stream, disk->queue_count);
	snapshot_bool(stream, &disk->read_only);
	snapshot_bool(stream, &disk->can_unmap);
	transfer_features(&disk->features, stream);
	SNAPSHOT_FIELD(stream, disk->modified_s);
	SNAPSHOT_FIELD(stream, disk->modified_ns);
	snapshot_check(stream,
		disk->block_size >= DISK_BLOCK_MIN && disk->block_size <= DISK_BLOCK_MAX &&
			(disk->block_size & (disk->block_size - 1)) == 0,
		"blocks of %u bytes", disk->block_size);
	snapshot_check(stream,
		disk->unit >= DISK_BLOCK_MIN && disk->unit <= DISK_UNIT_MAX &&
			(disk->unit & (disk->unit - 1)) == 0,
		"physical blocks of %u bytes", disk->unit);
	snapshot_check(stream, disk->queue_count >= 1 && disk->queue_count <= BLOCK_QUEUES_MAX,
		"%u queues", disk->queue_count);
	snapshot_end(stream);
}

/* Names go to people's terminals: no control characters, so no escape sequences. */
static bool is_plain(const char *name)
{
	while (*name && (unsigned char)*name >= ' ' && *name != 0x7f)
		name++;
	return !*name;
}

static void transfer_consoles(struct setup *setup, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, setup->console_count);
	snapshot_bool(stream, &setup->multiport);
	snapshot_check(stream,
		setup->console_count <= (setup->multiport ? VIRTIO_CONSOLE_PORTS_MAX : 1),
		"%u consoles", setup->console_count);
	for (unsigned i = 0; i < VIRTIO_CONSOLE_PORTS_MAX; i++) {
		snapshot_bool(stream, &setup->console_has_name[i]);
		snapshot_string(stream, setup->console_names[i], sizeof setup->console_names[i]);
		snapshot_check(stream, is_plain(setup->console_names[i]),
			"the name of console %u has control characters", i);
	}
}

static void transfer_devices(struct setup *setup, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "DEVS", 0);
	transfer_consoles(setup, stream);
	snapshot_bool(stream, &setup->has_serial);
	snapshot_bool(stream, &setup->has_rng);
	transfer_features(&setup->features, stream);
	transfer_features(&setup->console_features, stream);
	transfer_features(&setup->rng_features, stream);
	SNAPSHOT_FIELD(stream, setup->disk_count);
	snapshot_check(stream, setup->disk_count <= DISKS_MAX, "%u disks", setup->disk_count);
	snapshot_end(stream);
	for (unsigned i = 0; !snapshot_failed(stream) && i < setup->disk_count; i++)
		transfer_disk(&setup->disks[i], i, stream);
}

void setup_transfer(struct setup *setup, struct snapshot_stream *stream)
{
	transfer_board(setup, stream);
	transfer_regions(setup, stream);
	transfer_devices(setup, stream);
}

void setup_transfer_image(struct boot *boot, struct snapshot_stream *stream)
{
	struct image none = IMAGE_EMPTY;

	image_transfer(boot->image ? boot->image : &none, stream);
}
