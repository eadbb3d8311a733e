/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/keyboard.h"

#include <string.h>

#define CTRL_A 0x01
#define CTRL_C 0x03

/* Keep these for the guest; false if there is no room for all of them. */
static bool keep(struct keyboard *keyboard, const char *bytes, unsigned len)
{
	if (len > KEYBOARD_MAX - keyboard->len)
		return false;
	memcpy(keyboard->bytes + keyboard->len, bytes, len);
	keyboard->len += len;
	return true;
}

/* A byte for the guest. Returns KEYBOARD_ bits. */
static unsigned take(struct keyboard *keyboard, char byte)
{
	unsigned verdict = keep(keyboard, &byte, 1) ? 0 : KEYBOARD_DROPPED;

	keyboard->interrupts = byte == CTRL_C ? keyboard->interrupts + 1 : 0;
	if (keyboard->interrupts < KEYBOARD_INTERRUPTS || keyboard->told)
		return verdict;
	keyboard->told = true;
	return verdict | KEYBOARD_STUCK;
}

/* The byte after ^A. Returns KEYBOARD_ bits. */
static unsigned take_escaped(struct keyboard *keyboard, char byte)
{
	switch (byte) {
	case 'x':
		return KEYBOARD_QUIT;
	case 's':
		return KEYBOARD_SHOW;
	case CTRL_A:
		return take(keyboard, byte);
	default: /* the ^A was for the guest after all */
		return keep(keyboard, (const char[]){CTRL_A, byte}, 2) ? 0 : KEYBOARD_DROPPED;
	}
}

unsigned keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len)
{
	unsigned verdict = 0;

	if (atomic_exchange(&keyboard->answered, false))
		keyboard->interrupts = 0;
	for (size_t i = 0; i < len && !(verdict & KEYBOARD_QUIT); i++) {
		bool escaped = keyboard->escaped;

		keyboard->escaped = !escaped && bytes[i] == CTRL_A;
		if (escaped)
			verdict |= take_escaped(keyboard, bytes[i]);
		else if (!keyboard->escaped)
			verdict |= take(keyboard, bytes[i]);
	}
	return verdict;
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
