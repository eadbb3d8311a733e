/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VERSION_H
#define VMM_VERSION_H

#define VOLE_VERSION "0.1"

#endif
