/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_STATE_H
#define VMM_CPU_STATE_H

/*
 * What a CPU does, and what can interrupt it, in a form that both engines fill: for reports, and
 * for the end of a machine whose CPUs have all halted. engine_ops.state() fills it.
 *
 * "SDM" is Intel SDM 3.
 */

#include <stdbool.h>
#include <stdint.h>

enum cpu_activity {
	CPU_NOT_STARTED, /* waits for INIT and SIPI, or for start_cpu() */
	CPU_RUNNING,
	CPU_HALTED,          /* waits for an interrupt, and accepts one */
	CPU_HALTED_FOR_GOOD, /* has halted with interrupts off */
	CPU_UNKNOWN,         /* not known at the moment: ask again later */
};

/* The timer that will not interrupt as it is programmed: cpu_lapic.timer_left. */
#define CPU_TIMER_NEVER UINT64_MAX

/* Entries of the local vector table, in the order of their registers (SDM 11.5.1). */
enum cpu_lvt { CPU_LVT_TIMER, CPU_LVT_THERMAL, CPU_LVT_PERF, CPU_LVT_LINT0, CPU_LVT_LINT1 };
#define CPU_LVT_COUNT 5

/* A local APIC (SDM 11.4.1): registers as a guest reads them, so far as they matter for what
 * becomes of an interrupt. */
struct cpu_lapic {
	bool present; /* false: the machine has none, and the rest is 0 */
	bool enabled; /* by IA32_APIC_BASE (SDM 11.4.3) */
	uint32_t id;  /* as a destination names it: not shifted */
	uint32_t tpr; /* task priority */
	uint32_t ldr; /* logical destination */
	uint32_t dfr; /* destination format */
	uint32_t svr; /* spurious-interrupt vector register: bit 8 is "enabled by software" */
	uint32_t lvt[CPU_LVT_COUNT];
	uint32_t isr[8], irr[8]; /* in service, and requested: a bit per vector */
	uint32_t timer_initial, timer_current;
	uint64_t timer_left; /* nanoseconds until it interrupts; CPU_TIMER_NEVER */
};

struct cpu_state {
	enum cpu_activity activity;
	bool in_callback;   /* it is in the middle of an instruction, whose callback has not
			     * returned: what follows may change. See engine_ops.pause() */
	bool interrupts_on; /* RFLAGS.IF */
	bool shadow;        /* STI or MOV SS: no interrupt before the next instruction is over */
	bool nmi_pending;
	bool nmi_masked;  /* an NMI's handler has not executed IRET yet */
	uint64_t host_ns; /* processor time that its thread has had, by the host's clock, in
			   * nanoseconds; with the virtual clock, guest time */
	struct cpu_lapic lapic;
};

#endif
