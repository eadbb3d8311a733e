/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_WATCH_H
#define VMM_WATCH_H

/*
 * What the user asked to see of a running machine: the views, and the events that they read, which
 * are made here from what devices tell.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/sink.h"

struct cpu;
struct state;
struct cpu_exit;
struct options;
struct virtio_event;
struct virtio_report;
struct vm;
struct vm_device;

/* Returns whether the options name a view that sees exits of CPUs (watch_exit()). */
bool watch_sees_exits(const struct options *options);

/* Opens the views that the options name, and waits for the readers of FIFOs among their files.
 * Before devices are added. Returns 0 or -errno (said), also that by which the wait ended. */
int watch_open(struct vm *vm, struct sink_wait wait);

/* Closes them, if they are open. Once no CPU and no device's thread is running, or those do not
 * return. */
void watch_close(struct vm *vm);

/* A device's virtio_host_ops.event; ctx is its struct vm_device. */
void watch_event(void *ctx, const struct virtio_event *event);

/* The exit log's watch(): shows views an exit of a CPU. */
void watch_exit(struct cpu *cpu, const struct cpu_exit *exit, bool is_end);

/* Handles an access to VOLE_PORT_MARK, a vm_port_access. */
int watch_mark_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

/* Shows views what the machine waits for. No device's lock is held. */
void watch_look(struct vm *vm, const struct state *state);

/* cpu_host.watched. */
void watch_access(struct cpu *cpu, uint64_t gpa, unsigned len, bool is_write, bool is_ordered);

/* Shows views what a device reports, and waits until readers have what they were shown before it.
 * The device's lock is held. */
void watch_report(struct vm_device *device, const struct virtio_report *report);

#endif
