/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DOCTOR_SOFT_H
#define VMM_DOCTOR_SOFT_H

/* Says by finding() how fast the software CPU is here. Returns millions of guest
 * instructions a second, 0 if it does not work. */
double doctor_soft(void);

#endif
