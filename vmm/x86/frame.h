/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_FRAME_H
#define VMM_X86_FRAME_H

/*
 * Frames on a stack, for transfers that must not leave half of one: all of a frame is checked
 * before a part of it is stored, and popping is peeking until all checks of the instruction are
 * done.
 */

#include "x86/segment.h"

/* A stack to push on: the current one, or that of an inner level before it is entered. */
struct x86_stack {
	struct x86_segment segment;
	uint32_t esp;
	enum x86_access access; /* 0, or X86_SYSTEM for an inner level */
	uint32_t error;         /* code of the #SS that a limit violation raises */
};

/* SS:ESP as a stack to push on. */
struct x86_stack x86_current_stack(const struct x86_cpu *cpu, uint32_t error);

/* Push count values of size bytes (2 or 4), the first one first, and move stack->esp, which is not
 * yet the CPU's. Raises #SS or #PF, having stored nothing. */
void x86_stack_push(struct x86_cpu *cpu, struct x86_stack *stack, const uint32_t *values,
	unsigned count, unsigned size);

/* The value that lies so many bytes above the top of SS:ESP. Raises #SS(0) or #PF. */
uint32_t x86_stack_peek(struct x86_cpu *cpu, uint32_t bytes, unsigned size);

/* Set ESP; only SP if SS is a 16-bit stack segment (SDM 1, 6.2.3). */
void x86_set_esp(struct x86_cpu *cpu, uint32_t esp);

#endif
