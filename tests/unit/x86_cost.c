/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes the host long ends x86_run() as a break does, wherever the cost arises; and what is
 * not charged takes no longer than the guest's work for it did. */
#include <time.h>

#include "../tap.h"
#include "../x86_code.h"

#define COST_MAX 10000

static bool answer(struct x86_code *code, uint64_t where, bool is_write, uint64_t *value)
{
	(void)code, (void)where;
	if (!is_write)
		*value = 0;
	return true;
}

/* Loops without end. */
static const struct {
	const char *name, *hex;
} costly[] = {
	{"REPE SCASB", "31c0 bf00000200 b900f00000 f3ae 90 ebf5"},
	{"REP STOSB", "bf00000200 b900f00000 f3aa 90 ebf5"},
	{"REP OUTSB", "be00000200 b900f00000 f36e 90 ebf5"},
	{"REP LODSD of a device", "be000000d0 b900f00000 f3ad 90 ebf5"},
	{"a store to a device", "8915000000d0 ebf8"},
	{"code that overwrites itself", "c70500000100c7050000 ebf4"},
	{"a load of CR3", "0f22d8 ebfb"},
};

/* --- many blocks of the same bytes ------------------------------------------------------------ */

/* Decodes what is at an address count times, each time at another EIP. */
static void decode(struct x86_cpu *cpu, uint32_t address, unsigned count)
{
	struct x86_segment segment = cpu->segment[X86_CS];

	for (unsigned i = 1; i <= count; i++) {
		segment.base = i;
		x86_set_segment(cpu, X86_CS, &segment);
		cpu->eip = address - i;
		x86_find_block(cpu);
	}
}

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Decodes count blocks that begin at the end of a page and end in the next one, and count more in
 * the first page. Returns how long it takes to overwrite the end of the former, and to find that
 * they are gone; the least of several times. */
static uint64_t time_to_kill(unsigned count)
{
	static struct x86_code code;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < 5; i++) {
		uint64_t begin, flushes;

		x86_code_start(&code);
		x86_code_put(&code, CODE + 0x800, "ebfe");
		x86_code_put(&code, CODE + 0xfff, "ebfe");
		flushes = code.cpu.cache->flushes;
		decode(&code.cpu, CODE + 0xfff, count);
		decode(&code.cpu, CODE + 0x800, count);
		begin = cpu_ns();
		x86_memory_written(&code.system, CODE + 0x1000, 1);
		decode(&code.cpu, CODE + 0xfff, 1);
		if (cpu_ns() - begin < least)
			least = cpu_ns() - begin;
		if (code.cpu.cache->flushes != flushes)
			ok(false, "the cache has room for %u blocks", 2 * count);
		x86_code_end(&code);
	}
	return least;
}

static void test_kills(void)
{
	uint64_t few = time_to_kill(400), many = time_to_kill(4000);

	/* Ten times the blocks take ten times as long, or, where the caches of the host are too
	 * small for them, thirty times; and a hundred times if each is looked for in a list. */
	ok(many < few * 70, "a store that kills blocks takes as long as decoding them did");
}

int main(void)
{
	static struct x86_code code;

	test_kills();
	for (unsigned i = 0; i < sizeof costly / sizeof costly[0]; i++) {
		x86_code_start(&code);
		x86_code_put(&code, CODE, costly[i].hex);
		code.access = answer;
		code.system.cost_max = COST_MAX;
		is(x86_run(&code.cpu, 100000), X86_STOP_YIELD, "%s: ends the run", costly[i].name);
		ok(code.system.cost > COST_MAX && code.system.cost < COST_MAX * 11 / 10,
			"%s: not long after it cost so much", costly[i].name);
		ok(code.cpu.instructions > 0, "%s: but has gone on", costly[i].name);
		x86_code_end(&code);
	}
	return tap_done();
}
