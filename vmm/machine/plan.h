/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PLAN_H
#define VMM_PLAN_H

/*
 * What the machine is to have: what was asked for, or else what its board has. All of it is known
 * once vm->boot is open.
 */

#include <stdbool.h>

struct vm;

/* Where the console device and the serial port are, as --console and --serial say it; "none":
 * nowhere. */
const char *plan_console(const struct vm *vm);
const char *plan_serial(const struct vm *vm);

bool plan_has_console(const struct vm *vm);
bool plan_has_serial(const struct vm *vm);
bool plan_has_rng(const struct vm *vm);

/* Can this board have what was asked for? 0, or -EINVAL (said). */
int plan_judge(const struct vm *vm);

#endif
