/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_POWER_H
#define GUEST_POWER_H

#include <stdint.h>

/* Power the machine off; code becomes vole's exit status (0 to 119). Any CPU. */
void power_off(uint32_t code) __attribute__((noreturn));

/* Be ready to be saved (vole run --checkpoint); elsewhere nothing happens. Returns 0 in the machine
 * that called it. In one that goes on from there (vole clone), returns a number that differs from
 * that of other clones: who keeps random numbers draws new ones. */
uint32_t checkpoint(void);

#endif
