/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs for seccomp(2) decide as the rules do that they were assembled from: an interpreter of
 * BPF runs them on calls near those that the rules permit.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"
#include "sandbox/arch.h"
#include "sandbox/calls.h"
#include "sandbox/filter.h"

#ifndef SANDBOX_ARCH
#define SANDBOX_ARCH 0
#endif

#define FORBIDDEN SECCOMP_RET_TRAP
#define BROKEN    0xdeadbeef /* the program is none that the kernel takes */

/* --- both ways -------------------------------------------------------------------------------- */

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, (const char *)data + offset, sizeof word);
	return word;
}

/* Runs the program as the kernel would. */
static uint32_t run(const struct filter *filter, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned at = 0; at < filter->len; at++) {
		const struct sock_filter *i = &filter->code[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 != 0 || i->k > sizeof *data - 4)
				return BROKEN;
			a = load(data, i->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			return BROKEN;
		}
	}
	return BROKEN;
}

static bool passes(const struct rule_check *check, const struct seccomp_data *data)
{
	uint64_t whole = data->args[check->argument];
	uint32_t low = (uint32_t)whole;

	switch (check->kind) {
	case CHECK_IS:
		return low == check->a;
	case CHECK_WITHIN:
		return low >= check->a && low <= check->b;
	case CHECK_HAS:
		return (low & check->a) == check->a;
	case CHECK_LACKS:
		return (low & check->a) == 0;
	case CHECK_NULL:
		return whole == 0;
	case CHECK_END:
		break;
	}
	return true;
}

/* What the rules say. */
static uint32_t decide(const struct rules *rules, const struct seccomp_data *data)
{
	for (unsigned i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->list[i];
		bool pass = rule->number == (uint32_t)data->nr && data->arch == SANDBOX_ARCH;

		for (unsigned c = 0; c < RULE_CHECKS_MAX && pass; c++)
			pass = passes(&rule->checks[c], data);
		if (pass)
			return rule->error ? SECCOMP_RET_ERRNO | (uint32_t)rule->error
					   : SECCOMP_RET_ALLOW;
	}
	return FORBIDDEN;
}

/* --- calls ------------------------------------------------------------------------------------ */

static uint64_t random_word(void)
{
	return (uint64_t)(unsigned)rand() << 33 ^ (uint64_t)(unsigned)rand() << 11 ^
	       (unsigned)rand();
}

/* An argument at which some rule looks, or one beside it. */
static uint64_t likely_argument(const struct rules *rules, unsigned argument)
{
	const struct rule *rule = &rules->list[(unsigned)rand() % rules->count];
	const struct rule_check *check = &rule->checks[(unsigned)rand() % RULE_CHECKS_MAX];
	uint64_t value = rand() % 2 ? check->a : check->b;

	if (check->argument != argument && rand() % 2)
		return rand() % 2 ? 0 : random_word();
	value += (uint64_t)(rand() % 3) - 1;
	return rand() % 4 ? value : value | random_word() << 32;
}

static struct seccomp_data likely_call(const struct rules *rules)
{
	struct seccomp_data data = {
		.nr = (int)rules->list[(unsigned)rand() % rules->count].number,
		.arch = rand() % 16 ? SANDBOX_ARCH : AUDIT_ARCH_I386,
		.instruction_pointer = random_word(),
	};

	if (rand() % 4 == 0)
		data.nr += rand() % 3 - 1;
	for (unsigned i = 0; i < 6; i++)
		data.args[i] = likely_argument(rules, i);
	return data;
}

#define CALLS 200000

/* Returns how many calls were permitted. */
static unsigned compare(const struct rules *rules, const char *name)
{
	static struct filter filter;
	unsigned wrong = 0, permitted = 0;

	filter_assemble(&filter, rules, FORBIDDEN, NULL);
	for (unsigned i = 0; i < CALLS; i++) {
		struct seccomp_data data = likely_call(rules);
		uint32_t expected = decide(rules, &data);

		wrong += run(&filter, &data) != expected;
		permitted += expected == SECCOMP_RET_ALLOW;
	}
	is(wrong, 0, "%s: %u rules, %u instructions decide as the rules do", name, rules->count,
		filter.len);
	return permitted;
}

static void test_machine(void)
{
	struct rules rules = {0};
	unsigned permitted;

	calls_add(&rules);
	permitted = compare(&rules, "the calls of every machine");
	ok(permitted > 0 && permitted < CALLS, "... on calls of both kinds (%u permitted)",
		permitted);
}

/* Few numbers, and many rules for each, in any order. Whether a small set permits anything is a
 * matter of chance, so calls of both kinds are looked for in all sets together. */
static void test_random(void)
{
	unsigned permitted = 0, calls = 0;

	srand(1); /* how much test_machine() draws depends on the host */
	for (unsigned count = 1; count <= RULES_MAX; count = count * 3 / 2 + 1) {
		struct rules rules = {0};

		for (unsigned i = 0; i < count; i++) {
			struct rule rule = {
				.number = (unsigned)rand() % 40, .error = rand() % 8 ? 0 : EPERM};

			for (int c = 0; c < rand() % (RULE_CHECKS_MAX + 1); c++)
				rule.checks[c] = (struct rule_check){
					(enum rule_check_kind)(1 + rand() % CHECK_NULL),
					(unsigned)rand() % 6, (uint32_t)rand() % 8,
					(uint32_t)rand() % 8};
			rules_add(&rules, &rule, 1);
		}
		permitted += compare(&rules, "random rules");
		calls += CALLS;
	}
	ok(permitted > 0 && permitted < calls, "... on calls of both kinds (%u permitted)",
		permitted);
}

static void test_no_rules(void)
{
	struct seccomp_data data = {.nr = 1, .arch = SANDBOX_ARCH};
	struct rules rules = {0};
	static struct filter filter;

	filter_assemble(&filter, &rules, FORBIDDEN, NULL);
	is(run(&filter, &data), FORBIDDEN, "without rules all is forbidden");
}

static void test_exempt(void)
{
	static const char place[2];
	struct seccomp_data data = {
		.nr = 1, .arch = SANDBOX_ARCH, .instruction_pointer = (uintptr_t)&place[1]};
	struct rules rules = {0};
	static struct filter filter;

	filter_assemble(&filter, &rules, FORBIDDEN, &place[1]);
	is(run(&filter, &data), SECCOMP_RET_ALLOW, "the exempt instruction makes any call");
	data.instruction_pointer = (uintptr_t)&place[0];
	is(run(&filter, &data), FORBIDDEN, "the one beside it does not");
	data.instruction_pointer = (uintptr_t)&place[1] ^ (uint64_t)1 << 40;
	is(run(&filter, &data), FORBIDDEN, "nor one that has its low half");
}

/* Assembles rules for so many requests of ioctl(2) on two descriptors. Returns the length. */
static unsigned length_for_requests(unsigned count)
{
	static struct filter filter;
	struct rules rules = {0};

	for (unsigned i = 0; i < count; i++) {
		struct rule rule = rule_ioctl(0xae80 + i, 8, 9);

		rules_add(&rules, &rule, 1);
	}
	filter_assemble(&filter, &rules, FORBIDDEN, NULL);
	return filter.len;
}

/* A start pays for each instruction. */
static void test_length(void)
{
	is(length_for_requests(16) - length_for_requests(2), 14,
		"a further ioctl of the same descriptors is one instruction");
}

int main(void)
{
	test_machine();
	test_length();
	test_random();
	test_no_rules();
	test_exempt();
	return tap_done();
}
