/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DOCTOR_SOFT_H
#define VMM_DOCTOR_SOFT_H

#include <stdbool.h>

/* Says by finding() how fast the software CPU is here. Returns whether guests can run with it. */
bool doctor_soft(void);

#endif
