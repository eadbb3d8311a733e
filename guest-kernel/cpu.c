/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"

#include <stdatomic.h>
#include <stddef.h>

#include <vole/ports.h>

#include "error.h"
#include "idt.h"
#include "irq.h"
#include "memory.h"
#include "x86.h"

static unsigned count;
static uint8_t *next_stack; /* of the CPU that is started next; kept if a start fails */

/* What a CPU is told when it starts. It lives on the boot CPU's stack, until up is set. */
struct order {
	cpu_function *function;
	void *ctx;
	atomic_bool up;
};

void cpu_init(const struct start_info *info)
{
	count = info->cpu_count;
}

unsigned cpu_count(void)
{
	return count;
}

/* The first function on a new CPU. */
static void cpu_begin(uint32_t argument)
{
	struct order *order = (struct order *)argument;
	cpu_function *function = order->function;
	void *ctx = order->ctx;

	idt_load();
	irq_init_cpu();

	/* Release: cpu_run() returns only after all of the above was done, and order is gone then.
	 */
	atomic_store_explicit(&order->up, true, memory_order_release);
	function(ctx);
}

int cpu_run(unsigned cpu, cpu_function *function, void *ctx)
{
	struct order order = {.function = function, .ctx = ctx};
	struct cpu_start start = {
		.cpu = cpu,
		.entry = (uint32_t)cpu_begin,
		.argument = (uint32_t)&order,
	};

	if (!next_stack)
		next_stack = pages_take(CPU_STACK_PAGES);
	if (!next_stack)
		return -ENOMEM;
	start.stack = (uint32_t)next_stack + CPU_STACK_PAGES * PAGE_SIZE;
	out32(VOLE_PORT_CPU, (uint32_t)&start);
	switch (in32(VOLE_PORT_CPU)) {
	case VOLE_CPU_START_OK:
		break;
	case VOLE_CPU_START_NO_CPU:
		return -ENODEV;
	case VOLE_CPU_START_RUNNING:
		return -EBUSY;
	default:
		return -EINVAL;
	}
	next_stack = NULL;
	while (!atomic_load_explicit(&order.up, memory_order_acquire))
		cpu_relax();
	return 0;
}
