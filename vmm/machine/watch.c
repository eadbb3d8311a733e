/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error_text.h"
#include "io/file.h"
#include "line.h"
#include "log.h"
#include "machine/accessor.h"
#include "machine/vm.h"
#include "monotonic.h"
#include "see/capture.h"
#include "see/check.h"
#include "see/log_exits.h"
#include "see/log_virtio.h"
#include "see/stats.h"
#include "see/trace.h"

/* --- what views ask of the machine ------------------------------------------------------------ */

static uint64_t watch_now(void *ctx)
{
	struct vm *vm = ctx;

	return vm_is_virtual(vm) ? vm->engine->ops->now(vm->engine) : monotonic_ns() - vm->began_ns;
}

/* NULL: the event is not an access. */
static const struct accessor *accessor_of(const struct event *event)
{
	switch (event->kind) {
	case EVENT_VIRTIO:
		return event->virtio->accessor;
	case EVENT_REPORT:
		return event->report->accessor;
	case EVENT_ACCESS:
		return event->access->accessor;
	default:
		return NULL;
	}
}

static bool watch_place(void *ctx, const struct event *event, struct place *place)
{
	const struct accessor *accessor = accessor_of(event);
	bool is_exact;

	(void)ctx;
	if (!accessor)
		return false;
	*place = accessor_place(accessor, &is_exact);
	return true;
}

static const char *watch_symbol(void *ctx, uint64_t address, uint32_t *offset)
{
	return vm_symbol(ctx, address, offset);
}

static uint64_t watch_instructions(void *ctx, int cpu)
{
	return cpu == EVENT_NO_CPU ? vm_instructions(ctx) : vm_cpu_instructions(ctx, (unsigned)cpu);
}

static void watch_memory(void *ctx, uint64_t gpa, uint64_t len)
{
	struct vm *vm = ctx;

	if (vm->engine->ops->watch(vm->engine, gpa, len) < 0)
		say("no memory to watch rings with: what --check and --capture tell of stores ends "
		    "here");
}

static void watch_fail(void *ctx, int status)
{
	vm_output_lost(ctx, status);
}

static const struct views_machine watch_machine = {
	.now = watch_now,
	.place = watch_place,
	.symbol = watch_symbol,
	.instructions = watch_instructions,
	.watch = watch_memory,
	.fail = watch_fail,
};

/* --- opening and closing ---------------------------------------------------------------------- */

/* Standard output is for the capture's reader, so what the guest prints goes to standard error. */
static int open_capture_to_stdout(struct vm *vm)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), ret;

	if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		ret = -errno;
		say("--capture -: %s", error_text(errno));
		file_close(&fd);
		return ret;
	}
	line_compare();
	ret = capture_open(
		&vm->views, NULL, fd, vm->options->capture_snap, vm->options->capture_stores);
	if (ret < 0)
		file_close(&fd);
	return ret;
}

static int open_capture(struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->capture_stores && !vm->engine->ops->watch) {
		say("--capture %s,stores: this engine does not see stores; run again with "
		    "--engine soft",
			options->capture);
		return -ENOTSUP;
	}
	if (strcmp(options->capture, "-") == 0)
		return open_capture_to_stdout(vm);
	return capture_open(
		&vm->views, options->capture, -1, options->capture_snap, options->capture_stores);
}

static int open_logs_of_exits(struct vm *vm)
{
	const char *const *files = vm->options->log_files;
	int ret = 0;

	for (unsigned i = 0; ret == 0 && i < EXIT_LOG_WORDS; i++)
		if (files[i])
			ret = log_exits_open(&vm->views, &exit_log_words[i], files[i]);
	return ret;
}

bool watch_sees_exits(const struct options *options)
{
	for (unsigned i = 0; i < EXIT_LOG_WORDS; i++)
		if (options->log_files[i])
			return true;
	return options->trace || options->stats;
}

int watch_open(struct vm *vm, struct sink_wait wait)
{
	const struct options *options = vm->options;
	int ret;

	views_init(&vm->views, &watch_machine, vm);
	vm->views.wait = wait;
	vm->began_ns = monotonic_ns();
	ret = open_logs_of_exits(vm);
	if (ret == 0 && options->log_virtio)
		ret = log_virtio_open(&vm->views, options->log_virtio_file);
	if (ret == 0 && options->trace)
		ret = trace_open(&vm->views, options->trace, options->kernel);
	if (ret == 0 && options->capture)
		ret = open_capture(vm);
	if (ret == 0 && vm->stats)
		ret = stats_open(vm->stats, &vm->views, options->stats_file);
	if (ret == 0 && options->check_virtio)
		ret = check_open(&vm->views, vm->engine->ops->watch != NULL, options->check_fatal);
	return ret;
}

void watch_close(struct vm *vm)
{
	if (!views_close(&vm->views))
		vm->is_stuck = true;
}

/* --- events ----------------------------------------------------------------------------------- */

static void tell(struct vm_device *device, struct event *event)
{
	const struct accessor *accessor = accessor_of(event);

	event->device = device->virtio;
	event->number = device->index;
	event->cpu = accessor ? (int)accessor->cpu->id : EVENT_NO_CPU;
	views_tell(&device->vm->views, event);
}

void watch_event(void *ctx, const struct virtio_event *virtio)
{
	struct vm_device *device = ctx;
	struct vm *vm = device->vm;
	struct event event = {.kind = EVENT_VIRTIO, .virtio = virtio};
	struct ioapic_pin route;

	if (virtio->kind == VIRTIO_EVENT_INTERRUPT) {
		event.pin = vm->places[device->index].pin;
		if (vm->boot->protocol->board.irqchip == ENGINE_IRQCHIP_APIC) {
			ioapic_inspect(&vm->ioapic, event.pin, &route);
			event.route = &route;
		}
	}
	tell(device, &event);
}

void watch_exit(struct cpu *cpu, const struct cpu_exit *exit, bool is_end)
{
	struct vm *vm = cpu->ctx;
	struct event event = {
		.kind = is_end ? EVENT_EXIT_END : EVENT_EXIT,
		.cpu = (int)cpu->id,
		.exit = exit,
		.leaving = cpu,
	};

	views_tell(&vm->views, &event);
}

void watch_look(struct vm *vm, const struct state *state)
{
	struct event event = {.kind = EVENT_LOOK, .cpu = EVENT_NO_CPU, .state = state};

	views_tell(&vm->views, &event);
}

void watch_access(struct cpu *cpu, uint64_t gpa, unsigned len, bool is_write, bool is_ordered)
{
	struct vm *vm = cpu->ctx;
	const struct accessor accessor = {.cpu = cpu, .gpa = gpa, .len = len};
	const struct event_access access = {gpa, len, is_write, is_ordered, &accessor};
	struct event event = {.kind = EVENT_ACCESS, .cpu = (int)cpu->id, .access = &access};

	views_tell(&vm->views, &event);
}

int watch_mark_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;
	struct event event = {.kind = EVENT_MARK, .cpu = (int)cpu->id};

	(void)port;
	if (len != sizeof event.mark || !is_write)
		return -ENXIO;
	event.mark = (uint32_t)cpu_value(data, len);
	if (views_exist(&vm->views))
		views_tell(&vm->views, &event);
	return 0;
}

void watch_report(struct vm_device *device, const struct virtio_report *report)
{
	struct event event = {.kind = EVENT_REPORT, .report = report};

	if (!views_exist(&device->vm->views))
		return;
	tell(device, &event);
	views_flush(&device->vm->views);
}
