/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/device.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "container.h"
#include "log.h"
#include "machine/vm.h"

/* On a PC the engine's IOAPIC takes the edge. */
static void device_raise(void *ctx)
{
	struct vm_device *device = ctx;
	struct vm *vm = device->vm;
	unsigned pin = vm->places[device->index].pin;

	if (vm->boot->protocol->board.irqchip == ENGINE_IRQCHIP_APIC)
		ioapic_edge(&vm->ioapic, pin);
	vm->engine->ops->raise(vm->engine, pin);
}

static void device_kick(void *ctx, unsigned queue)
{
	struct vm_device *device = ctx;

	io_event_signal(device->kicks[queue].source.fd);
	if (device->vm->engine->ops->yield)
		device->vm->engine->ops->yield(device->vm->engine);
}

static int set_kick(const struct vm_device *device, unsigned queue, bool enable)
{
	struct engine *engine = device->vm->engine;
	uint64_t notify = DEVICE_BASE + (uint64_t)device->index * VIRTIO_MMIO_WINDOW_SIZE +
			  VIRTIO_MMIO_QUEUE_NOTIFY;

	return engine->ops->set_kick(engine, device->kicks[queue].source.fd, notify, queue, enable);
}

/*
 * Registers the queues' ioeventfds, where the engine has them, at DRIVER_OK and removes them at
 * reset. Not earlier: a VM destroyed soon after KVM_IOEVENTFD waits for an RCU grace period, which
 * a guest without drivers need not pay. An ioeventfd matches one value, so there are none with
 * NOTIFICATION_DATA, where a kick holds more than the number of the queue.
 */
static int device_live(void *ctx, bool live)
{
	struct vm_device *device = ctx;
	int ret = 0;

	if (!device->vm->engine->ops->set_kick ||
		virtio_has_feature(device->virtio, VIRTIO_F_NOTIFICATION_DATA))
		return 0;
	for (unsigned queue = 0; queue < virtio_queue_count(device->virtio); queue++) {
		ret = set_kick(device, queue, live);
		if (ret < 0 && live) {
			while (queue-- > 0)
				set_kick(device, queue, false);
			break;
		}
	}
	return ret;
}

static void device_report(void *ctx, const char *message)
{
	struct vm_device *device = ctx;

	say("device %u, %s", device->index, message);
}

const struct virtio_host_ops device_host_ops = {
	.raise = device_raise,
	.kick = device_kick,
	.live = device_live,
	.report = device_report,
};

static void kick_ready(struct io_source *source)
{
	struct vm_kick *kick = container_of(source, struct vm_kick, source);

	/* More to do: after the other sources had their turn. */
	if (virtio_serve(kick->device->virtio, kick->queue))
		io_event_signal(source->fd);
}

struct vm_device *device_next(struct vm *vm)
{
	struct vm_device *device = &vm->devices[vm->device_count];

	*device = (struct vm_device){.vm = vm, .index = vm->device_count};
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
		device->kicks[queue].source.fd = -1;
	return device;
}

int device_add(struct vm *vm, struct vm_device *device, struct virtio_device *virtio,
	const struct feature_choice *features)
{
	int ret;

	virtio_offer(virtio, features_offered(&vm->options->features, features));
	device->virtio = virtio;
	virtio_mmio_init(&device->mmio, virtio);
	vm->device_count++; /* from here on devices_free() undoes it */
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
		ret = io_loop_add(&vm->loop, &kick->source, EPOLLIN | EPOLLET);
		if (ret < 0)
			return ret;
	}
	return vm->engine->ops->connect(vm->engine, vm->places[device->index].pin);
}

void device_free(struct vm_device *device)
{
	virtio_free(device->virtio);
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
		if (device->kicks[queue].source.fd >= 0)
			close(device->kicks[queue].source.fd);
}
