/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

/*
 * Free RAM, in pages: given out from the top of the largest free range downwards and never taken
 * back. Enough for stacks and buffers; a kernel with a memory management of its own takes the
 * memory map instead.
 */

#include <stddef.h>

#include <vole/start_info.h>

#define PAGE_SIZE 4096u

void memory_init(const struct start_info *info);

/* Adjacent pages, not zeroed. NULL if there are no more. Boot CPU. */
void *pages_take(unsigned count);

#endif
