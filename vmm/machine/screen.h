/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SCREEN_H
#define VMM_SCREEN_H

/*
 * The screen of boards that have one in text mode: its registers at the ports of a VGA, and showing
 * it to the user.
 */

#include <stdbool.h>
#include <stdint.h>

#include "see/text.h"

struct cpu;
struct vm;

/* Handles an access to VGA_CRTC_INDEX, VGA_CRTC_DATA or VGA_INPUT_STATUS, as vm_port_access says. A
 * store of 16 bits to the index is one of index and data. */
int screen_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len);

/*
 * Prints what is on the screen to standard error, one line for each row up to the last one that is
 * not blank, each prefixed with "vole: ". Prints nothing if the board has no screen, nothing was
 * written to it, or --screen is off. Characters are UTF-8 if the environment names such a locale,
 * else ASCII. Guest code may run meanwhile, which then may be seen halfway through a line. Once
 * memory is loaded, on any thread.
 */
void screen_show(struct vm *vm);

/* Adds what the screen shows to text, or that there is none. While the machine stands. */
void screen_describe(struct vm *vm, struct text *text);

#endif
