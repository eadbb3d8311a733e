/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_PHYSICAL_H
#define VMM_X86_PHYSICAL_H

/*
 * Loads and stores by guest-physical address, of 1 to 8 bytes within a page: RAM through
 * gmem_ptr(), all else through the bus. A store to a page with decoded code is announced first
 * (x86_memory_written()). The host is little-endian, as the guest is.
 */

#include "x86/x86.h"

#define X86_LINEAR_MASK 0xffffffffu /* outside of long mode */

/* Abandons the instruction if the bus refuses the access. */
uint64_t x86_physical_load(struct x86_cpu *cpu, gpa_t gpa, unsigned size);
void x86_physical_store(struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size);

/* A store that the CPU makes of its own accord, as of accessed, dirty and busy bits. It is dropped
 * where memory cannot be written, as a ROM drops it, and nobody is told: the guest made no store
 * that one could blame. */
void x86_physical_mark(struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size);

#endif
