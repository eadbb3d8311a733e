/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/names.h"

#include <inttypes.h>
#include <stdio.h>

void names_add(struct names *names, const struct record_name *name)
{
	size_t place = (name->address ^ name->address >> 12) % NAMES_MAX;

	names->name[place].address = name->address;
	snprintf(names->name[place].text, sizeof names->name[place].text, "%.*s",
		(int)name->text.len, (const char *)name->text.at);
}

void names_write(const struct names *names, struct json *json)
{
	char address[24];

	json_begin_object(json, "names", false);
	for (size_t i = 0; i < NAMES_MAX; i++) {
		if (!names->name[i].text[0])
			continue;
		snprintf(address, sizeof address, "0x%08" PRIx64, names->name[i].address);
		json_string(json, address, names->name[i].text);
	}
	json_end_object(json);
}
