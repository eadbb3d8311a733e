/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

/*
 * A fuzz target is one file with one LLVMFuzzerTestOneInput(). It starts from nothing, does what
 * the bytes of its input say, checks with assert() what must hold whatever they say, and leaves
 * nothing behind. libFuzzer calls it from inside one process; replay.c from a program of its own,
 * for each file it is given.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rest of an input. */
struct input {
	const uint8_t *next, *end;
};

static inline struct input input_of(const uint8_t *data, size_t size)
{
	return (struct input){data, data + size};
}

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->next);
}

/* A little-endian number of this many bytes. An input that has ended goes on with zeros. */
static inline uint64_t take(struct input *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && in->next != in->end; i++)
		value |= (uint64_t)*in->next++ << (8 * i);
	return value;
}

/* As many bytes as there are, up to max; *bytes points at them. */
static inline size_t take_bytes(struct input *in, size_t max, const uint8_t **bytes)
{
	size_t len = input_left(in) < max ? input_left(in) : max;

	*bytes = in->next;
	in->next += len;
	return len;
}

#endif
