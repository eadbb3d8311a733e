/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/branches.h"

#include <stdio.h>

#include "cpu/place.h"
#include "cpu/text_list.h"

/* The exception that a report is about may have been delivered already, as the last of the branches
 * or, if the handler has branched, before these. */
static unsigned count_up_to(
	const struct cpu_branch *branches, unsigned count, const struct cpu_registers *r)
{
	for (unsigned i = count; i > 0; i--)
		if (branches[i - 1].vector >= 0 && branches[i - 1].from == r->cs.base + r->rip)
			return i - 1;
	return count;
}

static void add(struct cpu *cpu, struct text_list *list, const struct cpu_branch *branch)
{
	struct place from = place_short(cpu, branch->from), to = place_short(cpu, branch->to);
	char item[TEXT_LIST_ITEM];

	if (branch->vector == CPU_BRANCH_INIT)
		snprintf(item, sizeof item, "%s reset by INIT -> %s", from.text, to.text);
	else if (branch->vector < 0)
		snprintf(item, sizeof item, "%s -> %s%s", from.text, to.text,
			branch->is_repeated ? " (repeated)" : "");
	else
		snprintf(item, sizeof item, "%s interrupted by 0x%x -> %s", from.text,
			(unsigned)branch->vector, to.text);
	text_list_add(list, item);
}

void branches_say(struct cpu *cpu, const struct cpu_registers *r)
{
	struct cpu_branch branches[CPU_BRANCHES];
	struct text_list list;
	unsigned count;

	if (!cpu->ops->branches)
		return;
	count = count_up_to(branches, cpu->ops->branches(cpu, branches), r);
	if (count == 0)
		return;
	text_list_begin(&list, "last branches:");
	for (unsigned i = 0; i < count; i++)
		add(cpu, &list, &branches[i]);
	text_list_end(&list);
}
