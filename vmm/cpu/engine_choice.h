/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ENGINE_CHOICE_H
#define VMM_ENGINE_CHOICE_H

#include "cpu/engine.h"

/*
 * Chooses an engine by the name that --engine has: "kvm", "soft", or "auto": KVM where this host
 * has it. If auto chose another, *reason is set to why this host has no KVM, in the host's words,
 * else to NULL. Returns NULL if there is no engine of this name.
 */
const struct engine_ops *engine_choose(const char *name, const char **reason);

#endif
