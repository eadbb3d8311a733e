/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

/*
 * Builds the machine, runs it and ends it. One struct vm (machine/vm.h) owns everything, and is
 * freed in the reverse order of its making. Its parts are in machine/, in the order in which they
 * are made: plan.h (which devices it will have), cpu_host.h (callbacks of its CPUs), signals.h,
 * devices.h (all devices), device.h (one virtio device), serial.h, ports.h, cpu_start.h, timers.h,
 * drain.h (the end).
 */

struct options;
struct process_start;

/*
 * Reads kernel and modules, or a checkpoint, builds the machine and runs it to its end. Returns the
 * exit status of vole; errors were said. Sets *signal to the signal that ended the machine, 0 if
 * none did. start is when the process began.
 */
int machine_run(const struct options *options, const struct process_start *start, int *signal);

/* Reads kernel and modules and prints the machine that machine_run() would build on standard
 * output, for `vole inspect`. Returns the exit status of vole. */
int machine_show(const struct options *options);

#endif
