/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/cpu_start.h"

#include <errno.h>
#include <string.h>

#include <vole/ports.h>

#include "machine/vm.h"

/* Start another CPU as the structure at gpa says. A VOLE_CPU_START_ value. */
static uint32_t start_cpu(struct vm *vm, struct cpu *cpu, uint32_t gpa)
{
	struct cpu_start start;
	struct entry_state state;
	/* As after a call: return address, then the argument. */
	uint32_t frame[CPU_FRAME_WORDS];

	if (gpa % 4 != 0 || gmem_read(&vm->memory.gmem, gpa, &start, sizeof start) < 0)
		return VOLE_CPU_START_FAULT;
	if (start.cpu >= vm->options->cpu_count)
		return VOLE_CPU_START_NO_CPU;
	if (start.cpu == cpu->id)
		return VOLE_CPU_START_RUNNING;
	state = vm->boot->state;
	state.ebx = start.argument;
	state.eip = start.entry;
	state.esp = 0;
	frame[0] = vm->boot->cpu_return;
	frame[1] = start.argument;
	if (start.stack != 0) {
		state.esp = (start.stack - 4) / 16 * 16 - 4;
		if (!gmem_ptr(&vm->memory.gmem, state.esp, sizeof frame, GMEM_WRITE))
			return VOLE_CPU_START_FAULT;
	}
	if (vm->engine->ops->start_cpu(
		    vm->engine, start.cpu, &state, start.stack != 0 ? frame : NULL) < 0)
		return VOLE_CPU_START_RUNNING;
	return VOLE_CPU_START_OK;
}

int cpu_start_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	uint32_t gpa;

	(void)port;
	if (len != sizeof gpa)
		return -ENXIO;
	if (is_write) {
		memcpy(&gpa, data, sizeof gpa);
		cpu->start_outcome = start_cpu(cpu->ctx, cpu, gpa);
	} else {
		memcpy(data, &cpu->start_outcome, sizeof gpa);
	}
	return 0;
}
