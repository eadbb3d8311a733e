/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KEYBOARD_H
#define VMM_KEYBOARD_H

/*
 * The buffer of what the user typed at a terminal and the guest has not read yet. vole interprets
 * keys first: ^A x ends the machine, ^A s shows its state, ^A ^A is one ^A for the guest. One
 * thread at a time.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* Bytes of the buffer: enough for most texts that are pasted at once. */
#define KEYBOARD_MAX 16384

/* So many ^C in a row, and the user is told how to leave, once. */
#define KEYBOARD_INTERRUPTS 3

struct keyboard {
	bool escaped;         /* ^A came last */
	unsigned interrupts;  /* number of ^C that came last */
	bool told;            /* KEYBOARD_STUCK was returned */
	atomic_bool answered; /* the guest has put something out since the last key */
	unsigned len;
	char bytes[KEYBOARD_MAX];
};

/* What the owner has to do; bits, of which several may be set. */
enum keyboard_verdict {
	KEYBOARD_KEPT = 0,
	KEYBOARD_DROPPED = 1, /* some bytes were dropped, because the buffer is full */
	KEYBOARD_QUIT = 2,    /* ^A x came; the bytes after it were ignored */
	KEYBOARD_SHOW = 4,    /* ^A s came */
	KEYBOARD_STUCK =
		8, /* KEYBOARD_INTERRUPTS ^C came in a row, without an answer: the first time */
};

/* Handles bytes that were typed. Returns KEYBOARD_ bits. */
unsigned keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len);

/* Notes that the guest puts something out, which may be its answer to a key. Any thread. */
static inline void keyboard_answered(struct keyboard *keyboard)
{
	atomic_store_explicit(&keyboard->answered, true, memory_order_relaxed);
}

/* Moves the oldest bytes into iov. Returns their number, 0 if the buffer is empty. */
size_t keyboard_take(struct keyboard *keyboard, const struct iovec *iov, unsigned count);

#endif
