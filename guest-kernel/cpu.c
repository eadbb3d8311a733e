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
	uint8_t *stack = pages_take(CPU_STACK_PAGES);
	struct cpu_start start = {
		.cpu = cpu,
		.entry = (uint32_t)cpu_begin,
		.stack = (uint32_t)stack + CPU_STACK_PAGES * PAGE_SIZE,
		.argument = (uint32_t)&order,
	};

	if (!stack)
		return -ENOMEM;
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
	while (!atomic_load_explicit(&order.up, memory_order_acquire))
		cpu_relax();
	return 0;
}
