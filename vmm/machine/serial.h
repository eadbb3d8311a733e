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

/* Makes the serial port and its host's end. Returns 0 or -errno (said). The caller calls
 * serial_free() whatever is returned. */
int serial_add(struct vm *vm);
void serial_free(struct vm_serial *serial);

/* Handles an access to the serial port, as vm_port_access says. */
int serial_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

#endif
