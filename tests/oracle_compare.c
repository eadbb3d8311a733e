/* SPDX-License-Identifier: BSD-2-Clause */
/* What is compared of two runs of a case. */
#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VECTOR_GP 13
#define VECTOR_PF 14

/* Flags that user code can change and see. RF depends on how the state was saved. */
#define FLAGS 0x4dd5u /* NT, OF, DF, TF, SF, ZF, AF, PF, CF */

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->at, text->left, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= text->left)
		len = text->left ? (int)text->left - 1 : 0;
	text->at += len;
	text->left -= (size_t)len;
}

/* The number of the instruction at an offset, or -1. */
static int insn_at(const struct oracle_case *test, bool is_native, uint32_t offset)
{
	for (unsigned i = 0; i < test->insn_count; i++)
		if ((is_native ? test->insn[i].native : test->insn[i].soft) == offset)
			return (int)i;
	return -1;
}

static void show_code(struct text *text, const struct oracle_case *test)
{
	for (unsigned i = 0; i < test->insn_count; i++) {
		unsigned end = i + 1 < test->insn_count ? test->insn[i + 1].soft : test->soft_len;

		add(text, "%2u:", i);
		for (unsigned at = test->insn[i].soft; at < end; at++)
			add(text, " %02x", test->soft[at]);
		add(text, "\n");
	}
}

static void show_state(struct text *text, const char *name, const struct oracle_state *state)
{
	static const char *const names[8] = {
		"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

	add(text, "%-6s", name);
	for (unsigned i = 0; i < 8; i++)
		add(text, " %s %08x", names[i], state->reg[i]);
	add(text, " flags %04x\n", state->eflags & 0xffff);
}

static void show_end(struct text *text, const char *name, int insn, const struct oracle_result *end)
{
	show_state(text, name, &end->state);
	add(text, "       vector %u error %x at %d", end->vector, end->error, insn);
	if (end->vector == VECTOR_PF)
		add(text, " cr2 %08x", end->cr2);
	add(text, "\n");
}

static void show_data(
	struct text *text, const struct oracle_result *native, const struct oracle_result *soft)
{
	unsigned shown = 0;

	for (unsigned i = 0; i < ORACLE_DATA_SIZE && shown < 8; i++) {
		if (native->data[i] == soft->data[i])
			continue;
		add(text, "byte %08x: native %02x soft %02x\n", ORACLE_DATA + i, native->data[i],
			soft->data[i]);
		shown++;
	}
}

/* What an exception tells of itself. */
static bool same_exception(const struct oracle_insn *insn, const struct oracle_result *native,
	const struct oracle_result *soft)
{
	if (native->vector != soft->vector)
		return false;
	if (native->vector == VECTOR_GP)
		return native->error == soft->error;
	if (native->vector == VECTOR_PF && !insn->is_open)
		return native->error == soft->error && native->cr2 == soft->cr2;
	return true;
}

static bool same_data(const struct oracle_insn *insn, const struct oracle_result *native,
	const struct oracle_result *soft)
{
	if (native->vector == VECTOR_PF && insn->is_open)
		return true;
	return memcmp(native->data, soft->data, ORACLE_DATA_SIZE) == 0;
}

bool oracle_same(const struct oracle_case *test, const struct oracle_result *native,
	const struct oracle_result *soft, char *text, size_t text_size)
{
	int native_insn = insn_at(test, true, native->eip - ORACLE_CODE);
	int soft_insn = insn_at(test, false, soft->eip - ORACLE_CODE);
	uint32_t flags = FLAGS;
	struct text out = {text, text_size};

	if (native_insn >= 0)
		flags &= ~(test->insn[native_insn].undefined |
			   test->insn[native_insn].undefined_at_fault);
	if (native_insn >= 0 && native_insn == soft_insn &&
		same_exception(&test->insn[native_insn], native, soft) &&
		memcmp(native->state.reg, soft->state.reg, sizeof soft->state.reg) == 0 &&
		((native->state.eflags ^ soft->state.eflags) & flags) == 0 &&
		same_data(&test->insn[native_insn], native, soft))
		return true;
	show_code(&out, test);
	show_state(&out, "start", &test->start);
	show_end(&out, "native", native_insn, native);
	show_end(&out, "soft", soft_insn, soft);
	add(&out, "flags compared: %04x\n", flags);
	show_data(&out, native, soft);
	return false;
}
