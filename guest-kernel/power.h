/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_POWER_H
#define GUEST_POWER_H

#include <stdint.h>

/* Power the machine off; code becomes vole's exit status (0 to 119). Any CPU. */
void power_off(uint32_t code) __attribute__((noreturn));

#endif
