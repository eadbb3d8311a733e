/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts every CPU; each counts to 100 on a shared counter and prints a line of its own, and all
 * answers of the port VOLE_PORT_CPU are tried. Exit status 0; with -c N, N - 1 lines "CPU n
 * counted".
 */

#include <stdatomic.h>

#include <vole/ports.h>

#include "check.h"
#include "cpu.h"
#include "error.h"
#include "irq.h"
#include "x86.h"

#define ROUNDS 100

/* More than a started CPU finds on its stack, and less than the code that begins at main(). */
#define FRAME 64

static atomic_uint counter, finished;

static void count(void *ctx)
{
	check(irq_this_cpu() == (unsigned)ctx, "CPU %u knows its number", (unsigned)ctx);
	for (unsigned i = 0; i < ROUNDS; i++)
		atomic_fetch_add(&counter, 1);
	printf("CPU %u counted\n", irq_this_cpu());
	atomic_fetch_add(&finished, 1);
}

/* The answer to a start with the structure at this address. */
static uint32_t answer_to(uint32_t address)
{
	out32(VOLE_PORT_CPU, address);
	return in32(VOLE_PORT_CPU);
}

static void check_answers(const struct start_info *info)
{
	struct cpu_start start = {.cpu = 0, .entry = (uint32_t)halt_forever};
	const struct memory_map_entry *last = &info_memory(info)[info->mem_size - 1];
	uint32_t ram_end = last->base + last->size;

	check(in32(VOLE_PORT_CPU) == VOLE_CPU_START_OK, "OK before any write");
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_RUNNING, "the boot CPU is running");
	start.cpu = info->cpu_count;
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_NO_CPU, "one CPU too many");
	start.cpu = UINT32_MAX;
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_NO_CPU, "many CPUs too many");
	check(answer_to((uint32_t)&start + 2) == VOLE_CPU_START_FAULT, "not aligned");
	check(answer_to(info->ioapic_base) == VOLE_CPU_START_FAULT, "not RAM");
	check(answer_to(ram_end - 8) == VOLE_CPU_START_FAULT, "half in RAM");
	check(answer_to(UINT32_MAX - 3) == VOLE_CPU_START_FAULT, "at the end of everything");
	if (info->cpu_count == 1)
		return;
	start.cpu = 1;
	/* The frame lies below the stack's address, which may be the first of a segment. */
	start.stack = (uint32_t)main + FRAME;
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_FAULT, "a stack in read-only memory");
	start.stack = 1;
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_FAULT, "a stack below address 0");
	start.stack = ram_end + 16;
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_FAULT, "a stack that is not RAM");
}

/* A CPU that runs may be using the very stack that it is offered again. */
static void check_stack_is_left_alone(void)
{
	uint32_t stack[16];
	struct cpu_start start = {1, (uint32_t)halt_forever, (uint32_t)(stack + 16), 0};

	memset(stack, 0x5a, sizeof(stack));
	check(answer_to((uint32_t)&start) == VOLE_CPU_START_RUNNING, "CPU 1 is running");
	for (unsigned i = 0; i < 16; i++)
		check(stack[i] == 0x5a5a5a5a, "its stack has 0x%x at %u", stack[i], i);
}

int main(const struct start_info *info)
{
	check_answers(info);
	for (unsigned i = 1; i < cpu_count(); i++)
		check(cpu_run(i, count, (void *)i) == 0, "CPU %u starts", i);
	for (unsigned i = 1; i < cpu_count(); i++)
		check(cpu_run(i, count, (void *)i) == -EBUSY, "CPU %u starts only once", i);
	while (atomic_load(&finished) < cpu_count() - 1)
		cpu_relax();
	if (cpu_count() > 1)
		check_stack_is_left_alone();
	check(atomic_load(&counter) == ROUNDS * (cpu_count() - 1), "no count is lost");
	return check_done();
}
