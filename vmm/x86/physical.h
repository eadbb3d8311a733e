/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_X86_PHYSICAL_H
#define VMM_X86_PHYSICAL_H

/*
 * Loads and stores by guest-physical address, of 1 to 8 bytes within a page: RAM through
 * gmem_ptr(), all else through the bus. A store to a page with decoded code is announced first
 * (x86_memory_written()). The host is little-endian, as the guest is.
 */

#include <string.h>

#include "x86/x86.h"

#define X86_LINEAR_MASK 0xffffffffu /* outside of long mode */

/* size bytes of host memory as a number, and back. The usual sizes are single loads and stores: a
 * copy by bytes would stall whoever reads the number. */
static inline uint64_t x86_host_load(const void *host, unsigned size)
{
	uint64_t value = 0;
	uint32_t word;
	uint16_t half;

	switch (size) {
	case 8:
		memcpy(&value, host, 8);
		return value;
	case 4:
		memcpy(&word, host, 4);
		return word;
	case 2:
		memcpy(&half, host, 2);
		return half;
	case 1:
		return *(const uint8_t *)host;
	default: /* a part of an access over the border of a page */
		memcpy(&value, host, size);
		return value;
	}
}

static inline void x86_host_store(void *host, uint64_t value, unsigned size)
{
	switch (size) {
	case 8:
		memcpy(host, &value, 8);
		break;
	case 4:
		memcpy(host, &(uint32_t){(uint32_t)value}, 4);
		break;
	case 2:
		memcpy(host, &(uint16_t){(uint16_t)value}, 2);
		break;
	case 1:
		*(uint8_t *)host = (uint8_t)value;
		break;
	default:
		memcpy(host, &value, size);
	}
}

/* Abandons the instruction if the bus refuses the access. */
uint64_t x86_physical_load(struct x86_cpu *cpu, gpa_t gpa, unsigned size);
void x86_physical_store(struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size);

/* A store that the CPU makes of its own accord, as of accessed, dirty and busy bits. It is
 * completed in read-only memory too: the guest made no store that one could blame. Outside of RAM
 * it is dropped, and nobody is told. */
void x86_physical_mark(struct x86_cpu *cpu, gpa_t gpa, uint64_t value, unsigned size);

#endif
