/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REFUSE_H
#define VMM_REFUSE_H

/*
 * Images that no boot protocol takes, but that can be told by their content: people learn more from
 * the name of what they have than from hearing that it is not ELF.
 */

#include <stddef.h>
#include <stdint.h>

/* How much of an image's beginning refusal_find() looks at: Multiboot 2's header is in there. */
#define REFUSAL_HEAD 32768

struct refusal {
	const char *what;   /* "an a.out executable" */
	const char *advice; /* "link it as 32-bit ELF" */
};

/* head: the first bytes of an image of this size, REFUSAL_HEAD or all. NULL if it is not known. */
const struct refusal *refusal_find(const uint8_t *head, uint64_t size);

#endif
