/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CORE_NOTES_H
#define VMM_CORE_NOTES_H

/*
 * What a core file tells of, and its notes: a part of core.h.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cpu/cpu.h"

struct core_cpu {
	unsigned id;
	struct cpu_registers registers; /* all 0 if nobody knows them */
};

struct core {
	const char *kernel;  /* its path */
	const char *cmdline; /* "" if it has none */
	const struct gmem *gmem;
	unsigned cpu_count;
	const struct core_cpu *cpus; /* debuggers show the first one first */
};

/* Returns the size of the notes in bytes. is_wide: for ELF files of 64 bits. */
size_t core_notes_size(const struct core *core, bool is_wide);

/* Writes the notes to a buffer of this size. */
void core_notes_put(const struct core *core, bool is_wide, uint8_t *notes);

#endif
