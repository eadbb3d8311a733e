/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_CHECKPOINT_H
#define VMM_MACHINE_CHECKPOINT_H

/*
 * `--checkpoint`: the machine is saved to a file once, when the guest asks for it by
 * VOLE_PORT_CHECKPOINT or at a time that the user has given. Then it ends with status 0, or goes
 * on.
 */

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct vm;

/* Opens the file, if the user wants one, and makes what wakes the I/O thread. Returns 0 or -errno
 * (said). checkpoint_close() undoes it, in any state. */
int checkpoint_open(struct vm *vm);
void checkpoint_close(struct vm *vm);

/* Sets the timer for a time by the host's clock. Called before engine_ops.start(). Returns 0 or
 * -errno (said). */
int checkpoint_begin(struct vm *vm);

/* Takes the checkpoint if it is due. I/O thread, between two calls of engine_ops.run(). */
void checkpoint_look(struct vm *vm);

/* Says that the machine has ended without a checkpoint, if one was wanted. */
void checkpoint_say_missing(const struct vm *vm);

/* Handles an access to VOLE_PORT_CHECKPOINT, a vm_port_access. */
int checkpoint_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

#endif
