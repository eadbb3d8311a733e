/* SPDX-License-Identifier: BSD-2-Clause */
/* What a software CPU does, and what can interrupt it. */
#include <string.h>
#include <time.h>

#include "x86/soft.h"

enum cpu_activity soft_activity(const struct soft_cpu *cpu)
{
	const struct x86_cpu *x86 = soft_x86(cpu);

	if (cpu->is_waiting)
		return CPU_NOT_STARTED;
	if (!x86->halted)
		return CPU_RUNNING;
	return x86->eflags & X86_IF ? CPU_HALTED : CPU_HALTED_FOR_GOOD;
}

static struct cpu_lapic read_lapic(const struct lapic *lapic, uint64_t now)
{
	uint64_t next = lapic_timer_next(lapic);
	struct cpu_lapic read = {
		.present = true,
		.enabled = lapic->enabled,
		.id = lapic->id,
		.tpr = lapic->tpr,
		.ldr = lapic->ldr,
		.dfr = lapic->dfr,
		.svr = lapic->svr,
		.timer_initial = lapic->timer_initial,
		.timer_current = lapic_timer_current(lapic, now),
		.timer_left = next == UINT64_MAX ? CPU_TIMER_NEVER
			      : next > now       ? next - now
						 : 0,
	};

	memcpy(read.lvt, lapic->lvt, sizeof read.lvt);
	memcpy(read.isr, lapic->isr, sizeof read.isr);
	memcpy(read.irr, lapic->irr, sizeof read.irr);
	return read;
}

/* All CPUs share the thread, in turns that are short. */
static uint64_t processor_time(const struct soft_engine *engine)
{
	struct timespec time;

	if (engine->clock == ENGINE_CLOCK_VIRTUAL)
		return soft_now(engine);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void soft_read_state(const struct soft_cpu *cpu, struct cpu_state *state)
{
	const struct x86_cpu *x86 = soft_x86(cpu);

	*state = (struct cpu_state){
		.activity = soft_activity(cpu),
		.in_callback = cpu->engine->current == cpu,
		.interrupts_on = x86->eflags & X86_IF,
		.shadow = x86->shadow,
		.nmi_pending = x86->nmi_pending,
		.nmi_masked = x86->nmi_masked,
		.host_ns = processor_time(cpu->engine),
	};
	if (cpu->engine->irqchip != ENGINE_IRQCHIP_NONE)
		state->lapic = read_lapic(&cpu->lapic, soft_now(cpu->engine));
}
