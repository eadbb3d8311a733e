/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/filter.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

/* A run of call numbers, up to the next span's, that share a result. */
struct span {
	uint32_t number;    /* the first one */
	uint32_t result;    /* SECCOMP_RET_..., if there are no rules to look at */
	uint8_t first, end; /* places of the order: rules of the one number; both 0: none */
};

#define SPANS_MAX (2 * RULES_MAX + 1)

/*
 * While a program is assembled. Jumps go forward only, so it is assembled from its end: when an
 * instruction is put before the others, all that it can jump to is there. An instruction is named
 * by its place, the number of instructions from it to the program's end.
 */
struct assembly {
	struct filter *filter;
	const struct rules *rules;
	uint8_t order[RULES_MAX]; /* indices of the rules, by their numbers */
	uint32_t forbidden;
	unsigned ends
		[2]; /* places of the last end that permits and the last that forbids; 0: none */
	unsigned span_count;
	struct span spans[SPANS_MAX];
};

_Static_assert(RULES_MAX <= UINT8_MAX, "order and spans have bytes");

/* --- instructions ----------------------------------------------------------------------------- */

/* Puts an instruction before all others and returns its place. */
static unsigned emit(
	struct assembly *as, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	struct filter *filter = as->filter;

	/* Rules are constants of this program, see rules_add(). */
	if (filter->len == FILTER_MAX)
		abort();
	filter->len++;
	filter->code[FILTER_MAX - filter->len] = (struct sock_filter){code, if_true, if_false, k};
	return filter->len;
}

/* The farthest that a jump goes if another instruction may still come between it and its target. */
#define REACH (UINT8_MAX - 2)

/* Returns a place from which the next instructions can jump to the target: itself, or a jump
 * there. */
static unsigned reach(struct assembly *as, unsigned target)
{
	unsigned distance = as->filter->len - target;

	return distance <= REACH ? target : emit(as, GOTO, distance, 0, 0);
}

/* Puts a jump to one of two places, by a condition. */
static unsigned branch(
	struct assembly *as, uint16_t condition, uint32_t k, unsigned if_true, unsigned if_false)
{
	if_true = reach(as, if_true);
	if_false = reach(as, if_false);
	return emit(as, condition, k, (uint8_t)(as->filter->len - if_true),
		(uint8_t)(as->filter->len - if_false));
}

/* Returns the place of an end with this result: one that is near, or a new one. */
static unsigned end_with(struct assembly *as, uint32_t result)
{
	struct filter *filter = as->filter;
	unsigned *place = &as->ends[result == as->forbidden];

	if (*place > 0 && filter->len - *place < REACH / 2 &&
		filter->code[FILTER_MAX - *place].k == result)
		return *place;
	*place = emit(as, END, result, 0, 0);
	return *place;
}

/* Loads the low (0) or high (1) half of an argument. Both architectures are little-endian. */
static unsigned load_argument(struct assembly *as, unsigned argument, unsigned half)
{
	return emit(as, LOAD,
		(uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) +
			   half * sizeof(uint32_t)),
		0, 0);
}

/* --- rules for one number --------------------------------------------------------------------- */

/* Puts a check that goes to one of two places. Returns its own, where the argument is loaded
 * already. */
static unsigned put_check(
	struct assembly *as, const struct rule_check *check, unsigned pass, unsigned fail)
{
	switch (check->kind) {
	case CHECK_IS:
		return branch(as, EQUAL, check->a, pass, fail);
	case CHECK_WITHIN:
		pass = branch(as, ABOVE, check->b, fail, pass);
		return branch(as, LEAST, check->a, pass, fail);
	case CHECK_HAS:
		branch(as, EQUAL, check->a, pass, fail);
		return emit(as, AND, check->a, 0, 0);
	case CHECK_LACKS:
		return branch(as, ANY, check->a, fail, pass);
	case CHECK_NULL:
		branch(as, EQUAL, 0, pass, fail);
		pass = load_argument(as, check->argument, 1);
		return branch(as, EQUAL, 0, pass, fail);
	case CHECK_END:
		break;
	}
	return pass;
}

/* Returns the rule at a place of the order. */
static const struct rule *rule_at(const struct assembly *as, unsigned place)
{
	return &as->rules->list[as->order[place]];
}

/* Returns a check of the rule at a place of the order; NULL if it has not so many. */
static const struct rule_check *check_at(const struct assembly *as, unsigned place, unsigned index)
{
	const struct rule *rule = rule_at(as, place);

	return index < RULE_CHECKS_MAX && rule->checks[index].kind != CHECK_END
		       ? &rule->checks[index]
		       : NULL;
}

/* Returns whether two rules, which have no other checks before it, begin with the same check, and
 * go on after it. */
static bool share_check(const struct assembly *as, unsigned one, unsigned other, unsigned index)
{
	const struct rule_check *a = check_at(as, one, index), *b = check_at(as, other, index);

	return a && b && check_at(as, one, index + 1) && check_at(as, other, index + 1) &&
	       a->kind == b->kind && a->argument == b->argument && a->a == b->a && a->b == b->b;
}

/* Returns whether the only way to a rule's check is from the failed check of the rule before, which
 * leaves the argument loaded. */
static bool is_loaded(const struct assembly *as, unsigned first, unsigned place, unsigned index)
{
	const struct rule_check *before = place > first ? check_at(as, place - 1, index) : NULL;

	return before && !check_at(as, place - 1, index + 1) && before->kind == CHECK_IS &&
	       before->argument == check_at(as, place, index)->argument;
}

/* Puts the checks of one rule, from this one on. Returns the place of the first. */
static unsigned put_rule(
	struct assembly *as, unsigned first, unsigned place, unsigned index, unsigned fail)
{
	int error = rule_at(as, place)->error;
	unsigned last = index, next;

	next = end_with(as, error ? SECCOMP_RET_ERRNO | (uint32_t)error : SECCOMP_RET_ALLOW);
	while (check_at(as, place, last))
		last++;
	while (last-- > index) {
		const struct rule_check *check = check_at(as, place, last);

		next = put_check(as, check, next, fail);
		if (last > index || !is_loaded(as, first, place, index))
			next = load_argument(as, check->argument, 0);
	}
	return next;
}

/* Puts rules from place first up to end of the order, of which the checks before index have passed.
 * Returns the place of the first. */
static unsigned put_rules(
	struct assembly *as, unsigned first, unsigned end, unsigned index, unsigned fail)
{
	while (end > first) {
		unsigned begin = end - 1, pass;

		while (begin > first && share_check(as, begin - 1, end - 1, index))
			begin--;
		if (end - begin > 1) {
			const struct rule_check *check = check_at(as, begin, index);

			pass = put_rules(as, begin, end, index + 1, fail);
			fail = put_check(as, check, pass, fail);
			if (!is_loaded(as, first, begin, index))
				fail = load_argument(as, check->argument, 0);
		} else {
			fail = put_rule(as, first, begin, index, fail);
		}
		end = begin;
	}
	return fail;
}

/* --- all numbers ------------------------------------------------------------------------------ */

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

/* Begins a span, unless it is one with the last. */
static void add_span(
	struct assembly *as, uint32_t number, uint32_t result, unsigned first, unsigned end)
{
	const struct span *last = as->span_count > 0 ? &as->spans[as->span_count - 1] : NULL;

	/* The call before has made a beginning for the numbers after it. */
	if (last && last->number == number) {
		as->span_count--;
		last = as->span_count > 0 ? last - 1 : NULL;
	}
	if (last && last->end == 0 && end == 0 && last->result == result)
		return;
	as->spans[as->span_count++] = (struct span){number, result, (uint8_t)first, (uint8_t)end};
}

static void find_spans(struct assembly *as)
{
	add_span(as, 0, as->forbidden, 0, 0);
	for (unsigned first = 0, end; first < as->rules->count; first = end) {
		const struct rule *rule = rule_at(as, first);

		end = first + 1;
		while (end < as->rules->count && rule_at(as, end)->number == rule->number)
			end++;
		if (check_at(as, first, 0) || rule->error)
			add_span(as, rule->number, 0, first, end);
		else
			add_span(as, rule->number, SECCOMP_RET_ALLOW, 0, 0);
		add_span(as, rule->number + 1, as->forbidden, 0, 0);
	}
}

/* Puts a tree of the spans from first up to end. Returns the place of its root. */
static unsigned put_tree(struct assembly *as, unsigned first, unsigned end)
{
	const struct span *span = &as->spans[first];
	unsigned middle = first + (end - first) / 2, left, right;

	if (end - first > 1) {
		right = put_tree(as, middle, end);
		left = put_tree(as, first, middle);
		return branch(as, LEAST, as->spans[middle].number, right, left);
	}
	if (span->end == 0)
		return end_with(as, span->result);
	return put_rules(as, span->first, span->end, 0, end_with(as, as->forbidden));
}

/* Puts the test whether the call was made by the exempt instruction, before what is done if not. */
static void put_exempt(struct assembly *as, uint64_t address)
{
	const uint32_t place = offsetof(struct seccomp_data, instruction_pointer);
	unsigned other = as->filter->len, pass = end_with(as, SECCOMP_RET_ALLOW);

	branch(as, EQUAL, (uint32_t)(address >> 32), pass, other);
	pass = emit(as, LOAD, place + sizeof(uint32_t), 0, 0);
	branch(as, EQUAL, (uint32_t)address, pass, other);
	emit(as, LOAD, place, 0, 0);
}

void filter_assemble(
	struct filter *filter, const struct rules *rules, uint32_t forbidden, const void *exempt)
{
	struct assembly as = {.filter = filter, .rules = rules, .forbidden = forbidden};
	unsigned root, other;

	filter->len = 0;
	sort(&as);
	find_spans(&as);
	root = put_tree(&as, 0, as.span_count);
	emit(&as, GOTO, filter->len - root, 0, 0);
	emit(&as, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	if (exempt)
		put_exempt(&as, (uintptr_t)exempt);
	root = filter->len;
	other = end_with(&as, forbidden);
	branch(&as, EQUAL, SANDBOX_ARCH, root, other);
	emit(&as, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	memmove(filter->code, filter->code + FILTER_MAX - filter->len,
		filter->len * sizeof *filter->code);
}
