/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CORE_FILE_H
#define VMM_CORE_FILE_H

/*
 * The file of --core: an ELF core file of the machine (see/core.h), written when the guest has
 * crashed, when time is over, and with each report of the machine's state that the user asks for.
 * Whatever becomes of the file, the machine and its exit status stay as they are. I/O thread.
 */

struct vm;

/* Opens the file, if the user wants one, or says why there will be none. Before the guest's first
 * instruction, while the other files that this run uses are locked. core_file_close() undoes it in
 * any state, and removes a file that this run has made and not written. */
void core_file_open(struct vm *vm);
void core_file_close(struct vm *vm);

/* Writes the file, over what an earlier call has written, and says so, or why it could not be
 * written. Between engine_ops.pause() and resume(), or after stop(). */
void core_file_write(struct vm *vm);

/* Writes a core to a new file. When core_file_write() may be called. Returns 0 or -errno (not said):
 * -EEXIST if there is such a file. */
int core_file_save(struct vm *vm, const char *path);

#endif
