/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/device.h"

#include <errno.h>
#include <sys/epoll.h>

#include "container.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"
#include "machine/accessor.h"
#include "machine/halts.h"
#include "machine/recording.h"
#include "machine/vm.h"
#include "machine/watch.h"

/* On a PC the engine's IOAPIC takes the edge. */
static void device_raise(void *ctx)
{
	struct vm_device *device = ctx;
	struct vm *vm = device->vm;
	unsigned pin = vm->places[device->index].pin;

	if (vm->boot->protocol->board.irqchip == ENGINE_IRQCHIP_APIC)
		ioapic_edge(&vm->ioapic, pin);
	halts_interrupted(vm);
	vm->engine->ops->raise(vm->engine, pin);
}

/* An engine that executes guest code on the I/O thread stops, and the queue is served before it
 * goes on, without a system call. */
static void device_kick(void *ctx, unsigned queue)
{
	struct vm_device *device = ctx;

	atomic_store(&device->kicks[queue].pending, true);
	if (device->vm->recording)
		recording_kicked(device->vm, &device->kicks[queue]);
	else if (device->vm->engine->ops->run)
		atomic_store(&device->vm->is_kicked, true);
	else
		io_event_signal(device->kicks[queue].source.fd);
	if (device->vm->engine->ops->yield)
		device->vm->engine->ops->yield(device->vm->engine);
}

/* Returns the guest-physical address of the device's registers. */
static uint64_t window_of(const struct vm_device *device)
{
	return DEVICE_BASE + (uint64_t)device->index * VIRTIO_MMIO_WINDOW_SIZE;
}

static int set_kick(const struct vm_device *device, unsigned queue, bool enable)
{
	struct engine *engine = device->vm->engine;
	uint64_t notify = window_of(device) + VIRTIO_MMIO_QUEUE_NOTIFY;

	return engine->ops->set_kick(engine, device->kicks[queue].source.fd, notify, queue, enable);
}

/* Registers the ioeventfds of the queues that are live, and removes those of the others. Returns 0,
 * or the last -errno if some cannot be registered. */
static int update_kicks(struct vm_device *device)
{
	int result = 0;

	for (unsigned queue = 0; queue < device->virtio->queue_count; queue++) {
		bool wanted = virtio_queue_live(device->virtio, queue);
		int ret;

		if (wanted == device->kicks[queue].is_set)
			continue;
		ret = set_kick(device, queue, wanted);
		if (ret < 0 && wanted)
			result = ret;
		else
			device->kicks[queue].is_set = wanted;
	}
	return result;
}

static void remove_kicks(struct vm_device *device)
{
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
		if (device->kicks[queue].is_set)
			set_kick(device, queue, false);
		device->kicks[queue].is_set = false;
	}
}

/* Returns whether kicks of this device take the engine's short cut. An ioeventfd matches one value,
 * so there are none with NOTIFICATION_DATA, where a kick holds more than the number of the queue;
 * and none of a device that is watched, so that each kick is seen, with its instruction. */
static bool has_kicks(const struct vm_device *device)
{
	return device->vm->engine->ops->set_kick && !device->virtio->watched &&
	       !virtio_has_feature(device->virtio, VIRTIO_F_NOTIFICATION_DATA);
}

/*
 * Registers ioeventfds, where the engine has them, at DRIVER_OK and removes them at reset. Not
 * earlier: a VM destroyed soon after KVM_IOEVENTFD waits for an RCU grace period, which a guest
 * without drivers need not pay. A queue that is not ready, and a device that FAILED, has none, so
 * that a kick is an access to QueueNotify, which reports the mistake.
 */
static int device_live(void *ctx, bool live)
{
	struct vm_device *device = ctx;
	int ret;

	if (live && device->worker) {
		ret = worker_start(device->worker);
		if (ret < 0) {
			say("device %u: its thread: %s", device->index, thread_error_text(-ret));
			return ret;
		}
	}
	if (!has_kicks(device))
		return 0;
	ret = live ? update_kicks(device) : 0;
	if (!live || ret < 0)
		remove_kicks(device);
	return ret;
}

/* A queue that cannot get its ioeventfd again is kicked by accesses to QueueNotify. */
static void device_queues_changed(void *ctx)
{
	struct vm_device *device = ctx;

	if (has_kicks(device))
		update_kicks(device);
}

static bool device_ending(void *ctx)
{
	struct vm_device *device = ctx;

	return !vm_running(device->vm);
}

static void device_report(void *ctx, const struct virtio_report *report)
{
	struct vm_device *device = ctx;
	struct place place;
	bool is_exact;

	watch_report(device, report);
	if (!report->accessor) {
		say("device %u, %s", device->index, report->text);
		return;
	}
	place = accessor_place(report->accessor, &is_exact);
	say("device %u, %s, %s %s", device->index, report->text, is_exact ? "at" : "before or at",
		place.text);
}

void device_access(struct vm_device *device, struct cpu *cpu, uint32_t offset, bool is_write,
	uint8_t *data, unsigned len)
{
	const struct accessor accessor = {cpu, window_of(device) + offset, is_write, data, len};

	atomic_store_explicit(&device->touched, true, memory_order_relaxed);

	if (is_write)
		virtio_mmio_write(&device->mmio, offset, data, len, &accessor);
	else
		virtio_mmio_read(&device->mmio, offset, data, len, &accessor);
}

const struct virtio_host_ops device_host_ops = {
	.raise = device_raise,
	.kick = device_kick,
	.live = device_live,
	.queues_changed = device_queues_changed,
	.ending = device_ending,
	.report = device_report,
	.event = watch_event,
};

static void kick_ready(struct io_source *source)
{
	struct vm_kick *kick = container_of(source, struct vm_kick, source);
	const struct worker *worker = kick->device->worker;

	/* A restored machine had not been kicked, though this one was. Kicks by an engine's short
	 * cut are not known. */
	if (!atomic_exchange(&kick->pending, false) && !kick->is_set)
		return;
	/* To serve the queue here would ask for kicks that the look before the wait can do
	 * without. */
	if (worker && polling_is_on(&worker->polling))
		return;
	/* More to do: after the other sources had their turn. */
	if (virtio_serve(kick->device->virtio, kick->queue)) {
		atomic_store(&kick->pending, true);
		io_event_signal(source->fd);
	}
}

static void serve_kicked(struct vm_device *device, unsigned queue)
{
	struct vm_kick *kick = &device->kicks[queue];

	if (atomic_exchange(&kick->pending, false) && virtio_serve(device->virtio, queue)) {
		atomic_store(&kick->pending, true);
		atomic_store(&device->vm->is_kicked, true);
	}
}

void device_serve_kicked(struct vm *vm)
{
	if (!atomic_exchange(&vm->is_kicked, false))
		return;
	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < vm->devices[i].virtio->queue_count; queue++)
			serve_kicked(&vm->devices[i], queue);
}

struct vm_device *device_next(struct vm *vm)
{
	struct vm_device *device = &vm->devices[vm->device_count];

	*device = (struct vm_device){.vm = vm, .index = vm->device_count};
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
		device->kicks[queue].source.fd = -1;
	return device;
}

/* Sets which features the device offers: those that the user chose, or, with --chaos, where the
 * user chose nothing, those that the seed chooses. Returns 0, or -errno (said). */
static int offer(struct vm_device *device, const struct feature_choice *own)
{
	const struct options *options = device->vm->options;
	const struct feature_choice *all = &options->features;
	uint64_t offered = features_offered(all, own);
	uint64_t open = ~(all->on | all->off | own->on | own->off);
	struct virtio_device *virtio = device->virtio;

	if (options->chaos.on) {
		virtio->chaos = chaos_open(&options->chaos, device->index, virtio->queues,
			virtio->queue_count, virtio->ops->streams);
		if (!virtio->chaos) {
			say("%s", error_text(ENOMEM));
			return -ENOMEM;
		}
		offered = (offered & ~open) |
			  (chaos_features(virtio->chaos) & open & VIRTIO_QUEUE_FEATURES);
		virtio->features &= ~(virtio->ops->optional & open) | chaos_features(virtio->chaos);
	}
	virtio_offer(virtio, offered);
	return 0;
}

int device_add(struct vm *vm, struct vm_device *device, struct virtio_device *virtio,
	const struct feature_choice *features, struct worker *worker)
{
	struct io_loop *loop = worker ? &worker->loop : &vm->loop;
	int ret;

	device->virtio = virtio;
	device->worker = worker;
	virtio_mmio_init(&device->mmio, virtio);
	vm->device_count++; /* from here on devices_free() undoes it */
	ret = offer(device, features);
	if (ret < 0)
		return ret;
	if (views_exist(&vm->views))
		virtio_watch(virtio);
	for (unsigned queue = 0; queue < virtio->queue_count; queue++) {
		struct vm_kick *kick = &device->kicks[queue];

		*kick = (struct vm_kick){
			.source = {.fd = io_event_open(), .ready = kick_ready},
			.device = device,
			.queue = queue,
		};
		if (kick->source.fd < 0)
			return kick->source.fd;
		/* Edge-triggered: each signal is an event, and the counter need not be read, which
		 * saves a system call a request. */
		ret = io_loop_add(loop, &kick->source, EPOLLIN | EPOLLET);
		if (ret < 0)
			return ret;
	}
	return vm->engine->ops->connect(vm->engine, vm->places[device->index].pin);
}

void device_free(struct vm_device *device)
{
	if (device->worker)
		worker_free(device->worker);
	chaos_free(device->virtio->chaos);
	virtio_free(device->virtio);
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
		file_close(&device->kicks[queue].source.fd);
}
