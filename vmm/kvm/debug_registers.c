/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/debug_registers.h"

#include <errno.h>
#include <string.h>

/* DR7 (Intel SDM 3, 18.2.4): exact data breakpoints, which newer processors ignore, and a bit that
 * is always set; and the fields of register i. The length of an instruction breakpoint is 1. */
#define DR7_FIXED     0x600u
#define DR7_GLOBAL(i) (2ull << (2 * (i)))
#define DR7_RW(i)     (16 + 4 * (i))
#define DR7_LEN(i)    (18 + 4 * (i))

#define RW_EXECUTE 0ull
#define RW_WRITE   1ull
#define RW_ACCESS  3ull

/* DR6: the condition of register i was met. */
#define DR6_MET(i) (1ull << (i))

/* Returns how many of len bytes, 1 at least, one register has. */
static uint32_t first_part(uint64_t linear, uint32_t len)
{
	uint32_t part = 4;

	while (part > len || linear % part != 0)
		part /= 2;
	return part;
}

unsigned debug_registers_needed(const struct debug_point *point)
{
	unsigned count = 0;

	for (uint32_t done = 0; done < point->len && count <= DEBUG_REGISTERS_MAX; count++)
		done += first_part(point->linear + done, point->len - done);
	return count;
}

unsigned debug_registers_free(const struct debug_registers *registers)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DEBUG_REGISTERS_MAX; i++)
		count += !registers->all[i].is_used;
	return count;
}

/* Removes a point. Returns whether it was there. */
static bool take_out(struct debug_registers *registers, const struct debug_point *point)
{
	bool was_there = false;

	for (unsigned i = 0; i < DEBUG_REGISTERS_MAX; i++) {
		const struct debug_point *other = &registers->all[i].point;

		if (!registers->all[i].is_used || other->kind != point->kind ||
			other->linear != point->linear || other->len != point->len)
			continue;
		registers->all[i].is_used = false;
		was_there = true;
	}
	return was_there;
}

int debug_registers_set(
	struct debug_registers *registers, const struct debug_point *point, bool set)
{
	bool was_there = take_out(registers, point);
	uint32_t done = 0;

	if (!set)
		return 0;
	if (!was_there && debug_registers_needed(point) > debug_registers_free(registers))
		return -ENOSPC;
	for (unsigned i = 0; i < DEBUG_REGISTERS_MAX && done < point->len; i++) {
		if (registers->all[i].is_used)
			continue;
		registers->all[i].is_used = true;
		registers->all[i].point = *point;
		registers->all[i].linear = point->linear + done;
		registers->all[i].len = first_part(point->linear + done, point->len - done);
		done += registers->all[i].len;
	}
	return 0;
}

static uint64_t condition_of(enum debug_point_kind kind)
{
	switch (kind) {
	case DEBUG_WATCH_WRITE:
		return RW_WRITE;
	case DEBUG_WATCH_READ:
	case DEBUG_WATCH_ACCESS:
		return RW_ACCESS;
	case DEBUG_BREAKPOINT:
	case DEBUG_HARDWARE_BREAKPOINT:
		break;
	}
	return RW_EXECUTE;
}

bool debug_registers_load(const struct debug_registers *registers, struct kvm_guest_debug *debug)
{
	uint64_t dr7 = DR7_FIXED;

	memset(debug->arch.debugreg, 0, sizeof debug->arch.debugreg);
	for (unsigned i = 0; i < DEBUG_REGISTERS_MAX; i++) {
		if (!registers->all[i].is_used)
			continue;
		debug->arch.debugreg[i] = registers->all[i].linear;
		dr7 |= DR7_GLOBAL(i) | condition_of(registers->all[i].point.kind) << DR7_RW(i) |
		       (uint64_t)(registers->all[i].len - 1) << DR7_LEN(i);
	}
	debug->arch.debugreg[7] = dr7;
	return dr7 != DR7_FIXED;
}

bool debug_registers_event(const struct debug_registers *registers,
	const struct kvm_debug_exit_arch *exit, struct debug_event *event)
{
	bool is_at_breakpoint = false;

	for (unsigned i = 0; i < DEBUG_REGISTERS_MAX; i++) {
		const struct debug_point *point = &registers->all[i].point;

		if (!registers->all[i].is_used || !(exit->dr6 & DR6_MET(i)))
			continue;
		if (point->kind != DEBUG_HARDWARE_BREAKPOINT) {
			*event = (struct debug_event){.kind = DEBUG_EVENT_WATCH, .gpa = point->gpa};
			return true;
		}
		/* KVM adds the base of CS in 64 bits, a processor in 32-bit mode in 32. */
		is_at_breakpoint |= (uint32_t)exit->pc == (uint32_t)point->linear;
	}
	if (is_at_breakpoint)
		*event = (struct debug_event){.kind = DEBUG_EVENT_BREAKPOINT};
	return is_at_breakpoint;
}
