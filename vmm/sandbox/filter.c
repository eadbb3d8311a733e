/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/filter.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>

#include "sandbox/arch.h"

#ifndef SANDBOX_ARCH
#define SANDBOX_ARCH 0 /* no program for it is ever installed */
#endif

#define LOAD  (BPF_LD | BPF_W | BPF_ABS)
#define EQUAL (BPF_JMP | BPF_JEQ | BPF_K)
#define LEAST (BPF_JMP | BPF_JGE | BPF_K)
#define ABOVE (BPF_JMP | BPF_JGT | BPF_K)
#define ANY   (BPF_JMP | BPF_JSET | BPF_K)
#define GOTO  (BPF_JMP | BPF_JA)
#define AND   (BPF_ALU | BPF_AND | BPF_K)
#define END   (BPF_RET | BPF_K)

/* While a program is assembled. */
struct assembly {
	struct filter *filter;
	const struct rules *rules;
	uint8_t order[RULES_MAX]; /* indices of the rules, by their numbers */
	uint32_t forbidden;
};

_Static_assert(RULES_MAX <= UINT8_MAX + 1, "order has bytes");

/* Returns the rule at a place of the order. */
static const struct rule *rule_at(const struct assembly *as, unsigned place)
{
	return &as->rules->list[as->order[place]];
}

/* Sorts the rules by number. Those of one number stay as they are, so that the list decides which
 * is tried first. */
static void sort(struct assembly *as)
{
	for (unsigned i = 0; i < as->rules->count; i++) {
		unsigned place = i;

		for (; place > 0 && rule_at(as, place - 1)->number > as->rules->list[i].number;
			place--)
			as->order[place] = as->order[place - 1];
		as->order[place] = (uint8_t)i;
	}
}

/* Appends an instruction. Jumps are relative to the one after it. */
static void emit(struct assembly *as, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	struct filter *filter = as->filter;

	/* Rules are constants of this program, see rules_add(). */
	if (filter->len == FILTER_MAX)
		abort();
	filter->code[filter->len++] = (struct sock_filter){code, if_true, if_false, k};
}

/* Loads the low (0) or high (1) half of an argument. Both architectures are little-endian. */
static void load_argument(struct assembly *as, unsigned argument, unsigned half)
{
	emit(as, LOAD,
		(uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
			   half * sizeof(uint32_t)),
		0, 0);
}

/* A jump whose target is not known yet has this offset. The program never jumps so far. */
#define PENDING UINT8_MAX

/* Appends a check, from which a call that does not pass it goes to PENDING. */
static void emit_check(struct assembly *as, const struct rule_check *check)
{
	load_argument(as, check->argument, 0);
	switch (check->kind) {
	case CHECK_IS:
		emit(as, EQUAL, check->a, 0, PENDING);
		break;
	case CHECK_WITHIN:
		emit(as, LEAST, check->a, 0, PENDING);
		emit(as, ABOVE, check->b, PENDING, 0);
		break;
	case CHECK_HAS:
		emit(as, AND, check->a, 0, 0);
		emit(as, EQUAL, check->a, 0, PENDING);
		break;
	case CHECK_LACKS:
		emit(as, ANY, check->a, PENDING, 0);
		break;
	case CHECK_NULL:
		emit(as, EQUAL, 0, 0, PENDING);
		load_argument(as, check->argument, 1);
		emit(as, EQUAL, 0, 0, PENDING);
		break;
	case CHECK_END:
		break;
	}
}

/* Sets the pending jumps from instruction first on to the end of the program so far. */
static void settle(struct filter *filter, unsigned first)
{
	for (unsigned i = first; i < filter->len; i++) {
		struct sock_filter *at = &filter->code[i];
		uint8_t distance = (uint8_t)(filter->len - i - 1);

		if (at->jt == PENDING)
			at->jt = distance;
		if (at->jf == PENDING)
			at->jf = distance;
	}
}

/* Appends a rule for a call whose number is known to be the rule's: its end if it permits the call,
 * else what follows. */
static void emit_rule(struct assembly *as, const struct rule *rule)
{
	unsigned first = as->filter->len;

	for (unsigned i = 0; i < RULE_CHECKS_MAX && rule->checks[i].kind != CHECK_END; i++)
		emit_check(as, &rule->checks[i]);
	emit(as, END, rule->error ? SECCOMP_RET_ERRNO | (uint32_t)rule->error : SECCOMP_RET_ALLOW,
		0, 0);
	settle(as->filter, first);
}

/* Appends the rules from place first up to end, which are for one number. */
static void emit_number(struct assembly *as, unsigned first, unsigned end)
{
	emit(as, EQUAL, rule_at(as, first)->number, 1, 0);
	emit(as, END, as->forbidden, 0, 0);
	for (unsigned i = first; i < end; i++)
		emit_rule(as, rule_at(as, i));
	emit(as, END, as->forbidden, 0, 0);
}

/* Returns a place between first and end at which a number begins, near the middle; end if there is
 * one number only. */
static unsigned split(const struct assembly *as, unsigned first, unsigned end)
{
	unsigned middle = first + (end - first) / 2, place = middle;

	while (place > first && rule_at(as, place - 1)->number == rule_at(as, middle)->number)
		place--;
	if (place > first)
		return place;
	for (place = middle; place < end; place++)
		if (rule_at(as, place)->number != rule_at(as, first)->number)
			break;
	return place;
}

/* Appends a tree of the rules from place first up to end. */
static void emit_tree(struct assembly *as, unsigned first, unsigned end)
{
	unsigned middle = split(as, first, end), jump;

	if (middle == end) {
		emit_number(as, first, end);
		return;
	}
	emit(as, LEAST, rule_at(as, middle)->number, 0, 1);
	jump = as->filter->len;
	emit(as, GOTO, 0, 0, 0);
	emit_tree(as, first, middle);
	as->filter->code[jump].k = as->filter->len - jump - 1;
	emit_tree(as, middle, end);
}

static void emit_exempt(struct assembly *as, uint64_t address)
{
	const uint32_t place = offsetof(struct seccomp_data, instruction_pointer);

	emit(as, LOAD, place, 0, 0);
	emit(as, EQUAL, (uint32_t)address, 0, 3);
	emit(as, LOAD, place + sizeof(uint32_t), 0, 0);
	emit(as, EQUAL, (uint32_t)(address >> 32), 0, 1);
	emit(as, END, SECCOMP_RET_ALLOW, 0, 0);
}

void filter_assemble(
	struct filter *filter, const struct rules *rules, uint32_t forbidden, const void *exempt)
{
	struct assembly as = {.filter = filter, .rules = rules, .forbidden = forbidden};

	filter->len = 0;
	sort(&as);
	emit(&as, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	emit(&as, EQUAL, SANDBOX_ARCH, 1, 0);
	emit(&as, END, forbidden, 0, 0);
	if (exempt)
		emit_exempt(&as, (uintptr_t)exempt);
	emit(&as, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	if (rules->count > 0)
		emit_tree(&as, 0, rules->count);
	emit(&as, END, forbidden, 0, 0);
}
