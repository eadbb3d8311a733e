/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PC_KEYBOARD_H
#define VMM_PC_KEYBOARD_H

/*
 * The keyboard controller of boards that have one, at its ports and its interrupt.
 */

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct vm;

/* Makes the controller. Returns 0 or -errno (said). The caller calls pc_keyboard_free() whatever is
 * returned. */
int pc_keyboard_add(struct vm *vm);
void pc_keyboard_free(struct vm *vm);

/* Handles an access to I8042_DATA or I8042_STATUS, as vm_port_access says. */
int pc_keyboard_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

#endif
