/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/text_list.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

/* Appends text, as far as there is room. */
static void append(struct text_list *list, const char *text)
{
	size_t room = sizeof list->line - 1 - list->len, len = strlen(text);

	len = len < room ? len : room;
	memcpy(list->line + list->len, text, len);
	list->len += len;
	list->line[list->len] = '\0';
}

void text_list_begin(struct text_list *list, const char *intro)
{
	list->len = 0;
	list->has_item = false;
	append(list, "  ");
	append(list, intro);
	append(list, " ");
}

void text_list_add(struct text_list *list, const char *item)
{
	if (list->has_item && list->len + 2 + strlen(item) > TEXT_LIST_COLUMNS) {
		say("%s,", list->line);
		list->len = 0;
		list->has_item = false;
		append(list, "    ");
	}
	if (list->has_item)
		append(list, ", ");
	append(list, item);
	list->has_item = true;
}

void text_list_end(struct text_list *list)
{
	say("%s", list->line);
}
