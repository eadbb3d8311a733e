/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/engine_choice.h"

#include <string.h>

const struct engine_ops *engine_choose(const char *name, const char **reason)
{
	*reason = NULL;
	if (strcmp(name, engine_kvm.name) == 0)
		return &engine_kvm;
	if (strcmp(name, engine_soft.name) == 0)
		return &engine_soft;
	if (strcmp(name, "auto") != 0)
		return NULL;
	*reason = engine_kvm.absent();
	return *reason ? &engine_soft : &engine_kvm;
}
