/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PLAN_H
#define VMM_PLAN_H

/*
 * What the machine is to have: what was asked for, or else what its board has. All of it is known
 * once vm->boot is open.
 */

#include <stdbool.h>

struct console_options;
struct vm;

/* The ports of the console device, 0: there is none; and whether it is one that
 * can have several. */
unsigned plan_console_count(const struct vm *vm);
const struct console_options *plan_console(const struct vm *vm, unsigned index);
bool plan_multiport(const struct vm *vm);

/* What is said of the console device where devices are listed. */
const char *plan_console_detail(const struct vm *vm);

/* Where the serial port is, as --serial says it; "none": nowhere. */
const char *plan_serial(const struct vm *vm);
bool plan_has_serial(const struct vm *vm);
bool plan_has_rng(const struct vm *vm);

/* Whether this board can have what was asked for? 0, or -EINVAL (said). */
int plan_validate(const struct vm *vm);

/* Chooses the engine that this host can run the machine with, for machine_run(). 0, or -EINVAL
 * (said) if it cannot. */
int plan_engine(struct vm *vm);

#endif
