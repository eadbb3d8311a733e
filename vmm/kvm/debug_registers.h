/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_DEBUG_REGISTERS_H
#define VMM_KVM_DEBUG_REGISTERS_H

/*
 * A debugger's points in a processor's debug registers (Intel SDM 3, 18.2; AMD manual 2, 13.1).
 * DR0 to DR3 hold linear addresses, and DR7 says for each at what it stops: at the instruction
 * there, before it is executed, or after one that has accessed 1, 2 or 4 aligned bytes there. So a
 * watchpoint of other bytes takes several registers. DR6 tells which registers have stopped it.
 *
 * KVM has them by KVM_SET_GUEST_DEBUG (KVM API 4.87), while the guest's own have no effect. This
 * header has data alone: nothing here asks KVM.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "cpu/debug.h"

#define DEBUG_REGISTERS_MAX 4

#define DR6_CONDITIONS 0xfu /* B0 to B3: that of the register was met */

struct debug_registers {
	struct {
		bool is_used;
		struct debug_point point; /* this register has a part of it, or all */
		uint64_t linear;          /* that part */
		uint32_t len;
	} all[DEBUG_REGISTERS_MAX];
};

/* Returns how many registers a point takes; one more than there are for all that do not fit. */
unsigned debug_registers_needed(const struct debug_point *point);

unsigned debug_registers_free(const struct debug_registers *registers);

/* Adds a point of any kind but DEBUG_BREAKPOINT and DEBUG_WATCH_READ, or removes it: it is
 * identified by kind, linear and len. Returns 0, also if nothing changes, or -ENOSPC if it needs
 * more registers than are free. */
int debug_registers_set(
	struct debug_registers *registers, const struct debug_point *point, bool set);

/* Writes DR0 to DR3 and DR7 as KVM takes them. Returns whether a register is used. */
bool debug_registers_load(const struct debug_registers *registers, struct kvm_guest_debug *debug);

/* Sets *event to why a vCPU has stopped by these registers, which were loaded; the bits of DR6 for
 * others mean nothing. What the last instruction has accessed is worth more than a breakpoint at
 * the next one, which stops again. Returns false if none of these registers has stopped it. */
bool debug_registers_event(const struct debug_registers *registers,
	const struct kvm_debug_exit_arch *exit, struct debug_event *event);

#endif
