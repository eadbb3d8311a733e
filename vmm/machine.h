/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

/*
 * The machine's life. One struct vm (machine/vm.h) owns everything, and is torn down in the reverse
 * order of its making. Its parts are in machine/, in the order in which they are made: plan.h (what
 * it is to have), cpu_host.h (what its CPUs ask of it), signals.h, devices.h (which there are),
 * device.h (how one is wired), serial.h, ports.h, cpu_start.h, timers.h, drain.h (its end).
 */

struct options;

/*
 * Reads kernel and modules, builds the machine and runs it to its end. Returns the exit status of
 * vole; what is wrong was said. *signal names the signal that ended the machine, 0 if none did.
 */
int machine_run(const struct options *options, int *signal);

/* Reads kernel and modules and prints the machine that machine_run() would build on standard
 * output, for `vole inspect`. Returns the exit status of vole. */
int machine_show(const struct options *options);

#endif
