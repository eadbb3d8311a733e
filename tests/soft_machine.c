/* SPDX-License-Identifier: BSD-2-Clause */
#include "soft_machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the machine's side of cpu.h -------------------------------------------------------------- */

static void start_cpu(struct soft_machine *machine, unsigned id)
{
	static const uint32_t frame[CPU_FRAME_WORDS] = {0x11111111, 0x22222222};
	const struct engine_ops *ops = machine->engine->ops;

	machine->start_outcome[id] =
		ops->start_cpu(machine->engine, id, &machine->state[id], frame);
}

static int on_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct soft_machine *machine = cpu->ctx;
	const struct engine_ops *ops = machine->engine->ops;
	struct port_access access = {.cpu = cpu->id,
		.port = port,
		.is_write = is_write,
		.len = len,
		.now = ops->now(machine->engine)};

	if (!is_write)
		memset(data, 0x5a, len);
	memcpy(&access.value, data, len);
	if (machine->count < sizeof machine->accesses / sizeof *machine->accesses)
		machine->accesses[machine->count] = access;
	machine->count++;
	switch (port) {
	case PORT_START:
		start_cpu(machine, data[0]);
		break;
	case PORT_YIELD:
		ops->yield(machine->engine);
		break;
	case PORT_RAISE:
		ops->raise(machine->engine, data[0]);
		break;
	case PORT_END:
		machine->ended = true;
		machine->status = data[0];
		break;
	}
	return 0;
}

static int on_mmio(struct cpu *cpu, uint64_t address, bool is_write, uint8_t *data, unsigned len)
{
	struct soft_machine *machine = cpu->ctx;

	if (machine->mmio_count++ == 0)
		machine->mmio_first = address;
	machine->mmio_last = address;
	if (!is_write)
		memset(data, 0x5a, len);
	return 0;
}

static bool on_begin_report(struct cpu *cpu)
{
	return !((struct soft_machine *)cpu->ctx)->ended;
}

static void on_end_report(struct cpu *cpu)
{
	(void)cpu;
}

static const char *on_symbol(struct cpu *cpu, uint64_t address, uint32_t *offset)
{
	(void)cpu, (void)address, (void)offset;
	return NULL;
}

static const char *on_port_takes(struct cpu *cpu, uint16_t port)
{
	(void)cpu, (void)port;
	return NULL;
}

static int on_triple_fault(struct cpu *cpu)
{
	struct soft_machine *machine = cpu->ctx;

	machine->triple_faults++;
	if (!machine->takes_triple_faults)
		return -ENXIO;
	machine->ended = true;
	return 0;
}

static void on_end(struct cpu *cpu, int status)
{
	struct soft_machine *machine = cpu->ctx;

	if (!machine->ended)
		machine->status = status;
	machine->ended = true;
}

static bool on_running(struct cpu *cpu)
{
	return !((struct soft_machine *)cpu->ctx)->ended;
}

static const struct cpu_host host = {
	.port = on_port,
	.port_takes = on_port_takes,
	.mmio = on_mmio,
	.begin_report = on_begin_report,
	.end_report = on_end_report,
	.symbol = on_symbol,
	.triple_fault = on_triple_fault,
	.end = on_end,
	.running = on_running,
	.wait = on_running,
};

/* --- what is in RAM --------------------------------------------------------------------------- */

static void store32(struct soft_machine *machine, uint32_t address, uint32_t value)
{
	memcpy(machine->memory.host + address, &value, sizeof value);
}

/* push eax; mov al, vector; out PORT_VECTOR, al; mov dword [0xfee000b0], 0; pop eax; iret */
static void put_handler(struct soft_machine *machine, unsigned vector)
{
	uint32_t handler = HANDLERS + 32 * vector;
	char hex[64];

	snprintf(hex, sizeof hex, "50 b0%02x e680 c705b000e0fe00000000 58 cf", vector);
	soft_machine_put(machine, handler, hex);
	store32(machine, IDT + 8 * vector, 0x00080000 | (handler & 0xffff));
	store32(machine, IDT + 8 * vector + 4, 0x00008e00 | (handler & 0xffff0000));
}

static void fill(struct soft_machine *machine)
{
	soft_machine_put(machine, GDT, "0000000000000000 ffff0000009bcf00 ffff00000093cf00");
	for (unsigned vector = 0; vector < 256; vector++)
		put_handler(machine, vector);
	soft_machine_put(machine, 0x1f00, "ff07 00100000");
}

/* --- what tests call -------------------------------------------------------------------------- */

void soft_machine_open(struct soft_machine *machine, enum engine_irqchip irqchip,
	enum engine_clock clock, unsigned cpu_count)
{
	static const struct memory_region ram = {0, RAM_SIZE, false};
	const struct engine_setup setup = {
		.memory = &machine->memory,
		.irqchip = irqchip,
		.clock = clock,
		.cpu_count = cpu_count,
		.host = &host,
		.ctx = machine,
	};

	*machine = (struct soft_machine){.memory = MEMORY_EMPTY};
	if (memory_init(&machine->memory, &ram, 1) < 0 ||
		engine_soft.open(&machine->engine, &setup) < 0)
		exit(1);
	fill(machine);
	for (unsigned i = 0; i < cpu_count; i++)
		machine->state[i] = (struct entry_state){
			.mode = ENTRY_FLAT32,
			.eip = CODE(i),
			.esp = STACK(i) - 4 * CPU_FRAME_WORDS,
			.code_selector = 0x08,
			.data_selector = 0x10,
			.gdt_base = GDT,
			.gdt_limit = 23,
		};
}

void soft_machine_close(struct soft_machine *machine)
{
	machine->engine->ops->stop(machine->engine);
	machine->engine->ops->free(machine->engine);
	memory_free(&machine->memory);
}

uint32_t soft_machine_put(struct soft_machine *machine, uint32_t address, const char *hex)
{
	unsigned byte;
	int used;

	while (sscanf(hex, "%2x%n", &byte, &used) == 1) {
		machine->memory.host[address++] = (uint8_t)byte;
		hex += used;
	}
	return address;
}

void soft_machine_start(struct soft_machine *machine)
{
	if (machine->engine->ops->start(machine->engine, &machine->state[0]) < 0)
		exit(1);
}

int64_t soft_machine_run(struct soft_machine *machine)
{
	return machine->engine->ops->run(machine->engine);
}

bool soft_machine_run_to(struct soft_machine *machine, unsigned count)
{
	for (unsigned i = 0; i < 1000 && machine->count < count && !machine->ended; i++)
		soft_machine_run(machine);
	return machine->count >= count;
}

unsigned soft_machine_count(const struct soft_machine *machine, uint16_t port)
{
	unsigned count = 0;

	for (unsigned i = 0; i < machine->count; i++)
		count += machine->accesses[i].port == port;
	return count;
}

enum cpu_activity soft_machine_activity(const struct soft_machine *machine, unsigned cpu)
{
	return machine->engine->ops->activity(machine->engine, cpu);
}
