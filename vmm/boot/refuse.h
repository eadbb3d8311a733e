/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REFUSE_H
#define VMM_REFUSE_H

/*
 * Recognises images that no boot protocol loads, so that the message can name what they are and
 * what to do, instead of saying that they are not ELF.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of an image's beginning that refusal_find() reads. */
#define REFUSAL_HEAD 32768

struct refusal {
	const char *what;   /* "an a.out executable" */
	const char *advice; /* "link it as 32-bit ELF" */
};

/* Returns the kind of an image, or NULL if it is not known. head has the first bytes of an image of
 * this size: REFUSAL_HEAD of them, or all if it has fewer. */
const struct refusal *refusal_find(const uint8_t *head, uint64_t size);

/* Returns whether a Multiboot header in an image of this kind is the image's own, as in an a.out
 * executable. In other kinds it may be part of their data. */
bool refusal_may_be_multiboot(const struct refusal *refusal);

#endif
