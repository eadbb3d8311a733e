/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

/*
 * The serial port: a UART at a PC's ports and interrupt, and its host's end.
 */

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct vm;
struct vm_serial;

/* Undone by serial_free() whatever is returned. 0 or -errno (said). */
int serial_add(struct vm *vm);
void serial_free(struct vm_serial *serial);

/* A vm_port_access. */
int serial_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

#endif
