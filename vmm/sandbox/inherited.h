/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_INHERITED_H
#define VMM_SANDBOX_INHERITED_H

/* Closes the descriptors that this process has inherited, but for the three standard ones. Those
 * are the ones without FD_CLOEXEC, which all that vole opens has. Returns 0 or -errno. */
int inherited_close(void);

#endif
