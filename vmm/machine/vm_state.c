/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/vm_state.h"

#include <errno.h>
#include <unistd.h>

#include <vole/virtio_console.h>

#include "error_text.h"
#include "log.h"
#include "machine/vm.h"
#include "save.h"
#include "snapshot/stream.h"

static bool has_cmos(const struct vm *vm)
{
	return vm->boot->protocol->board.cmos;
}

/* The chips that the machine has, not the engine. Before the engine, which gets its routes. */
static void transfer_chips(struct vm *vm, struct snapshot_stream *stream)
{
	const struct board *board = &vm->boot->protocol->board;

	if (board->irqchip == ENGINE_IRQCHIP_APIC)
		ioapic_transfer(&vm->ioapic, stream);
	if (has_cmos(vm))
		cmos_transfer(&vm->cmos, stream);
	if (vm->keyboard.present)
		i8042_transfer(&vm->keyboard.controller, stream);
	if (board->screen)
		vga_text_transfer(&vm->screen, stream);
}

/* --- virtio devices --------------------------------------------------------------------------- */

static void transfer_queue(struct virtio_saved_queue *queue, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, queue->size);
	SNAPSHOT_FIELD(stream, queue->desc);
	SNAPSHOT_FIELD(stream, queue->driver);
	SNAPSHOT_FIELD(stream, queue->device);
	snapshot_bool(stream, &queue->ready);
	snapshot_bool(stream, &queue->ran_dry);
	SNAPSHOT_FIELD(stream, queue->position);
	snapshot_bool(stream, &queue->wrap);
	snapshot_bool(stream, &queue->is_held);
	SNAPSHOT_FIELD(stream, queue->transferred);
	SNAPSHOT_FIELD(stream, queue->written);
}

static void transfer_port(struct virtio_saved_port *port, struct snapshot_stream *stream)
{
	snapshot_bool(stream, &port->added);
	snapshot_bool(stream, &port->ready);
	snapshot_bool(stream, &port->opened);
	SNAPSHOT_FIELD(stream, port->pending);
	SNAPSHOT_FIELD(stream, port->cols);
	SNAPSHOT_FIELD(stream, port->rows);
	snapshot_bool(stream, &port->connected);
}

static void transfer_virtio(struct virtio_saved *saved, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, saved->status);
	snapshot_bool(stream, &saved->live);
	SNAPSHOT_FIELD(stream, saved->features);
	SNAPSHOT_FIELD(stream, saved->driver_features);
	SNAPSHOT_FIELD(stream, saved->config_generation);
	SNAPSHOT_FIELD(stream, saved->interrupt_status);
	SNAPSHOT_FIELD(stream, saved->queue_count);
	snapshot_check(
		stream, saved->queue_count <= VIRTIO_SAVED_QUEUES, "%u queues", saved->queue_count);
	for (unsigned i = 0; !snapshot_failed(stream) && i < saved->queue_count; i++)
		transfer_queue(&saved->queues[i], stream);
	for (unsigned i = 0; i < VIRTIO_SAVED_PORTS; i++)
		transfer_port(&saved->ports[i], stream);
	snapshot_bool(stream, &saved->mode_chosen);
	snapshot_bool(stream, &saved->writeback);
	SNAPSHOT_FIELD(stream, saved->capacity);
	SNAPSHOT_FIELD(stream, saved->capacity_max);
}

/* What the machine keeps of a device. pending has a bit for each queue that was kicked and is not
 * served yet. */
static void transfer_device(struct vm_device *device, struct virtio_saved *saved, uint32_t *pending,
	struct snapshot_stream *stream)
{
	snapshot_begin(stream, "VDEV", device->index);
	transfer_virtio(saved, stream);
	SNAPSHOT_FIELD(stream, device->mmio.device_features_sel);
	SNAPSHOT_FIELD(stream, device->mmio.driver_features_sel);
	SNAPSHOT_FIELD(stream, device->mmio.queue_sel);
	SNAPSHOT_FIELD(stream, *pending);
	snapshot_end(stream);
}

/* An engine that has short cuts for kicks does not tell of those that are pending. A needless one
 * does no harm. */
static uint32_t pending_kicks(const struct vm_device *device)
{
	uint32_t pending = 0;

	for (unsigned i = 0; i < device->virtio->queue_count; i++)
		if (device->vm->engine->ops->set_kick || atomic_load(&device->kicks[i].pending))
			pending |= 1u << i;
	return pending;
}

static void save_device(struct vm_device *device, struct snapshot_stream *stream)
{
	uint32_t pending = pending_kicks(device);
	struct virtio_saved saved;

	virtio_save(device->virtio, &saved);
	transfer_device(device, &saved, &pending, stream);
}

/* A console offers SIZE where its host has a window. That of the clone may be another one, which
 * changes nothing of what its driver was offered. */
static void keep_size_feature(struct virtio_device *virtio, uint64_t saved)
{
	const uint64_t size = VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE);

	if (virtio->ops->id == VIRTIO_ID_CONSOLE)
		virtio->features = (virtio->features & ~size) | (saved & size);
}

static int restore_device(
	struct vm_device *device, struct snapshot_stream *stream, const char *name)
{
	struct virtio_saved saved = {.status = 0};
	const char *why = NULL;
	uint32_t pending = 0;
	int ret;

	transfer_device(device, &saved, &pending, stream);
	if (snapshot_failed(stream))
		return stream->error;
	keep_size_feature(device->virtio, saved.features);
	ret = virtio_restore(device->virtio, &saved, &why);
	if (ret < 0) {
		say("%s: device %u, %s: %s", name, device->index, device->virtio->ops->name,
			why ? why : error_text(-ret));
		return ret;
	}
	for (unsigned i = 0; i < device->virtio->queue_count; i++) {
		atomic_store(&device->kicks[i].pending, false);
		if (pending >> i & 1)
			virtio_kick(device->virtio, i);
	}
	/* An edge may have been on its way in the host's kernel. A needless one does no harm. */
	if (saved.live && saved.interrupt_status && device->vm->engine->ops->set_kick)
		device->virtio->host->raise(device->virtio->ctx);
	return 0;
}

/* --- what follows the devices ----------------------------------------------------------------- */

/* A file of random bytes is read on from where it was. */
static void transfer_entropy(struct vm *vm, struct snapshot_stream *stream)
{
	int fd = vm->entropy.file.fd;
	int64_t offset = !stream->is_reading && fd >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;

	snapshot_begin(stream, "RNGS", 0);
	SNAPSHOT_FIELD(stream, offset);
	snapshot_end(stream);
	if (stream->is_reading && fd >= 0 && offset > 0)
		lseek(fd, offset, SEEK_SET);
}

static int transfer_engine(struct vm *vm, struct snapshot_stream *stream)
{
	return vm->engine->ops->transfer(vm->engine, stream);
}

int vm_state_save(struct vm *vm, struct snapshot_stream *stream)
{
	int ret;

	transfer_chips(vm, stream);
	ret = transfer_engine(vm, stream);
	if (ret < 0)
		return ret;
	if (vm->serial.present)
		uart_transfer(&vm->serial.uart, stream);
	transfer_entropy(vm, stream);
	for (unsigned i = 0; i < vm->device_count; i++)
		save_device(&vm->devices[i], stream);
	if (snapshot_failed(stream))
		say("the state of the machine: %s", stream->fault);
	return stream->error;
}

/* The host's side of a console's ports may not be as the driver knows it. */
static void tell_consoles(struct vm *vm)
{
	for (unsigned i = 0; i < vm->console_count; i++) {
		if (!virtio_console_is_outdated(&vm->console, i))
			continue;
		virtio_backend_ready(&vm->console.dev, i);
		virtio_config_changed(&vm->console.dev);
	}
}

static int restore(struct vm *vm, struct snapshot_stream *stream, const char *name)
{
	int ret;

	transfer_chips(vm, stream);
	ret = transfer_engine(vm, stream);
	if (ret == 0 && vm->serial.present)
		uart_transfer(&vm->serial.uart, stream);
	transfer_entropy(vm, stream);
	for (unsigned i = 0; ret == 0 && !snapshot_failed(stream) && i < vm->device_count; i++)
		ret = restore_device(&vm->devices[i], stream, name);
	snapshot_check(stream, !snapshot_has_more(stream), "there are sections left");
	return ret;
}

int vm_state_restore(struct vm *vm, struct snapshot_stream *stream, const char *name)
{
	int ret = restore(vm, stream, name);

	if (snapshot_failed(stream)) {
		say("%s: a checkpoint that cannot be used: %s", name, stream->fault);
		return stream->error;
	}
	if (ret == 0)
		tell_consoles(vm);
	return ret;
}
