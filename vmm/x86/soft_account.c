/* SPDX-License-Identifier: BSD-2-Clause */
/* The accounts of the software engine, as engine_ops and struct cpu_account want them. */
#include <string.h>

#include "container.h"
#include "x86/account.h"
#include "x86/soft.h"

static void on_sample(void *ctx, struct x86_cpu *x86, uint64_t instructions)
{
	struct soft_engine *engine = ctx;

	engine->account_wanted.sample(&engine->cpus[x86->id].cpu, instructions);
}

int soft_account_init(struct soft_engine *engine, const struct cpu_account *wanted, unsigned count)
{
	int ret;

	if (!wanted || cpu_account_is_empty(wanted))
		return 0;
	engine->account_wanted = *wanted;
	ret = x86_account_init(&engine->account, wanted, count);
	engine->account.sample = on_sample;
	engine->account.ctx = engine;
	engine->system.account = ret == 0 ? &engine->account : NULL;
	return ret;
}

void soft_account_end(struct soft_engine *engine)
{
	for (unsigned i = 0; engine->system.account && i < engine->system.cpu_count; i++)
		x86_account_end(&engine->system.cpus[i]);
}

unsigned soft_last(struct engine *base, unsigned id, const struct cpu_step **steps)
{
	struct soft_engine *engine = container_of(base, struct soft_engine, engine);

	if (!engine->system.account)
		return 0;
	*steps = engine->account.cpus[id].last.steps;
	return engine->account.cpus[id].last.step_count;
}

uint64_t soft_counts(struct engine *base,
	void (*each)(void *ctx, uint64_t address, uint64_t executions), void *ctx)
{
	struct soft_engine *engine = container_of(base, struct soft_engine, engine);
	const struct x86_counts *counts = &engine->account.counts;

	for (size_t i = 0; i < counts->size; i++)
		if (counts->entries[i].count != 0)
			each(ctx, counts->entries[i].address, counts->entries[i].count);
	return counts->others;
}
