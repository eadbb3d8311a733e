/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay/ram_copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

struct ram_page {
	unsigned references;
	uint8_t bytes[PAGE_SIZE];
};

/* Returns the page of a copy that has these bytes, shared with the copy before if it is the same
 * there. Sets *failed if there is no memory. */
static struct ram_page *copy_page(
	struct ram_page *before, const uint8_t *bytes, uint64_t *used, bool *failed)
{
	struct ram_page *page;

	if (before && memcmp(before->bytes, bytes, PAGE_SIZE) == 0) {
		before->references++;
		return before;
	}
	if (page_is_zero(bytes))
		return NULL;
	page = malloc(sizeof *page);
	if (!page) {
		*failed = true;
		return NULL;
	}
	page->references = 1;
	memcpy(page->bytes, bytes, PAGE_SIZE);
	*used += sizeof *page;
	return page;
}

int ram_copy_take(struct ram_copy *copy, const struct ram_copy *before, const uint8_t *memory,
	size_t size, uint64_t *used)
{
	bool failed = false;

	*copy = (struct ram_copy){.count = size / PAGE_SIZE};
	copy->pages = calloc(copy->count, sizeof *copy->pages);
	if (!copy->pages)
		return -ENOMEM;
	*used += copy->count * sizeof *copy->pages;
	for (size_t i = 0; i < copy->count && !failed; i++)
		copy->pages[i] = copy_page(
			before ? before->pages[i] : NULL, memory + i * PAGE_SIZE, used, &failed);
	if (!failed)
		return 0;
	ram_copy_free(copy, used);
	return -ENOMEM;
}

void ram_copy_restore(const struct ram_copy *copy, uint8_t *memory)
{
	for (size_t i = 0; i < copy->count; i++) {
		uint8_t *bytes = memory + i * PAGE_SIZE;

		if (copy->pages[i] && memcmp(bytes, copy->pages[i]->bytes, PAGE_SIZE) != 0)
			memcpy(bytes, copy->pages[i]->bytes, PAGE_SIZE);
		else if (!copy->pages[i] && !page_is_zero(bytes))
			memset(bytes, 0, PAGE_SIZE);
	}
}

void ram_copy_free(struct ram_copy *copy, uint64_t *used)
{
	for (size_t i = 0; copy->pages && i < copy->count; i++) {
		struct ram_page *page = copy->pages[i];

		if (!page || --page->references > 0)
			continue;
		*used -= sizeof *page;
		free(page);
	}
	if (copy->pages)
		*used -= copy->count * sizeof *copy->pages;
	free(copy->pages);
	*copy = (struct ram_copy){.count = 0};
}
