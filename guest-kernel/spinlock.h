/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_SPINLOCK_H
#define GUEST_SPINLOCK_H

/* A lock between CPUs. It does not keep interrupt handlers out, so they must not take it. A lock
 * that is all zero is free. */

#include <stdbool.h>

#include "x86.h"

struct spinlock {
	bool taken;
};

static inline void spin_lock(struct spinlock *lock)
{
	/* Acquire: what its last owner wrote is seen after this. */
	while (__atomic_exchange_n(&lock->taken, true, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->taken, false, __ATOMIC_RELEASE);
}

#endif
