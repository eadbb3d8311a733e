/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CORE_FILE_H
#define VMM_CORE_FILE_H

/*
 * The file of --core: an ELF core file of the machine (see/core.h), written when the guest has
 * crashed, when time is over, and with each report of the machine's state that the user asks for.
 * Whatever becomes of the file, the machine and its exit status stay as they are. results.c opens
 * and closes it. I/O thread.
 */

#include <stdbool.h>

struct vm;

/* Writes the file, over what an earlier call has written, and says so, or why it could not be
 * written. Between engine_ops.pause() and resume(), or after stop(). Returns whether it is written.
 */
bool core_file_write(struct vm *vm);

/* Writes a core to a new file. When core_file_write() may be called. Returns 0 or -errno (not
 * said): -EEXIST if there is such a file. */
int core_file_save(struct vm *vm, const char *path);

#endif
