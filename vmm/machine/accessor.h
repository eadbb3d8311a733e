/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ACCESSOR_H
#define VMM_ACCESSOR_H

/*
 * An access of a CPU to a device's register, as virtio/ hands it back with a report or an event,
 * and the place of the instruction that made it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/place.h"
#include "gmem.h"

struct accessor {
	struct cpu *cpu;
	gpa_t gpa;
	bool is_write;
	const uint8_t *data; /* written */
	unsigned len;
};

/* Returns the place of the instruction that made the access, or, with *is_exact false, one that the
 * instruction is at or before. On the thread that executes the CPU. */
struct place accessor_place(const struct accessor *accessor, bool *is_exact);

#endif
