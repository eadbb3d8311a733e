/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SHUT_IN_H
#define VMM_SHUT_IN_H

struct vm;

/* Shuts vole in, as --sandbox says: with what this machine needs from here on, and nothing else.
 * Called when all files and descriptors are open, before the first thread is made. Returns 0 or
 * -errno (said). */
int shut_in(struct vm *vm);

#endif
