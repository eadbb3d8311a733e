/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_SPINLOCK_H
#define GUEST_SPINLOCK_H

/* A lock between CPUs. It does not keep interrupt handlers out, so they must not take it. A lock
 * that is all zero is free. */

#include <stdatomic.h>

#include "x86.h"

struct spinlock {
	atomic_bool taken;
};

static inline void spin_lock(struct spinlock *lock)
{
	/* Acquire: what its last owner wrote is seen after this. */
	while (atomic_exchange_explicit(&lock->taken, true, memory_order_acquire))
		cpu_relax();
}

static inline void spin_unlock(struct spinlock *lock)
{
	atomic_store_explicit(&lock->taken, false, memory_order_release);
}

#endif
