/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_COUNTERS_H
#define VMM_COUNTERS_H

/*
 * KVM's own counters of a VM or a vCPU (KVM API 4.133, KVM_GET_STATS_FD). A descriptor of them is
 * opened before the sandbox is closed, and read at the end.
 */

#include <stdint.h>

/* Opens the counters of a VM's or vCPU's descriptor, where KVM has KVM_CAP_BINARY_STATS_FD. Returns
 * a descriptor, which the caller closes, or -errno (said). */
int kvm_counters_open(int fd);

/* Calls each() for each counter, with one value, or those of a histogram. fd < 0: there are none.
 * A counter that cannot be read is left out. */
void kvm_counters_read(int fd, int cpu,
	void (*each)(void *ctx, int cpu, const char *name, const uint64_t *values, unsigned count),
	void *ctx);

#endif
