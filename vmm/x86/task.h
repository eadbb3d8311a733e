/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_TASK_H
#define VMM_X86_TASK_H

/* Task-state segments and task switches (SDM 3, chapter 7). */

#include "x86/segment.h"

enum x86_task_reason { X86_TASK_JUMP, X86_TASK_CALL, X86_TASK_RETURN, X86_TASK_INTERRUPT };

/* What a task switch comes from. */
struct x86_task_switch {
	enum x86_task_reason reason;
	unsigned ext;   /* bit 0 of the error codes of what goes wrong */
	uint32_t eip;   /* where the old task goes on */
	bool has_error; /* push error on the new task's stack */
	uint32_t error;
};

/* The stack for privilege level cpl, 0 to 2, in the TSS of TR (SDM 3, 8.2.1). Raises #TS. */
void x86_tss_stack(
	struct x86_cpu *cpu, unsigned cpl, unsigned ext, uint16_t *selector, uint32_t *esp);

/*
 * Switch to the task of a TSS descriptor, which has been read with selector; the privilege to do so
 * has been checked. Raises #GP, #TS, #NP and #PF in the old task as long as its state can be kept;
 * then whatever the new task's state brings in the new one (SDM 3, 8.3). cpu->eip and next_eip are
 * the new task's on return.
 */
void x86_task_switch(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *descriptor,
	const struct x86_task_switch *how);

/* The same through a task gate (SDM 3, 8.2.5); and back, by IRET with NT set. */
void x86_task_gate(
	struct x86_cpu *cpu, const struct x86_descriptor *gate, const struct x86_task_switch *how);
void x86_task_return(struct x86_cpu *cpu);

#endif
