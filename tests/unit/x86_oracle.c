/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software CPU against the host's processor: directed cases at the borders of each class of
 * operation, then random ones. ORACLE_SEED and ORACLE_CASES in the environment repeat or lengthen
 * the random part. Clauses: Intel SDM 2, each instruction's own page.
 */
#include "../oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../oracle_builder.h"
#include "../tap.h"

#define CASES_DEFAULT 6000
#define BYTES_MAX     160 /* choices of one random case */
#define SHOWN_MAX     3   /* differences of one test point that are shown */

static struct oracle_soft *soft;
static struct oracle_case test;

/* The outcomes of the cases of one test point. */
static struct tally {
	unsigned cases, different, endless;
	unsigned by_vector[32];
} tally;

static void start_tally(void)
{
	tally = (struct tally){0};
}

static void end_tally(const char *name)
{
	ok(tally.different == 0 && tally.cases > 0, "%s: %u cases give the same on both", name,
		tally.cases);
}

/* On both CPUs. */
static void compare(const char *what)
{
	static struct oracle_result native_result, soft_result;
	char text[8192];

	oracle_soft_run(soft, &test, &soft_result);
	/* Some loops lose their counter. */
	tally.endless += soft_result.vector == ORACLE_NO_END;
	if (!oracle_native_permits(&soft_result))
		return;
	tally.cases++;
	if (oracle_native_run(&test, &native_result) != 0) {
		printf("Bail out! no signals\n");
		exit(1);
	}
	if (native_result.vector < 32)
		tally.by_vector[native_result.vector]++;
	if (oracle_same(&test, &native_result, &soft_result, text, sizeof text))
		return;
	if (tally.different++ < SHOWN_MAX)
		printf("# %s\n# %s\n", what, text);
}

/* --- directed cases --------------------------------------------------------------------------- */

static const uint32_t borders[] = {0, 1, 2, 0x0f, 0x10, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff,
	0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
	0x12345678};
#define BORDERS (sizeof borders / sizeof *borders)

/* One instruction on EAX, EDX and CL: opcode bytes that end in a ModRM byte for AL or EAX. */
static void one_instruction(const char *what, const uint8_t *bytes, unsigned len, uint32_t eax,
	uint32_t edx, uint32_t ecx, uint32_t flags, uint32_t undefined)
{
	memset(&test, 0, sizeof test);
	memcpy(test.native, bytes, len);
	memcpy(test.soft, bytes, len);
	test.native[len] = test.soft[len] = 0xf4; /* HLT */
	test.native_len = test.soft_len = len + 1;
	test.insn[1] = (struct oracle_insn){(uint16_t)len, (uint16_t)len, undefined, 0, false};
	test.insn_count = 2;
	test.start.reg[EAX] = eax;
	test.start.reg[EDX] = edx;
	test.start.reg[ECX] = ecx;
	test.start.reg[ESP] = ORACLE_DATA + ORACLE_PAGE;
	test.start.eflags = 0x202 | flags;
	compare(what);
}

/* An operand-size prefix for 16 bits, the opcode's lowest bit for more than 8, and a ModRM byte.
 * Returns the length. */
static unsigned encode(uint8_t bytes[4], unsigned opcode, unsigned modrm, unsigned size)
{
	unsigned len = 0;

	if (size == 2)
		bytes[len++] = 0x66;
	bytes[len++] = (uint8_t)(opcode | (size > 1));
	bytes[len++] = (uint8_t)modrm;
	return len;
}

static void test_alu(void)
{
	static const uint32_t undefined[8] = {0, FLAG_AF, 0, 0, FLAG_AF, 0, FLAG_AF, 0};
	uint8_t bytes[4];

	start_tally();
	for (unsigned operation = 0; operation < 8; operation++)
		for (unsigned size = 1; size <= 4; size *= 2)
			for (unsigned i = 0; i < BORDERS * BORDERS * 2; i++)
				one_instruction("ADD to CMP", bytes,
					encode(bytes, operation << 3, 0xd0, size),
					borders[i / 2 % BORDERS], borders[i / 2 / BORDERS], 0,
					i & 1 ? FLAG_CF : 0, undefined[operation]);
	end_tally("ADD OR ADC SBB AND SUB XOR CMP at borders");
}

static void test_unary(void)
{
	static const uint8_t forms[4][2] = {{0xf6, 0xd0}, {0xf6, 0xd8}, {0xfe, 0xc0}, {0xfe, 0xc8}};
	uint8_t bytes[4];

	start_tally();
	for (unsigned form = 0; form < 4; form++)
		for (unsigned size = 1; size <= 4; size *= 2)
			for (unsigned i = 0; i < BORDERS * 2; i++)
				one_instruction("NOT NEG INC DEC", bytes,
					encode(bytes, forms[form][0], forms[form][1], size),
					borders[i / 2], 0, 0, i & 1 ? FLAGS_ARITHMETIC : 0, 0);
	end_tally("NOT NEG INC DEC at borders");
}

/* Returns the flags that a shift or rotate by CL leaves undefined; see oracle_builder.c. */
static uint32_t shift_undefined(unsigned operation, unsigned count, unsigned size)
{
	uint32_t flags = operation < 4 ? 0 : FLAG_AF;

	count &= 31;
	if (count == 0)
		return 0;
	if (count > 1)
		flags |= FLAG_OF;
	if (operation >= 4 && operation < 7 && count >= size * 8)
		flags |= FLAG_CF;
	return flags;
}

static void test_shifts(void)
{
	static const uint32_t values[] = {0, 1, 0x80, 0x8001, 0x80000001, 0xffffffff, 0x12345678};
	const unsigned count = sizeof values / sizeof *values;
	uint8_t bytes[4];

	start_tally();
	for (unsigned operation = 0; operation < 8; operation++)
		for (unsigned size = 1; size <= 4; size *= 2)
			for (unsigned i = 0; i < 34 * 2 * count; i++)
				one_instruction("shifts by CL", bytes,
					encode(bytes, 0xd2, 0xc0 | operation << 3, size),
					values[i % count], 0, i / count / 2,
					i / count & 1 ? FLAG_CF : 0,
					shift_undefined(operation, i / count / 2, size));
	end_tally("ROL ROR RCL RCR SHL SHR SAL SAR by 0 to 33");
}

static void test_double_shifts(void)
{
	start_tally();
	for (unsigned i = 0; i < 2 * BORDERS * 34; i++) {
		uint8_t bytes[] = {0x0f, i & 1 ? 0xa5 : 0xad, 0xd0};
		unsigned count = i / 2 % 34;
		uint32_t undefined = count % 32 == 0 ? 0 : FLAG_AF | (count % 32 > 1 ? FLAG_OF : 0);

		one_instruction("SHLD SHRD", bytes, sizeof bytes, borders[i / 68],
			~borders[i / 68] * 5, count, 0, undefined);
	}
	end_tally("SHLD SHRD by 0 to 33");
}

static void test_multiply(void)
{
	static const uint32_t undefined[4] = {FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF,
		FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF, FLAGS_ARITHMETIC, FLAGS_ARITHMETIC};
	uint8_t bytes[4];

	start_tally();
	for (unsigned operation = 0; operation < 4; operation++)
		for (unsigned size = 1; size <= 4; size *= 2)
			for (unsigned i = 0; i < BORDERS * BORDERS * 4; i++)
				one_instruction("MUL IMUL DIV IDIV by ECX", bytes,
					encode(bytes, 0xf6, 0xe1 | operation << 3, size),
					borders[i % BORDERS], (i / BORDERS / BORDERS) - 2,
					borders[i / BORDERS % BORDERS], 0, undefined[operation]);
	end_tally("MUL IMUL DIV IDIV at borders");
	ok(tally.by_vector[0] > 100, "DIV, IDIV: %u of them raise #DE", tally.by_vector[0]);
}

/* --- random cases ----------------------------------------------------------------------------- */

/* xorshift64*, so that a seed gives the same cases everywhere. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static void test_random(unsigned long seed, unsigned long cases)
{
	char what[64];
	unsigned long insns = 0;

	start_tally();
	for (unsigned long i = 0; i < cases; i++) {
		uint64_t state = (seed + i) * 0x9e3779b97f4a7c15 | 1;
		uint8_t bytes[BYTES_MAX];
		size_t len = 24 + next_random(&state) % (BYTES_MAX - 24);

		for (size_t at = 0; at < len; at++)
			bytes[at] = (uint8_t)(next_random(&state) >> 56);
		oracle_build(&test, bytes, len);
		insns += test.insn_count;
		snprintf(what, sizeof what, "ORACLE_SEED=%lu ORACLE_CASES=1", seed + i);
		compare(what);
	}
	printf("# seed %lu: %lu instructions, %u cases without an end\n", seed, insns,
		tally.endless);
	printf("# #DE %u, #DB %u, #UD %u, #GP %u, #PF %u\n", tally.by_vector[0], tally.by_vector[1],
		tally.by_vector[6], tally.by_vector[13], tally.by_vector[14]);
	end_tally("random code");
	ok(tally.endless * 50 <= cases, "random code: at most one case of 50 has no end");
	/* #DB and #UD are too rare to be in each run. */
	ok(cases < CASES_DEFAULT ||
			(tally.by_vector[0] && tally.by_vector[13] && tally.by_vector[14]),
		"random code: divide errors, protection and page faults are among them");
}

int main(void)
{
	unsigned long seed = number_of("ORACLE_SEED", (unsigned long)time(NULL) << 16);

	if (!oracle_native_is_there()) {
		ok(true, "# SKIP not x86-64");
		return tap_done();
	}
	soft = oracle_soft_new();
	if (!soft || oracle_native_open() != 0) {
		printf("Bail out! no memory at the addresses of the cases\n");
		return 1;
	}
	test_alu();
	test_unary();
	test_shifts();
	test_double_shifts();
	test_multiply();
	test_random(seed, number_of("ORACLE_CASES", CASES_DEFAULT));
	oracle_native_close();
	oracle_soft_free(soft);
	return tap_done();
}
