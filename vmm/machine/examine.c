/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/examine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/callers.h"
#include "error_text.h"
#include "log.h"
#include "machine/interrupt_source.h"
#include "machine/vm.h"

#define CALLERS_SHOWN 3

/* The innermost callers, those that are certain if there are any. */
static void find_callers(
	struct cpu *cpu, const struct cpu_registers *registers, struct state_cpu *shown)
{
	struct callers callers;
	unsigned count;
	size_t len;

	callers_find(cpu, registers, &callers);
	count = callers.certain > 0 ? callers.certain : callers.count;
	if (count == 0)
		return;
	len = (size_t)snprintf(shown->callers, sizeof shown->callers, "%scalled from",
		callers.certain > 0 ? "" : "perhaps ");
	for (unsigned i = 0; i < count && i < CALLERS_SHOWN && len < sizeof shown->callers; i++)
		len += (size_t)snprintf(shown->callers + len, sizeof shown->callers - len, "%s %s",
			i == 0 ? "" : ",", place_of_return(cpu, callers.address[i]).text);
}

/* Where the CPU is, if it has registers. One that has halted is past HLT, which may be the last
 * instruction of its function. */
static void find_place(struct cpu *cpu, struct state_cpu *shown)
{
	enum cpu_activity activity = shown->state.activity;
	bool has_halted = activity == CPU_HALTED || activity == CPU_HALTED_FOR_GOOD;
	struct cpu_registers registers;

	if (cpu->ops->registers(cpu, &registers) < 0)
		return;
	registers.rip -= has_halted;
	shown->place = place_of(cpu, registers.cs.base + registers.rip);
	find_callers(cpu, &registers, shown);
}

static void examine_cpus(struct vm *vm, struct state *state)
{
	const struct engine_ops *ops = vm->engine->ops;

	for (unsigned id = 0; id < state->cpu_count; id++) {
		struct state_cpu *cpu = &state->cpus[id];

		cpu->is_known = ops->state(vm->engine, id, &cpu->state) == 0;
		if (cpu->is_known && cpu->state.activity != CPU_NOT_STARTED)
			find_place(ops->cpu(vm->engine, id), cpu);
	}
}

static void examine_pins(struct vm *vm, struct state *state)
{
	state->has_ioapic = vm->boot->protocol->board.irqchip == ENGINE_IRQCHIP_APIC;
	if (!state->has_ioapic)
		return;
	for (unsigned i = 0; i < IOAPIC_PINS; i++) {
		state->pins[i].owner = interrupt_pin_owner(vm, i);
		ioapic_inspect(&vm->ioapic, i, &state->pins[i].pin);
	}
}

static void examine_pics(struct vm *vm, struct state *state)
{
	const struct engine_ops *ops = vm->engine->ops;

	state->has_pics = ops->pics(vm->engine, &state->pic, &state->uses_ioapic);
}

/* Milliseconds between two looks at a device, and the number of looks. */
#define LOOK_MS 10
#define LOOKS   20

static bool has_unnoticed(const struct virtio_view *view)
{
	for (unsigned i = 0; i < view->queue_count; i++)
		if (view->queues[i].unnoticed)
			return true;
	return false;
}

/* A device that another thread serves may have been told of chains just now, and is given the time
 * to notice them. What counts as late is judged by the first look: the CPUs are paused. */
static void examine_device(struct vm_device *device, struct virtio_view *view)
{
	bool served_lately;

	virtio_inspect(device->virtio, view);
	served_lately = view->served_lately;
	for (unsigned i = 0; device->worker && has_unnoticed(view) && i < LOOKS; i++) {
		poll(NULL, 0, LOOK_MS);
		virtio_inspect(device->virtio, view);
	}
	view->served_lately |= served_lately;
}

static void examine_devices(struct vm *vm, struct state *state)
{
	state->device_count = vm->device_count;
	for (unsigned i = 0; i < vm->device_count; i++) {
		state->devices[i].pin = vm->places[i].pin;
		examine_device(&vm->devices[i], &state->devices[i].view);
	}
}

void examine_queues(struct vm *vm, struct state *state)
{
	state->device_count = vm->device_count;
	for (unsigned i = 0; i < vm->device_count; i++) {
		struct vm_device *device = &vm->devices[i];

		state->devices[i].pin = vm->places[i].pin;
		virtio_inspect(device->virtio, &state->devices[i].view);
		for (unsigned j = 0; j < VIRTIO_QUEUES_MAX; j++)
			state->devices[i].kicked[j] = atomic_load(&device->kicks[j].pending);
	}
}

int examine_activity(struct vm *vm, struct state *state)
{
	unsigned count = vm->options->cpu_count;

	state->cpus = calloc(count, sizeof *state->cpus);
	if (!state->cpus)
		return -ENOMEM;
	state->cpu_count = count;
	for (unsigned id = 0; id < count; id++)
		state->cpus[id].is_known =
			vm->engine->ops->state(vm->engine, id, &state->cpus[id].state) == 0;
	examine_pins(vm, state);
	return 0;
}

int examine(struct vm *vm, struct state *state)
{
	unsigned count = vm->options->cpu_count;

	*state = (struct state){
		.cpu_count = count,
		.cpus = calloc(count, sizeof *state->cpus),
	};
	if (!state->cpus) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	examine_cpus(vm, state);
	examine_devices(vm, state);
	examine_pins(vm, state);
	examine_pics(vm, state);
	return 0;
}

void examine_free(struct state *state)
{
	free(state->cpus);
}
