/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PORTS_H
#define VMM_PORTS_H

/*
 * The ports of the machine: which of them somebody answers is the board's and the user's choice.
 * Debug console, exit, CMOS and the PC's reset are answered here, others by their own files.
 */

#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vm;

/* An access to a port that somebody answers; vcpu->ctx is the struct vm. On the vCPU's thread. 0,
 * or -ENXIO if not to an access like this. */
typedef int vm_port_access(
	struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

struct vm_port {
	uint16_t port, count;
	vm_port_access *access;
};

#define PORTS_MAX 16

/* Fill vm->ports. After the devices. */
void ports_add(struct vm *vm);

/* An access to any port. 0, or -ENXIO if nobody answers it. */
vm_port_access ports_access;

#endif
