/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RECORDING_H
#define VMM_RECORDING_H

/*
 * Runs that can be repeated: `vole run --record` and `vole replay`. Between the devices and their
 * back ends is the outside (replay/outside.h). The engine executes turns; between two of them, at a
 * known position of the run, devices that were kicked are served, and what came from outside is
 * taken: so nothing that the guest sees depends on when the host did something.
 *
 * I/O thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "machine/recording_state.h"

struct vm;
struct vm_kick;

/* Prepares to record, or reads a record and completes vm->options from it; does nothing if the user
 * wants neither. First of all. Returns 0 or -errno (said). recording_close() undoes it. */
int recording_open(struct vm *vm);

/* Validates the files that were named against the record, or notes what they are: kernel and
 * modules before they are loaded, and disks, which are open. Returns 0 or -errno (said). */
int recording_identify_files(struct vm *vm);
int recording_identify_disks(struct vm *vm);

/* Opens the file to be written. Once disks, kernel and modules are locked. 0 or -errno (said). */
int recording_create(struct vm *vm);

/* Puts a back end behind the outside, if there is one. Returns what the device gets. */
struct console_backend *recording_port(
	struct vm *vm, unsigned number, struct console_backend *backend);
struct rng_backend *recording_entropy(struct vm *vm, struct rng_backend *backend);
struct block_backend *recording_disk(struct vm *vm, unsigned number, struct block_backend *backend);

/* The number of the serial port among the outside's ports. */
#define RECORDING_SERIAL (OUTSIDE_PORTS - 1)

/* A queue was kicked: it is served once the turn is over. */
void recording_kicked(struct vm *vm, struct vm_kick *kick);

/* Returns whether there is such a queue. */
bool recording_is_kicked(const struct vm *vm);

/* Begins to write, before guest code is executed. Returns 0 or -errno (said). */
int recording_begin(struct vm *vm);

/* Executes guest code, as io_work. */
int64_t recording_run(struct vm *vm);

/* No guest code is executed any more. */
void recording_stopped(struct vm *vm);

/* Returns whether entries wait for the file: those that its sink has no room for, and once the
 * machine has ended, all. Says it once, if it takes long. No guest code is executed meanwhile. */
bool recording_waits(struct vm *vm);

/* The machine has ended, with all its output: ends the record, or the replay, which it says.
 * Nothing is noted any more. */
void recording_end(struct vm *vm);

/* The record has been waited for: closes it, and says what became of it. */
void recording_finish(struct vm *vm);

void recording_close(struct vm *vm);

#endif
