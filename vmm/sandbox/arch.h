/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_ARCH_H
#define VMM_SANDBOX_ARCH_H

/*
 * What the sandbox has to know of the host's processor: SANDBOX_ARCH is the AUDIT_ARCH_ value of
 * its system calls. It is not defined where the lists of calls were not tried, nor for a build with
 * sanitizers, whose run-time libraries make calls of their own; there is no sandbox then.
 */

#include <linux/audit.h>

#if defined(SANITIZED)
#elif defined(__x86_64__) && defined(__LP64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__) && defined(__AARCH64EL__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

#endif
