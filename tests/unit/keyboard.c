/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys that are typed at a terminal: those for vole, those that the guest gets, and those for which
 * there is no room.
 */

#include "io/keyboard.h"

#include <string.h>

#include "../tap.h"

static struct keyboard keyboard;

static unsigned type(const char *text)
{
	return keyboard_type(&keyboard, text, strlen(text));
}

/* Does the guest get just this, in pieces of at most two bytes and three? */
static bool gets(const char *text)
{
	size_t len = strlen(text), done = 0;

	while (done < len) {
		char two[2], three[3], both[5];
		const struct iovec iov[] = {{two, sizeof two}, {three, sizeof three}};
		size_t got = keyboard_take(&keyboard, iov, 2);

		memcpy(both, two, sizeof two);
		memcpy(both + sizeof two, three, sizeof three);
		if (got == 0 || got > len - done || memcmp(both, text + done, got) != 0)
			return false;
		done += got;
	}
	return keyboard_take(&keyboard, &(struct iovec){&(char){0}, 1}, 1) == 0;
}

static void test_text(void)
{
	keyboard = (struct keyboard){0};
	is(type("hello, guest"), KEYBOARD_KEPT, "text is kept");
	ok(gets("hello, guest"), "and the guest gets it, in pieces");
	type("ab");
	type("cd");
	ok(gets("abcd"), "in the order in which it came");
}

static void test_escape(void)
{
	keyboard = (struct keyboard){0};
	is(type("a\1\1b"), KEYBOARD_KEPT, "^A ^A does not end the machine");
	ok(gets("a\1b"), "and is one ^A");
	type("\1c");
	ok(gets("\1c"), "what vole does not know is the guest's, with its ^A");
	type("x\1");
	ok(gets("x"), "an x alone is a letter, and a ^A waits for what follows");
	is(type("xy"), KEYBOARD_QUIT, "^A x ends the machine, also in two pieces");
	is(type("\1\1"), KEYBOARD_KEPT, "^A ^A x");
	is(type("x"), KEYBOARD_KEPT, "does not");
}

static void test_room(void)
{
	char rest[2];

	keyboard = (struct keyboard){0};
	for (unsigned i = 0; i < KEYBOARD_MAX - 1; i++)
		type("a");
	is(type("\1b"), KEYBOARD_DROPPED, "^A and a letter are kept both or not at all");
	is(type("b"), KEYBOARD_KEPT, "the last byte has room");
	is(type("cde"), KEYBOARD_DROPPED, "the next ones have none");
	is(type("\1x"), KEYBOARD_QUIT, "^A x needs none");
	is(keyboard_take(&keyboard, &(struct iovec){rest, 0}, 1), 0, "no room, no bytes");
	for (unsigned i = 0; i < KEYBOARD_MAX - 2; i++)
		keyboard_take(&keyboard, &(struct iovec){rest, 1}, 1);
	is(keyboard_take(&keyboard, &(struct iovec){rest, 2}, 1), 2,
		"the guest gets what had room");
	ok(memcmp(rest, "ab", 2) == 0, "and nothing else");
}

static void test_state(void)
{
	keyboard = (struct keyboard){0};
	is(type("a\1sb"), KEYBOARD_SHOW, "^A s shows the state");
	ok(gets("ab"), "and is not for the guest, but what is around it");
	is(type("\1s\1x"), KEYBOARD_SHOW | KEYBOARD_QUIT, "^A s ^A x does both");
}

static void test_interrupts(void)
{
	keyboard = (struct keyboard){0};
	is(type("\3\3a\3\3"), KEYBOARD_KEPT, "^C four times, but not in a row");
	is(type("\3"), KEYBOARD_STUCK, "the third ^C in a row");
	is(type("\3\3\3\3"), KEYBOARD_KEPT, "is told of once");
	ok(gets("\3\3a\3\3\3\3\3\3\3"), "the guest gets all of them");

	keyboard = (struct keyboard){0};
	type("\3\3");
	keyboard_answered(&keyboard);
	is(type("\3\3"), KEYBOARD_KEPT, "a guest that answers between takes ^C");
}

int main(void)
{
	test_text();
	test_escape();
	test_room();
	test_state();
	test_interrupts();
	return tap_done();
}
