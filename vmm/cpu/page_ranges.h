/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PAGE_RANGES_H
#define VMM_PAGE_RANGES_H

/*
 * All that a guest's paging structures map to RAM, as ranges: for files and views that show memory
 * by linear address. Rights are not looked at.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"

/* Paging structures that are read at most. A guest can have one refer to itself at each level,
 * which maps the same memory again and again. */
#define PAGE_RANGES_TABLES 65536u

/* [linear, linear + size) is mapped to [gpa, gpa + size), which lies in one region of RAM. */
struct page_range {
	uint64_t linear, size;
	gpa_t gpa;
};

/*
 * Sets ranges to what the paging structures of a CPU with these registers map to RAM, by linear
 * address, in ascending order, adjacent pages joined. Returns how many there are: at most max, 0
 * while paging is off. *is_cut tells that there is more: ranges after max, or structures after
 * PAGE_RANGES_TABLES. The structures are read as they are in memory now. Any thread.
 */
unsigned page_ranges_find(const struct gmem *gmem, const struct cpu_registers *registers,
	struct page_range *ranges, unsigned max, bool *is_cut);

#endif
