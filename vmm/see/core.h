/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CORE_H
#define VMM_CORE_H

/*
 * An ELF core file of a machine (System V ABI, object files; type ET_CORE), as debuggers open it:
 *
 *	PT_NOTE   NT_PRSTATUS of each CPU, a thread whose number (pr_pid) is the CPU's plus 1; and
 *	          NT_PRPSINFO, with the kernel's name and command line
 *	PT_LOAD   with paging, what each address space maps to RAM, by linear address
 *	PT_LOAD   RAM, by guest-physical address
 *
 * Segments of the two kinds share the bytes of the file. A debugger takes the first segment that
 * has an address, so linear addresses come first. Pages of zeros are holes in the file.
 *
 * Debuggers know flat segments alone: EIP, ESP and EBP of a CPU in real mode are linear addresses
 * in the file.
 */

#include <stdbool.h>

#include "see/core_notes.h"

/*
 * Writes a core file to a regular file, over what was in it. *is_cut tells that address spaces
 * have more ranges than CORE_RANGES_MAX together, of which some are missing.
 * The guest executes nothing meanwhile.
 * Returns 0, or -errno: -ENOSPC, -ENOMEM and the like, and the file is empty then. Says nothing.
 */
int core_write(int fd, const struct core *core, bool *is_cut);

/* The number of program headers is one of 16 bits (System V ABI, e_phnum). */
#define CORE_RANGES_MAX 32768u

#endif
