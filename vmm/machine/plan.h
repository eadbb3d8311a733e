/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PLAN_H
#define VMM_PLAN_H

/*
 * The plan of the machine: the devices that the user asked for, or else those that its board has by
 * default. It is complete once vm->boot is open.
 */

#include <stdbool.h>

struct console_options;
struct vm;

/* Returns the number of ports of the console device, 0 if there is no such device. */
unsigned plan_console_count(const struct vm *vm);

/* Returns the options of port index, below plan_console_count(). */
const struct console_options *plan_console(const struct vm *vm, unsigned index);

/* Returns whether the console device has MULTIPORT. */
bool plan_multiport(const struct vm *vm);

/* Returns the text about the console device for lists of devices. */
const char *plan_console_detail(const struct vm *vm);

/* Returns the host's end of the serial port, as --serial has it; "none" if it has none. */
const char *plan_serial(const struct vm *vm);
bool plan_has_serial(const struct vm *vm);
bool plan_has_rng(const struct vm *vm);

/* Validates that this board can have what the user asked for. Returns 0, or -EINVAL (said). */
int plan_validate(const struct vm *vm);

/* Chooses the engine that this host can run the machine with, for machine_run() and machine_show().
 * Returns 0, or -EINVAL (said) if it cannot. */
int plan_engine(struct vm *vm);

#endif
