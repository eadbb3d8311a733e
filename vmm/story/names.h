/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_NAMES_H
#define VMM_STORY_NAMES_H

/* The kernel's symbols of the addresses in a capture. */

#include "see/json.h"
#include "story/record.h"

/* Addresses that are kept; of two with the same hash, the later one is. */
#define NAMES_MAX 4096

struct names {
	struct {
		uint64_t address;
		char text[128]; /* "": the place is free */
	} name[NAMES_MAX];
};

void names_add(struct names *names, const struct record_name *name);

/* Adds an object, "0x00007cb8": "boot stack+0x3cb8". */
void names_write(const struct names *names, struct json *json);

#endif
