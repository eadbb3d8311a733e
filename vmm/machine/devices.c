/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/devices.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/chardev_open.h"
#include "log.h"
#include "machine/device.h"
#include "machine/measure.h"
#include "machine/pc_keyboard.h"
#include "machine/plan.h"
#include "machine/recording.h"
#include "machine/serial.h"
#include "machine/state_report.h"
#include "machine/vm.h"

static void console_ready(void *ctx)
{
	struct vm_console *console = ctx;

	if (console->vm->recording)
		outside_port_ready(&console->vm->recording->outside, console->index);
	else
		virtio_backend_ready(&console->vm->console.dev, console->index);
}

static void console_quit(void *ctx)
{
	struct vm_console *console = ctx;

	vm_quit(console->vm);
}

static void console_show(void *ctx)
{
	struct vm_console *console = ctx;

	state_report_request(console->vm);
}

static void console_broken(void *ctx, int error)
{
	struct vm_console *console = ctx;
	struct vm *vm = console->vm;

	say("--console %s: %s", plan_console(vm, console->index)->host, error_text(error));
	vm_output_lost(vm, EXIT_STATUS_VOLE);
}

static void console_wrote(void *ctx)
{
	struct vm_console *console = ctx;

	measure_reach(console->vm, STATS_FIRST_OUTPUT);
}

/* What virtio_..._init() returned. It has nobody to tell. */
static int device_made(const struct vm_device *device, int ret)
{
	if (ret < 0)
		say("device %u: %s", device->index, error_text(-ret));
	return ret;
}

#define LABEL_SIZE 96 /* a name has up to 64 bytes */

/* Which of several a console is. */
static void label_console(char label[LABEL_SIZE], unsigned index, const char *name, bool alone)
{
	if (name)
		snprintf(label, LABEL_SIZE, "console %u (%s)", index, name);
	else if (alone)
		snprintf(label, LABEL_SIZE, "console");
	else
		snprintf(label, LABEL_SIZE, "console %u", index);
}

/* The host's end of one port. */
static int open_console(struct vm *vm, struct console_port_host *port)
{
	struct vm_console *console = &vm->consoles[vm->console_count];
	const struct console_options *options = plan_console(vm, vm->console_count);
	char label[LABEL_SIZE];
	int ret;

	console->vm = vm;
	console->index = vm->console_count++; /* from here on free_consoles() undoes it */
	label_console(label, console->index, options->name, plan_console_count(vm) == 1);
	ret = chardev_open(&console->chardev, "console", label, options->host, &vm->loop);
	console->chardev.ready = console_ready;
	console->chardev.quit = console_quit;
	console->chardev.show = console_show;
	console->chardev.broken = console_broken;
	console->chardev.wrote = console_wrote;
	console->chardev.ctx = console;
	*port = (struct console_port_host){
		recording_port(vm, console->index, &console->chardev.backend), options->name};
	return ret;
}

static int open_consoles(struct vm *vm, struct console_port_host *ports, unsigned count)
{
	int ret = 0;

	vm->consoles = calloc(count, sizeof *vm->consoles);
	if (!vm->consoles) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	while (ret == 0 && vm->console_count < count)
		ret = open_console(vm, &ports[vm->console_count]);
	return ret;
}

static int add_console(struct vm *vm)
{
	unsigned count = plan_console_count(vm);
	struct console_port_host ports[VIRTIO_CONSOLE_PORTS_MAX];
	struct vm_device *device = device_next(vm);
	int ret = open_consoles(vm, ports, count);

	if (ret < 0)
		return ret;
	ret = virtio_console_init(&vm->console, ports, count, plan_multiport(vm), &vm->memory.gmem,
		&device_host_ops, device);
	if (device_made(device, ret) < 0)
		return ret;
	return device_add(vm, device, &vm->console.dev, &vm->options->console_features, NULL);
}

static void free_consoles(struct vm *vm)
{
	while (vm->console_count > 0)
		chardev_close(&vm->consoles[--vm->console_count].chardev);
	free(vm->consoles);
	vm->consoles = NULL;
}

static void rng_ready(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->recording)
		outside_entropy_ready(&vm->recording->outside);
	else
		virtio_backend_ready(&vm->rng.dev, 0);
}

/* The source of the entropy device: early, as open_disks(). */
static int open_entropy(struct vm *vm)
{
	const struct options *options = vm->options;
	int ret = entropy_open(&vm->entropy, options->rng_file, options->rng_rate, &vm->loop);

	vm->entropy.ready = rng_ready;
	vm->entropy.ctx = vm;
	return ret;
}

static int add_rng(struct vm *vm)
{
	struct vm_device *device = device_next(vm);
	int ret = virtio_rng_init(&vm->rng, recording_entropy(vm, &vm->entropy.backend),
		&vm->memory.gmem, &device_host_ops, device);

	if (device_made(device, ret) < 0)
		return ret;
	return device_add(vm, device, &vm->rng.dev, &vm->options->rng_features, NULL);
}

/* A private disk's file is read alone, so that machines can share it. */
static int open_disk(struct vm_disk *disk, const struct disk_options *options, unsigned index)
{
	struct disk_options base = *options;
	int ret;

	disk->overlay = OVERLAY_EMPTY;
	base.read_only |= options->is_private;
	ret = disk_open(&disk->disk, &base, index);
	if (ret == 0 && options->is_private)
		ret = overlay_open(&disk->overlay, &disk->disk.backend, options->path);
	return ret;
}

/* Before other files are opened to be written: what is locked is safe from them. */
static int open_disks(struct vm *vm)
{
	const struct options *options = vm->options;
	int ret = 0;

	if (options->disk_count == 0)
		return 0;
	vm->disks = calloc(options->disk_count, sizeof *vm->disks);
	if (!vm->disks) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	while (ret == 0 && vm->disk_count < options->disk_count) {
		unsigned index = vm->disk_count++; /* from here on free_disks() undoes it */

		ret = open_disk(&vm->disks[index], &options->disks[index], index);
	}
	return ret;
}

static void look_at_size(struct vm_disk *disk)
{
	/* A private layer is as large as the disk was. */
	if (disk->overlay.fd < 0 && disk_refresh_size(&disk->disk) > 0)
		virtio_config_changed(&disk->block.dev);
}

static void look_ready(struct io_source *source)
{
	io_event_clear(source->fd);
	look_at_size(container_of(source, struct vm_disk, worker.look));
}

/* A thread that looks at queues all the time takes a processor from the guest's CPUs where there is
 * none to spare. Who watches a device, or has it be strange, wants to see it wait. */
static struct polling polling_of(const struct vm *vm, const struct disk_options *options)
{
	cpu_set_t processors;

	if (options->poll == DISK_POLL_FIXED)
		return polling_fixed(options->poll_us);
	if (options->poll == DISK_POLL_OFF || vm->options->chaos.on || views_exist(&vm->views) ||
		sched_getaffinity(0, sizeof processors, &processors) < 0 ||
		(unsigned)CPU_COUNT(&processors) <= vm->options->cpu_count)
		return POLLING_OFF;
	return polling_adaptive();
}

/* Returns 0, or -errno (said) if the disk is to have a thread that polls and there is none. */
static int make_worker(struct vm *vm, struct vm_disk *disk, const struct disk_options *options)
{
	int ret;

	if (vm->engine->ops->run) {
		if (options->poll != DISK_POLL_FIXED)
			return 0;
		say("--disk %s: poll=%u: the software CPU serves disks between two instructions, "
		    "and nothing waits for a kick",
			options->path, options->poll_us);
		return -EINVAL;
	}
	ret = worker_init(&disk->worker, &disk->block.dev, polling_of(vm, options), look_ready);
	if (ret < 0)
		worker_free(&disk->worker);
	return ret;
}

static int add_disk(struct vm *vm, unsigned index)
{
	const struct disk_options *options = &vm->options->disks[index];
	struct vm_disk *disk = &vm->disks[index];
	struct vm_device *device = device_next(vm);
	int ret = virtio_block_init(&disk->block, recording_disk(vm, index, vm_disk_backend(disk)),
		options->queue_count, &vm->memory.gmem, &device_host_ops, device);
	const char *missing;

	if (device_made(device, ret) < 0)
		return ret;
	virtio_block_mask(&disk->block, options->features.off);
	missing = feature_missing(&options->features, disk->block.dev.features);
	if (missing) {
		virtio_free(&disk->block.dev);
		say("%s: %s=on: this disk cannot have it", options->path, missing);
		return -EINVAL;
	}
	ret = make_worker(vm, disk, options);
	if (ret < 0) {
		virtio_free(&disk->block.dev);
		return ret;
	}
	return device_add(vm, device, &disk->block.dev, &options->features,
		vm->engine->ops->run ? NULL : &disk->worker);
}

static void free_disks(struct vm *vm)
{
	while (vm->disk_count > 0) {
		struct vm_disk *disk = &vm->disks[--vm->disk_count];

		overlay_close(&disk->overlay);
		disk_close(&disk->disk);
	}
	free(vm->disks);
	vm->disks = NULL;
}

void devices_resize_disks(struct vm *vm)
{
	if (vm->recording) {
		outside_ask_sizes(&vm->recording->outside);
		return;
	}
	for (unsigned i = 0; i < vm->disk_count; i++) {
		struct vm_disk *disk = &vm->disks[i];

		if (atomic_load(&disk->worker.started))
			io_event_signal(disk->worker.look.fd);
		else
			look_at_size(disk);
	}
}

/* The next place; detail may be NULL. */
static void place(struct vm *vm, const char *kind, const char *detail)
{
	struct boot_device *place = &vm->places[vm->place_count];
	const uint8_t *pins = vm->boot->protocol->board.pins;

	place->base = DEVICE_BASE + vm->place_count * VIRTIO_MMIO_WINDOW_SIZE;
	place->pin = pins ? pins[vm->place_count] : FIRST_PIN + vm->place_count;
	snprintf(place->name, sizeof place->name, "%s%s%s", kind, detail ? " " : "",
		detail ? detail : "");
	vm->place_count++;
}

void devices_place(struct vm *vm)
{
	const struct options *options = vm->options;

	if (plan_console_count(vm) > 0)
		place(vm, "console", plan_console_detail(vm));
	if (plan_has_rng(vm))
		place(vm, "entropy", options->rng_file);
	for (unsigned i = 0; i < options->disk_count; i++)
		place(vm, "block", options->disks[i].path);
}

int devices_open(struct vm *vm)
{
	int ret = open_disks(vm);

	if (ret == 0 && plan_has_rng(vm))
		ret = open_entropy(vm);
	return ret;
}

/* In the order of their places. */
int devices_add(struct vm *vm)
{
	int ret = 0;

	if (plan_has_serial(vm))
		ret = serial_add(vm);
	if (ret == 0 && vm->boot->protocol->board.keyboard)
		ret = pc_keyboard_add(vm);
	if (ret == 0 && plan_console_count(vm) > 0)
		ret = add_console(vm);
	if (ret == 0 && plan_has_rng(vm))
		ret = add_rng(vm);
	for (unsigned i = 0; ret == 0 && i < vm->disk_count; i++)
		ret = add_disk(vm, i);
	return ret;
}

void devices_say_untouched(const struct vm *vm)
{
	const char *why = vm->boot->protocol->board.untouched;
	bool wanted = vm->options->disk_count > 0;

	for (unsigned i = 0; i < vm->options->console_count; i++)
		wanted |= strcmp(vm->options->consoles[i].host, "none") != 0;
	if (!why || !wanted)
		return;
	for (unsigned i = 0; i < vm->device_count; i++)
		if (atomic_load(&vm->devices[i].touched))
			return;
	say("the kernel has not touched any virtio device: %s", why);
}

void devices_leave(struct vm *vm)
{
	free_consoles(vm);
	serial_free(&vm->serial);
}

void devices_free(struct vm *vm)
{
	while (vm->device_count > 0)
		device_free(&vm->devices[--vm->device_count]);
	free_disks(vm);
	entropy_close(&vm->entropy);
	pc_keyboard_free(vm);
	devices_leave(vm);
}
