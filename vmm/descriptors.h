/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DESCRIPTORS_H
#define VMM_DESCRIPTORS_H

/* Closes all descriptors from first to last, both included, that are open. Returns 0 or -errno. Any
 * thread, also in a signal's handler. */
int descriptors_close(unsigned first, unsigned last);

#endif
