/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KEYBOARD_H
#define VMM_KEYBOARD_H

/*
 * The buffer of what the user typed at a terminal and the guest has not read yet. vole interprets
 * keys first: ^A x ends the machine, ^A ^A is one ^A for the guest. One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* Bytes of the buffer: enough for most texts that are pasted at once. */
#define KEYBOARD_MAX 16384

struct keyboard {
	bool escaped; /* ^A came last */
	unsigned len;
	char bytes[KEYBOARD_MAX];
};

enum keyboard_verdict {
	KEYBOARD_KEPT,
	KEYBOARD_DROPPED, /* some bytes were dropped, because the buffer is full */
	KEYBOARD_QUIT,    /* ^A x came; the bytes after it were ignored */
};

/* Handles bytes that were typed. */
enum keyboard_verdict keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len);

/* Moves the oldest bytes into iov. Returns their number, 0 if the buffer is empty. */
size_t keyboard_take(struct keyboard *keyboard, const struct iovec *iov, unsigned count);

#endif
