/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MULTIBOOT_INFO_H
#define TESTS_MULTIBOOT_INFO_H

/* The test kernels read their boot information and print what it holds. */

#include <stdint.h>

/* Prints the information that a loader with this magic number in EAX left at info. Returns the
 * command line, or "" if there is none. */
const char *info_print(uint32_t magic, uint32_t info);

#endif
