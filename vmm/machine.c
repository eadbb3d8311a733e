/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "log.h"
#include "machine/cpus.h"
#include "machine/drain.h"
#include "machine/plan.h"
#include "machine/signals.h"
#include "machine/timers.h"

/* The local APIC timer of KVM counts nanoseconds. */
#define APIC_TIMER_KHZ 1000000

bool machine_running(struct vm *vm)
{
	return atomic_load(&vm->status) < 0;
}

bool machine_end(struct vm *vm, int status)
{
	int running = -1;

	if (!atomic_compare_exchange_strong(&vm->status, &running, status))
		return false;
	io_loop_stop(&vm->loop);
	return true;
}

void machine_output_lost(struct vm *vm, int status)
{
	int success = 0;

	machine_end(vm, status);
	atomic_compare_exchange_strong(&vm->status, &success, status);
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
	if (ret != 0)
		return ret;
	if (plan_judge(vm) < 0)
		return EXIT_STATUS_VOLE;
	devices_place(vm);
	return 0;
}

int machine_show(struct vm *vm)
{
	const struct options *options = vm->options;
	struct boot_machine machine = {
		.cpu_count = options->cpu_count,
		.apic_timer_khz = APIC_TIMER_KHZ,
		.device_count = vm->place_count,
		.devices = vm->places,
	};
	int ret = vm->boot->protocol->show(vm->boot, stdout, &machine);

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
static int make_core(struct vm *vm)
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
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

static int make_devices(struct vm *vm)
{
	int ret = ioapic_init(&vm->ioapic, routes_changed, vm);

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
		.device_count = vm->place_count,
		.devices = vm->places,
	};

	return vm->boot->protocol->load(vm->boot, &vm->memory, &machine);
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
	int ret;

	log_open();
	ret = make_core(vm);
	/* Reading images takes its time. Before signals are held back, they end vole as any
	 * program. */
	if (ret == 0)
		ret = load(vm);
	if (ret == 0)
		ret = make_devices(vm);
	if (ret != 0)
		return ret;
	if (vm->options->verbose)
		say_start(vm);
	if (timers_open(vm) < 0 || cpus_start(vm) < 0 || io_loop_run(&vm->loop) < 0)
		machine_end(vm, EXIT_STATUS_VOLE);
	cpus_stop(vm);
	drain(vm);
	if (vm->options->verbose)
		say_end(vm);
	return atomic_load(&vm->status);
}

void machine_free(struct vm *vm)
{
	timers_close(vm);
	devices_free(vm);
	signals_close(vm);
	io_loop_free(&vm->loop);
	ioapic_free(&vm->ioapic);
	cpus_free(vm);
	kvm_free(&vm->kvm);
	memory_free(&vm->memory);
	boot_free(vm->boot);
}
