/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_FILTER_H
#define VMM_SANDBOX_FILTER_H

/*
 * Assembles a list of rules into a program of classic BPF, as seccomp(2) takes it.
 *
 * Installing a program costs time by its length, since the kernel compiles it, and by the way
 * through it, since the kernel runs it once for each call number to learn which calls are permitted
 * whatever their arguments are. So the program is a binary tree of spans of numbers, and rules for
 * one number share what they can.
 */

#include <linux/filter.h>
#include <stdint.h>

#include "sandbox/rules.h"

#define FILTER_MAX 1024 /* instructions */

struct filter {
	unsigned len;
	struct sock_filter code[FILTER_MAX];
};

/*
 * Assembles rules. Of several for one call the first one is tried first. A forbidden call has the
 * result `forbidden`, a SECCOMP_RET_ value; so has a call of another architecture's numbers. Calls
 * that are made by the instruction before exempt are permitted; NULL: there is no such instruction.
 */
void filter_assemble(
	struct filter *filter, const struct rules *rules, uint32_t forbidden, const void *exempt);

#endif
