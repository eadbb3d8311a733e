/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUEST_ERROR_H
#define GUEST_ERROR_H

/*
 * What the library's functions return, negated, when they cannot do what was asked; 0 or more is
 * success. The numbers are the usual ones.
 */

#define EIO     5  /* the device said so, or has failed */
#define ENOMEM  12 /* not enough free RAM */
#define EBUSY   16 /* in use already */
#define ENODEV  19 /* not there, or not what it should be */
#define EINVAL  22 /* out of range */
#define ENOSPC  28 /* the queue is full */
#define ENOTSUP 95 /* the device cannot do this */

#endif
