/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MULTIBOOT_PAGING_H
#define TESTS_MULTIBOOT_PAGING_H

/* Turns paging on with the first 4 MiB mapped at 0 and at 3 GiB, executes code at the latter, and
 * says so. */
void continue_in_higher_half(void);

#endif
