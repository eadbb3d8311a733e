/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAST_RESORT_H
#define VMM_LAST_RESORT_H

/*
 * The last resort against a host's disk that does not return, for engines that execute guest code
 * on the I/O thread, which serves the disks too. A thread sees that a signal or the time-out asks
 * for the end, and that the I/O thread does not heed it for some seconds, or does not come to the
 * end; then it removes what would outlive the process, and ends it. The terminal is restored by its
 * guard (io/terminal.h). While vm_last_resort.is_excused, the I/O thread is not taken for stuck.
 */

struct vm;

/* last_resort_open() prepares the thread if this machine needs it: after signals_open() and
 * timers_open(). last_resort_start() starts it, if it is prepared. Both return 0 or -errno (said).
 * The caller calls last_resort_close() whatever is returned, before it closes the signals, the
 * timers or the consoles. */
int last_resort_open(struct vm *vm);
int last_resort_start(struct vm *vm);
void last_resort_close(struct vm *vm);

#endif
