/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEXT_LIST_H
#define VMM_TEXT_LIST_H

/*
 * A list of places in a report, in indented lines of at most about 100 columns: an introduction,
 * and items with commas between them.
 */

#include <stdbool.h>
#include <stddef.h>

#define TEXT_LIST_COLUMNS 88  /* after which a line is broken */
#define TEXT_LIST_ITEM    300 /* bytes of an item, at most; a longer one is cut */

struct text_list {
	char line[TEXT_LIST_COLUMNS + TEXT_LIST_ITEM];
	size_t len;
	bool has_item;
};

/* Begins a list with its introduction, of at most 40 bytes. */
void text_list_begin(struct text_list *list, const char *intro);

/* Adds an item. Says the line before it if the item does not fit into it. */
void text_list_add(struct text_list *list, const char *item);

/* Says the last line. */
void text_list_end(struct text_list *list);

#endif
