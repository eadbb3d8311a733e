/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounts of executed instructions, of programs that leave blocks in all ways there are: against
 * the same program executed one instruction at a time without accounts, whose EIP tells.
 */
#include "x86/account.h"

#include <string.h>

#include "../tap.h"
#include "../x86_code.h"

#define STEPS_MAX       400
#define HANDLER(vector) (HANDLERS + 16 * (vector))

struct program {
	const char *name, *hex;
	const char *handler_20; /* of INT 0x20; NULL: HLT */
};
static const struct program programs[] = {
	{"a loop that leaves its block in the middle",
		"b905000000 49 7403 40 ebfa e801000000 f4 42 c3", NULL},
	{"a comparison and its jump", "31c0 40 83f807 75fa f4", NULL},
	{"a fault in the middle", "31c0 40 31db f7f3 40 f4", NULL},
	{"INT and IRET", "40 cd20 40 cd20 40 f4", "42 cf"},
	{"a repeated string", "bf00800000 b905000000 f3aa 40 f4", NULL},
	{"a store to the code behind it", "c6050a00010042 90 40 40 90 f4", NULL},
	{"a store to the block before", "b903000000 40 fe0506000100 e2f7 f4", NULL},
	{"a trap after each instruction", "9c 810c2400010000 9d 40 f4", NULL},
	{"an interrupt shadow", "fb 40 40 f4", NULL},
	{"a call through a register", "b80c000100 ffd0 40 f4 90909090 c3", NULL},
	{"a jump to code of a device", "b8000000d0 ffe0", NULL},
};

/* Code of a device: INC EAX, twice, HLT. */
static bool fetch(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	static const uint8_t bytes[] = {0x40, 0x40, 0xf4};

	(void)code;
	*value = where >= DEVICE && where - DEVICE < sizeof bytes ? bytes[where - DEVICE] : 0;
	return !is_write;
}

static void start(struct x86_code *code, const struct program *program)
{
	x86_code_start(code);
	code->access = fetch;
	x86_code_put(code, CODE, program->hex);
	if (program->handler_20)
		x86_code_put(code, HANDLER(0x20), program->handler_20);
}

/* Executes one instruction at a time, and notes where each is. Returns how many. */
static unsigned walk(const struct program *program, uint64_t places[STEPS_MAX])
{
	static struct x86_code code;
	enum x86_stop stop = X86_STOP_BUDGET;
	unsigned count = 0;

	start(&code, program);
	while (stop == X86_STOP_BUDGET && count < STEPS_MAX) {
		uint64_t before = code.cpu.instructions, at = code.cpu.eip;

		stop = x86_run(&code.cpu, 1);
		if (code.cpu.instructions != before)
			places[count++] = at;
	}
	x86_code_end(&code);
	return count;
}

/* Samples, added up. */
static uint64_t sampled;
static unsigned samples;

static void on_sample(void *ctx, struct x86_cpu *cpu, uint64_t instructions)
{
	(void)ctx, (void)cpu;
	sampled += instructions;
	samples++;
}

/* Executes with accounts, in portions; flushes the cache between two of them if so asked. */
static void execute(struct x86_code *code, struct x86_account *account,
	const struct program *program, unsigned last_max, unsigned portion, bool flushes)
{
	const struct cpu_account wanted = {.last_max = last_max, .counts = true, .sample_every = 3};
	enum x86_stop stop = X86_STOP_BUDGET;

	sampled = samples = 0;
	x86_account_init(account, &wanted, 1);
	account->sample = on_sample;
	start(code, program);
	code->system.account = account;
	while (stop == X86_STOP_BUDGET) {
		stop = x86_run(&code->cpu, portion);
		if (flushes)
			x86_cache_flush(&code->cpu);
	}
	x86_account_end(&code->cpu);
}

static void end(struct x86_code *code, struct x86_account *account)
{
	x86_code_end(code);
	x86_account_free(account);
}

/* Whether the last instructions are the last of those places. Counts interrupts. */
static bool are_last(const struct x86_account_last *last, const uint64_t *places, unsigned count,
	unsigned *interrupts)
{
	*interrupts = 0;
	for (unsigned i = last->step_count; i-- > 0;) {
		if (last->steps[i].vector >= 0)
			(*interrupts)++;
		else if (count == 0 || last->steps[i].address != places[--count])
			return false;
	}
	return last->step_count == last->max || count == 0;
}

static uint64_t count_of(const struct x86_counts *counts, uint64_t address)
{
	for (size_t i = 0; i < counts->size; i++)
		if (counts->entries[i].count != 0 && counts->entries[i].address == address)
			return counts->entries[i].count;
	return 0;
}

static bool are_counts(const struct x86_counts *counts, const uint64_t *places, unsigned count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < counts->size; i++)
		sum += counts->entries[i].count;
	for (unsigned i = 0; i < count; i++) {
		uint64_t expected = 0;

		for (unsigned j = 0; j < count; j++)
			expected += places[j] == places[i];
		if (count_of(counts, places[i]) != expected)
			return false;
	}
	return sum == count && counts->others == 0;
}

static void test_program(const struct program *program)
{
	static const struct {
		unsigned last_max, portion;
		bool flushes;
	} ways[] = {{STEPS_MAX, 1000, false}, {STEPS_MAX, 7, false}, {STEPS_MAX, 3, true},
		{5, 1000, false}, {4, 2, true}};
	uint64_t places[STEPS_MAX];
	unsigned count = walk(program, places), interrupts = 0;

	tap_prefix(program->name);
	ok(count > 3 && count < STEPS_MAX, ": it has an end");
	for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		static struct x86_code code;
		struct x86_account account;

		execute(&code, &account, program, ways[i].last_max, ways[i].portion,
			ways[i].flushes);
		is(code.cpu.instructions, count, " (%u): instructions", i);
		ok(are_last(&account.cpus[0].last, places, count, &interrupts),
			" (%u): the last instructions, %u interrupts", i, interrupts);
		ok(are_counts(&account.counts, places, count), " (%u): counts by address", i);
		ok(sampled == count && samples > 0, " (%u): samples add up", i);
		end(&code, &account);
	}
	tap_prefix("");
}

/* What is told of an instruction is what was executed, whatever is there later. */
static void test_bytes(void)
{
	static struct x86_code code;
	struct x86_account account;
	const struct x86_account_last *last;

	execute(&code, &account, &programs[5], 10, 1000, false);
	last = &account.cpus[0].last;
	ok(last->step_count == 6 && last->steps[3].address == CODE + 9 &&
			last->steps[3].bytes[0] == 0x40 && last->steps[4].bytes[0] == 0x42,
		"bytes: the one that was stored is executed");
	is(last->steps[0].len, 7, "bytes: the length");
	end(&code, &account);

	execute(&code, &account, &programs[2], 20, 1000, false);
	last = &account.cpus[0].last;
	ok(last->steps[4].vector == X86_DE && last->steps[4].address == CODE + 5 &&
			last->steps[5].address == HANDLER(X86_DE),
		"an exception is told, and which instruction has raised it");
	end(&code, &account);
}

/* So many addresses that the table is full. */
static void test_limit(void)
{
	struct x86_counts counts = {.entries = NULL};
	uint64_t sum = 0;

	for (uint64_t i = 0; i < X86_COUNTS_MAX; i++)
		x86_counts_add(&counts, i * 3, 2);
	for (size_t i = 0; i < counts.size; i++)
		sum += counts.entries[i].count;
	is(counts.size, X86_COUNTS_MAX, "the table stops growing");
	ok(counts.others > 0 && sum + counts.others == 2ull * X86_COUNTS_MAX,
		"and the rest is counted together");
	x86_counts_add(&counts, 0, 5);
	is(count_of(&counts, 0), 7, "what has a place keeps it");
	x86_counts_free(&counts);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof programs / sizeof programs[0]; i++)
		test_program(&programs[i]);
	test_bytes();
	test_limit();
	return tap_done();
}
