/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RAM_ADVICE_H
#define VMM_RAM_ADVICE_H

/* Messages about an image that does not fit into RAM end with advice, which is made here. */

#include <stdint.h>

#define RAM_ADVICE_SIZE 48

/* Writes to text which --memory gives RAM up to end, a guest-physical address, in whole MiB; or
 * that no machine has so much. Returns text. */
const char *ram_advice(char text[RAM_ADVICE_SIZE], uint64_t end);

/* Returns what to say to the author of a kernel whose lowest segment is at first, if that is the
 * default address of linkers for i386 programs (System V ABI for i386, 5.1), where a kernel hardly
 * ever means to be; else "". */
const char *link_advice(uint32_t first);

#endif
