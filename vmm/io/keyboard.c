/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/keyboard.h"

#include <string.h>

#define CTRL_A 0x01

/* Keep these for the guest; false if there is no room for all of them. */
static bool keep(struct keyboard *keyboard, const char *bytes, unsigned len)
{
	if (len > KEYBOARD_MAX - keyboard->len)
		return false;
	memcpy(keyboard->bytes + keyboard->len, bytes, len);
	keyboard->len += len;
	return true;
}

enum keyboard_verdict keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len)
{
	bool dropped = false;

	for (size_t i = 0; i < len; i++) {
		bool escaped = keyboard->escaped;
		char byte = bytes[i];

		if (!escaped && byte == CTRL_A) {
			keyboard->escaped = true;
			continue;
		}
		keyboard->escaped = false;
		if (escaped && byte == 'x')
			return KEYBOARD_QUIT;
		/* The ^A was for the guest after all; a second one only says so. */
		if (escaped && byte != CTRL_A)
			dropped |= !keep(keyboard, (const char[]){CTRL_A, byte}, 2);
		else
			dropped |= !keep(keyboard, &byte, 1);
	}
	return dropped ? KEYBOARD_DROPPED : KEYBOARD_KEPT;
}

size_t keyboard_take(struct keyboard *keyboard, const struct iovec *iov, unsigned count)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < keyboard->len; i++) {
		size_t part = keyboard->len - done;

		if (part > iov[i].iov_len)
			part = iov[i].iov_len;
		memcpy(iov[i].iov_base, keyboard->bytes + done, part);
		done += part;
	}
	keyboard->len -= (unsigned)done;
	memmove(keyboard->bytes, keyboard->bytes + done, keyboard->len);
	return done;
}
