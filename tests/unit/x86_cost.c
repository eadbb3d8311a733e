/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes the host long ends x86_run() as a break does, wherever the cost arises. */
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

int main(void)
{
	static struct x86_code code;

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
