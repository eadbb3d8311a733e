/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/rules.h"

#include <stdlib.h>
#include <string.h>

void rules_add(struct rules *rules, const struct rule *added, unsigned count)
{
	if (count > RULES_MAX - rules->count)
		abort();
	memcpy(rules->list + rules->count, added, count * sizeof *added);
	rules->count += count;
}

/* The descriptor first: rules for several requests on the same ones share that check. */
struct rule rule_ioctl(unsigned long request, int first, int last)
{
	return (struct rule){
		.number = __NR_ioctl,
		.checks = {{CHECK_WITHIN, 0, (uint32_t)first, (uint32_t)last},
			{CHECK_IS, 1, (uint32_t)request, 0}},
	};
}
