/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_WATCH_H
#define VMM_WATCH_H

/*
 * Exits, watched: --log tells of each, --max-exits ends the machine after so many. A machine that
 * is not watched has none of this: vcpu->watch is NULL.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "kvm/vcpu.h"

/* What is told of; --log exits is all of it. */
enum { WATCH_PIO = 1, WATCH_MMIO = 2, WATCH_OTHER = 4 };

struct watch {
	unsigned log;       /* WATCH_ values */
	uint64_t exits_max; /* of all vCPUs together; 0: no limit */
	atomic_uint_fast64_t exits;
};

/*
 * Around the handling of each exit, on the vCPU's thread. A line has direction, address, size,
 * value and the instruction pointer, as far as the exit has them. It comes before the exit is
 * handled, or after if only then the value is known, which is when the guest reads.
 *
 * Where an instruction that writes is run by KVM's emulator, the instruction pointer is past it; on
 * hardware it is at it.
 */
void watch_before(struct watch *watch, struct vcpu *vcpu);
void watch_after(struct watch *watch, struct vcpu *vcpu);

#endif
