/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PAGE_H
#define VMM_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "layout.h"

/* Returns whether a page of PAGE_SIZE bytes holds nothing but zeros. Any thread. */
static inline bool page_is_zero(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

#endif
