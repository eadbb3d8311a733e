/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EXIT_STATUS_H
#define VMM_EXIT_STATUS_H

/* Exit statuses of vole; 0 to 119 are the guest's own, 120 and 121 are kept for later. */
#define EXIT_STATUS_GUEST_MAX 119
#define EXIT_STATUS_SANDBOX   122 /* a system call that the sandbox forbids */
#define EXIT_STATUS_CHECK     123 /* --check virtio,fatal: a driver broke a rule */
#define EXIT_STATUS_TIMEOUT   124
#define EXIT_STATUS_VOLE      125 /* vole itself could not do what was asked */
#define EXIT_STATUS_CRASH     126 /* the guest crashed */
#define EXIT_STATUS_KERNEL    127 /* the kernel could not be loaded */

#endif
