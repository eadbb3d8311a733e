/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KEYBOARD_H
#define VMM_KEYBOARD_H

/*
 * What the user types at a terminal, and the guest has not taken yet. vole looks at it first: ^A x
 * ends the machine, ^A ^A is one ^A for the guest. One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* As much as is pasted at once, mostly. */
#define KEYBOARD_MAX 16384

struct keyboard {
	bool escaped; /* ^A came last */
	unsigned len;
	char bytes[KEYBOARD_MAX];
};

enum keyboard_verdict {
	KEYBOARD_KEPT,
	KEYBOARD_DROPPED, /* some: there is no room */
	KEYBOARD_QUIT,    /* the rest was not looked at */
};

/* These were typed. */
enum keyboard_verdict keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len);

/* Move the oldest into iov: how many bytes, 0 if there are none. */
size_t keyboard_take(struct keyboard *keyboard, const struct iovec *iov, unsigned count);

#endif
