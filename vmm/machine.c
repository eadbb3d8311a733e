/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "log.h"
#include "machine/cpus.h"
#include "machine/plan.h"
#include "machine/signals.h"
#include "machine/timers.h"

/* The local APIC timer of KVM counts nanoseconds. */
#define APIC_TIMER_KHZ 1000000

bool machine_running(struct vm *vm)
{
	return atomic_load(&vm->status) < 0;
}

void machine_end(struct vm *vm, int status)
{
	int running = -1;

	if (atomic_compare_exchange_strong(&vm->status, &running, status))
		io_loop_stop(&vm->loop);
}

void machine_output_lost(struct vm *vm)
{
	int success = 0;

	machine_end(vm, EXIT_STATUS_VOLE);
	atomic_compare_exchange_strong(&vm->status, &success, EXIT_STATUS_VOLE);
}

void machine_quit(void *ctx)
{
	struct vm *vm = ctx;

	vm->hurry = true;
	machine_end(vm, 0);
}

int machine_plan(struct vm *vm, const struct options *options)
{
	int ret;

	*vm = (struct vm){
		.options = options,
		.kvm = KVM_EMPTY,
		.memory = MEMORY_EMPTY,
		.loop = IO_LOOP_EMPTY,
		.signals.fd = -1,
		.timer.fd = -1,
		.halts.fd = -1,
		.entropy = ENTROPY_EMPTY,
		.serial = {.chardev = CHARDEV_EMPTY, .interrupt = -1},
		.report = PTHREAD_MUTEX_INITIALIZER,
		.status = -1,
	};
	ret = boot_open(&vm->boot, options);
	if (ret == 0 && plan_judge(vm) < 0)
		ret = EXIT_STATUS_VOLE;
	return ret;
}

int machine_show(struct vm *vm)
{
	const struct options *options = vm->options;
	struct boot_machine machine = {
		.cpu_count = options->cpu_count,
		.apic_timer_khz = APIC_TIMER_KHZ,
		.devices = vm->places,
	};
	int ret;

	if (plan_console_count(vm) > 0)
		device_place(vm, machine.device_count++, "console", plan_console_detail(vm));
	if (plan_has_rng(vm))
		device_place(vm, machine.device_count++, "entropy", options->rng_file);
	for (unsigned i = 0; i < options->disk_count; i++)
		device_place(vm, machine.device_count++, "block", options->disks[i].path);
	ret = vm->boot->protocol->show(vm->boot, stdout, &machine);
	if (ret < 0)
		say("%s: %s", ferror(stdout) ? "standard output" : options->kernel, strerror(-ret));
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

static void routes_changed(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	struct vm *vm = ctx;

	if (kvm_set_routes(&vm->kvm, routes) < 0)
		machine_end(vm, EXIT_STATUS_VOLE);
}

static int make_irqchip(struct vm *vm)
{
	switch (vm->boot->protocol->board.irqchip) {
	case BOARD_SPLIT_IRQCHIP:
		return kvm_create_split_irqchip(&vm->kvm);
	case BOARD_PC_IRQCHIP:
		return kvm_create_pc_irqchip(&vm->kvm);
	case BOARD_NO_IRQCHIP:
		break;
	}
	return 0;
}

/* The order matters: see kvm_add_memory(). */
static int make_machine(struct vm *vm)
{
	int ret = kvm_init(&vm->kvm);

	if (ret == 0)
		ret = memory_init(&vm->memory, vm->boot->regions, vm->boot->region_count);
	if (ret == 0)
		ret = memory_attach(&vm->memory, &vm->kvm);
	if (ret == 0)
		ret = make_irqchip(vm);
	if (ret == 0)
		ret = cpus_make(vm);
	if (ret == 0)
		ret = ioapic_init(&vm->ioapic, routes_changed, vm);
	if (ret == 0)
		ret = io_loop_init(&vm->loop);
	if (ret == 0)
		ret = signals_open(vm);
	if (ret == 0)
		ret = devices_add(vm);
	if (ret == 0)
		ports_add(vm);
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

static int load(struct vm *vm)
{
	struct boot_machine machine = {
		.cpu_count = vm->vcpu_count,
		.tsc_khz = kvm_tsc_khz(vm->vcpus[0].fd),
		.apic_timer_khz = APIC_TIMER_KHZ,
		.device_count = vm->device_count,
		.devices = vm->places,
	};

	return vm->boot->protocol->load(vm->boot, &vm->memory, &machine);
}

/* Serve what the guest handed over. True if there is more to do at once. */
static bool serve_all(struct vm *vm)
{
	bool more = false;

	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < vm->devices[i].virtio->queue_count; queue++)
			more |= virtio_serve(vm->devices[i].virtio, queue);
	if (vm->serial.present)
		uart_ready(&vm->serial.uart);
	return more;
}

/* Console ports, serial port, keys, signals, clock. */
#define DRAIN_FDS (VIRTIO_CONSOLE_PORTS_MAX + 4)

/* Who waits for the host to take output, and the others' places empty: they would be always ready. Whether
 * somebody does. */
static bool find_waiting(const struct vm *vm, struct pollfd fds[DRAIN_FDS])
{
	bool serial = vm->serial.uart.output_wanted;
	bool found = serial;

	for (unsigned i = 0; i < VIRTIO_CONSOLE_PORTS_MAX; i++) {
		bool waits = i < vm->console_count && vm->console.ports[i].output_wanted;

		fds[i].fd = waits ? vm->consoles[i].chardev.out : -1;
		found |= waits;
	}
	fds[VIRTIO_CONSOLE_PORTS_MAX].fd = serial ? vm->serial.chardev.out : -1;
	for (unsigned i = 0; i <= VIRTIO_CONSOLE_PORTS_MAX; i++)
		fds[i].events = POLLOUT;
	return found;
}

/* The one whose terminal has keys for vole; NULL if none has. */
static struct chardev *find_keys(struct vm *vm)
{
	if (chardev_keys(&vm->serial.chardev) >= 0)
		return &vm->serial.chardev;
	for (unsigned i = 0; i < vm->console_count; i++)
		if (chardev_keys(&vm->consoles[i].chardev) >= 0)
			return &vm->consoles[i].chardev;
	return NULL;
}

/* Until one of them can go on, or the end may not wait any longer: a user at a raw terminal has no other
 * way to say so than ^A x. */
static void wait_for_takers(struct vm *vm, struct pollfd fds[DRAIN_FDS], int timeout)
{
	struct chardev *terminal = find_keys(vm);
	struct pollfd *keys = &fds[DRAIN_FDS - 3];
	struct pollfd *signals = &fds[DRAIN_FDS - 2], *timer = &fds[DRAIN_FDS - 1];

	*keys = (struct pollfd){.fd = terminal ? chardev_keys(terminal) : -1, .events = POLLIN};
	*signals = (struct pollfd){.fd = vm->signals.fd, .events = POLLIN};
	*timer = (struct pollfd){.fd = vm->timer.fd, .events = POLLIN};
	if (poll(fds, DRAIN_FDS, timeout) < 0) {
		if (errno == EINTR)
			return;
		say("poll: %s", strerror(errno));
		vm->hurry = true; /* what is not taken by now is lost */
		machine_output_lost(vm);
		return;
	}
	for (unsigned i = 0; i < vm->console_count; i++)
		if (fds[i].revents)
			virtio_backend_ready(&vm->console.dev, i);
	if (keys->revents)
		chardev_take_keys(terminal);
	if (signals->revents)
		vm->signals.ready(&vm->signals);
	if (timer->revents) {
		say("time-out after %u seconds: the guest has ended, but nobody takes its output",
			vm->options->timeout);
		vm->timer.ready(&vm->timer);
	}
}

/*
 * What the guest handed over just before it ended is not lost: writes reach the disk, and text the
 * console, however slowly that is read. But if the end is not the guest's own idea, or a signal or
 * the time-out comes meanwhile, what is not taken at once is not waited for.
 */
static void drain(struct vm *vm)
{
	/* A ring that was laid over another could go on for ever. */
	unsigned passes = VIRTIO_PASSES_MAX;
	struct pollfd fds[DRAIN_FDS];
	bool more = serve_all(vm);

	while (!vm->hurry && (find_waiting(vm, fds) || more)) {
		wait_for_takers(vm, fds, more ? 0 : -1);
		more = serve_all(vm) && passes-- > 0;
	}
}

/* How often pseudo-terminals are looked at; and how often nothing may have been read. */
#define LINGER_MS    10
#define LINGER_LOOKS 200

static unsigned unread(const struct vm *vm)
{
	unsigned sum = chardev_unread(&vm->serial.chardev);

	for (unsigned i = 0; i < vm->console_count; i++)
		sum += chardev_unread(&vm->consoles[i].chardev);
	return sum;
}

/*
 * What a pseudo-terminal holds would be lost with it: who reads it is waited for, and who does not, for
 * two seconds. Twice nothing, since the kernel hands on what it holds in parts.
 */
static void linger(struct vm *vm)
{
	struct pollfd fds[DRAIN_FDS] = {0};
	unsigned looks = 0, nothing = 0, last = 0;

	for (unsigned i = 0; i < DRAIN_FDS; i++)
		fds[i].fd = -1;
	while (!vm->hurry && nothing < 2 && looks < LINGER_LOOKS) {
		unsigned now = unread(vm);

		nothing = now == 0 ? nothing + 1 : 0;
		looks = now == last ? looks + 1 : 0;
		last = now;
		if (nothing < 2)
			wait_for_takers(vm, fds, LINGER_MS);
	}
}

static bool has_pty(const struct vm *vm)
{
	bool found = vm->serial.chardev.slave >= 0;

	for (unsigned i = 0; i < vm->console_count; i++)
		found |= vm->consoles[i].chardev.slave >= 0;
	return found;
}

static void say_start(const struct vm *vm)
{
	say("%s: entry point 0x%08x, RAM %u bytes, CPUs: %u", vm->options->kernel,
		vcpu_entry(&vm->boot->state), vm->options->memory_size, vm->vcpu_count);
	for (unsigned i = 0; i < vm->device_count; i++)
		say("device %u: %s at 0x%08x, pin %u", i, vm->places[i].name, vm->places[i].base,
			vm->places[i].pin);
}

static void say_end(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		say("CPU %u: %" PRIu64 " exits, %" PRIu64 " instructions completed for KVM", i,
			vm->vcpus[i].exits, vm->vcpus[i].completed);
	say("exit status %d", atomic_load(&vm->status));
}

int machine_run(struct vm *vm)
{
	int ret = make_machine(vm);

	if (ret == 0)
		ret = load(vm);
	if (ret != 0)
		return ret;
	if (vm->options->verbose)
		say_start(vm);
	if (timers_open(vm) < 0 || cpus_start(vm) < 0 || io_loop_run(&vm->loop) < 0)
		machine_end(vm, EXIT_STATUS_VOLE);
	cpus_stop(vm);
	drain(vm);
	if (has_pty(vm))
		linger(vm);
	if (vm->options->verbose)
		say_end(vm);
	return atomic_load(&vm->status);
}

void machine_free(struct vm *vm)
{
	devices_free(vm);
	timers_close(vm);
	signals_close(vm);
	io_loop_free(&vm->loop);
	ioapic_free(&vm->ioapic);
	cpus_free(vm);
	kvm_free(&vm->kvm);
	memory_free(&vm->memory);
	boot_free(vm->boot);
}
