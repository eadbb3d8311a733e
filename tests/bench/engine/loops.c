/* SPDX-License-Identifier: BSD-2-Clause */
#include "loops.h"

#include <stddef.h>

#define WORDS 32768u /* 128 KiB a buffer: more than a first-level cache holds */

/* Not expanded where it is called, nor copied for a caller: a loop is to be measured as it stands
 * here. clang makes no such copies, and does not know the word. */
#if defined __clang__
#define LOOP __attribute__((noinline)) static
#else
#define LOOP __attribute__((noinline, noclone)) static
#endif

/* What was stored before is in memory now: keeps the compiler from making a string instruction or
 * nothing at all of a loop that stores. */
#define stored() __asm__ volatile("" : : : "memory")

static uint32_t first[WORDS], second[WORDS];
static uint8_t composite[4 * WORDS];

/* Registers only: xorshift, and the length of a Collatz sequence. */
LOOP uint32_t run_int(uint32_t rounds)
{
	uint32_t random = 2463534242u, checksum = 0;

	for (; rounds > 0; rounds--) {
		uint32_t value, steps = 0;

		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		for (value = (random & 0xff) | 1; value != 1; steps++)
			value = value & 1 ? 3 * value + 1 : value >> 1;
		checksum += steps ^ random;
	}
	return checksum;
}

LOOP void fill(uint32_t *to, uint32_t value)
{
	for (size_t i = 0; i < WORDS; i++) {
		to[i] = value + (uint32_t)i;
		stored();
	}
}

LOOP void copy(uint32_t *to, const uint32_t *from)
{
	for (size_t i = 0; i < WORDS; i++) {
		to[i] = from[i];
		stored();
	}
}

LOOP uint32_t sum(const uint32_t *from)
{
	uint32_t total = 0;

	for (size_t i = 0; i < WORDS; i++)
		total += from[i];
	return total;
}

/* Loads and stores, one after the other. */
LOOP uint32_t run_mem(uint32_t rounds)
{
	uint32_t checksum = 0;

	for (; rounds > 0; rounds--) {
		fill(first, rounds);
		copy(second, first);
		checksum += sum(second);
	}
	return checksum;
}

/* Stores of bytes at growing distances: the sieve of Eratosthenes. */
LOOP uint32_t run_sieve(uint32_t rounds)
{
	uint32_t primes = 0;

	for (; rounds > 0; rounds--) {
		for (size_t i = 0; i < sizeof composite; i++) {
			composite[i] = 0;
			stored();
		}
		for (size_t i = 2; i < sizeof composite; i++) {
			if (composite[i])
				continue;
			primes++;
			for (size_t multiple = 2 * i; multiple < sizeof composite; multiple += i)
				composite[multiple] = 1;
		}
	}
	return primes;
}

LOOP uint32_t fibonacci(uint32_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/* Calls and returns. */
LOOP uint32_t run_call(uint32_t rounds)
{
	uint32_t checksum = 0;

	for (; rounds > 0; rounds--)
		checksum = checksum * 3 + fibonacci(24);
	return checksum;
}

/* Loads of bytes, and a table: the checksum of Ethernet frames. */
LOOP uint32_t run_crc(uint32_t rounds)
{
	static uint32_t table[256];
	const uint8_t *bytes = (const uint8_t *)first;
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? 0xedb88320u ^ table[i] >> 1 : table[i] >> 1;
	}
	for (; rounds > 0; rounds--)
		for (size_t i = 0; i < sizeof first; i++)
			crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static inline uint32_t rotate(uint32_t value, unsigned count)
{
	return value << count | value >> (32 - count);
}

/* Rotations and logic in more variables than there are registers, as SHA-1 has them. */
LOOP uint32_t run_rot(uint32_t rounds)
{
	uint32_t a = 0x67452301, b = 0xefcdab89, c = 0x98badcfe, d = 0x10325476, e = 0xc3d2e1f0;

	for (; rounds > 0; rounds--)
		for (size_t i = 0; i < 1024; i++) {
			uint32_t next =
				rotate(a, 5) + ((b & c) | (~b & d)) + e + first[i] + 0x5a827999;

			e = d;
			d = c;
			c = rotate(b, 30);
			b = a;
			a = next;
		}
	return a ^ b ^ c ^ d ^ e;
}

/* Indirect jumps: an interpreter of a small program. */
LOOP uint32_t run_switch(uint32_t rounds)
{
	enum { ADD, XOR, ROTATE, SUBTRACT, MULTIPLY, COUNT_ODD, STORE, AGAIN };
	static const uint8_t program[] = {ADD, XOR, ROTATE, SUBTRACT, MULTIPLY, ROTATE, XOR,
		COUNT_ODD, STORE, ADD, SUBTRACT, ROTATE, AGAIN};
	uint32_t a = 1, b = 2;
	size_t at = 0;

	while (rounds > 0) {
		switch (program[at++]) {
		case ADD:
			a += b;
			break;
		case XOR:
			b ^= a;
			break;
		case ROTATE:
			a = rotate(a, 3);
			break;
		case SUBTRACT:
			b -= a;
			break;
		case MULTIPLY:
			a *= 5;
			break;
		case COUNT_ODD:
			b += a & 1;
			break;
		case STORE:
			second[a & 0xff] = b;
			break;
		default:
			b += second[a >> 8 & 0xff];
			at = 0;
			rounds--;
		}
	}
	return a ^ b;
}

struct node {
	struct node *next;
	uint32_t value;
};

LOOP struct node *merge(struct node *a, struct node *b)
{
	struct node *head = NULL, **end = &head;

	while (a && b) {
		struct node **smaller = a->value <= b->value ? &a : &b;

		*end = *smaller;
		end = &(*smaller)->next;
		*smaller = *end;
	}
	*end = a ? a : b;
	return head;
}

LOOP struct node *sort(struct node *list)
{
	struct node *middle = list, *last = list, *rest;

	if (!list || !list->next)
		return list;
	while (last->next && last->next->next) {
		middle = middle->next;
		last = last->next->next;
	}
	rest = middle->next;
	middle->next = NULL;
	return merge(sort(list), sort(rest));
}

/* Pointers and branches that nobody can predict: a list is sorted. */
LOOP uint32_t run_list(uint32_t rounds)
{
	enum { NODES = 4096 };
	static struct node nodes[NODES];
	uint32_t random = 1, checksum = 0;

	for (; rounds > 0; rounds--) {
		for (size_t i = 0; i < NODES; i++) {
			random = random * 1664525 + 1013904223;
			nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL, random};
		}
		for (struct node *node = sort(nodes); node; node = node->next)
			checksum = checksum * 31 + node->value;
	}
	return checksum;
}

/* String instructions: bytes count here, not instructions. */
LOOP uint32_t run_rep(uint32_t rounds)
{
	uint32_t checksum = 0;

	for (; rounds > 0; rounds--) {
		void *to = first, *from = first;
		uint32_t count = WORDS;

		__asm__ volatile("cld; rep stosl" : "+D"(to), "+c"(count) : "a"(rounds) : "memory");
		to = second;
		count = WORDS;
		__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
		checksum += second[WORDS - 1];
	}
	return checksum;
}

const struct loop loops[LOOP_COUNT] = {
	{"int", run_int, 1600000},
	{"mem", run_mem, 800},
	{"sieve", run_sieve, 250},
	{"call", run_call, 200},
	{"crc", run_crc, 400},
	{"rot", run_rot, 60000},
	{"switch", run_switch, 4000000},
	{"list", run_list, 250},
	{"rep", run_rep, 5000},
};
