/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_VM_STATE_H
#define VMM_MACHINE_VM_STATE_H

/*
 * The state of a whole machine apart from memory: chips, CPUs, devices and what is under way
 * between them. setup.h has what the machine was made with.
 */

struct snapshot_stream;
struct vm;

/*
 * Writes the state to a stream. The CPUs are paused and the devices frozen (virtio_freeze()), or
 * served by this thread alone. I/O thread. Returns 0, or -errno (said).
 */
int vm_state_save(struct vm *vm, struct snapshot_stream *stream);

/* Has a machine that was made with the same setup go on from the state in a stream. Memory is
 * restored. I/O thread, before engine_ops.start(), or while the CPUs are paused and the devices
 * served by this thread alone. Returns 0, or -errno (said), after which the machine must not be
 * used; name is the stream's, for messages. */
int vm_state_restore(struct vm *vm, struct snapshot_stream *stream, const char *name);

#endif
