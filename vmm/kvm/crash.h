/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CRASH_H
#define VMM_CRASH_H

/*
 * What is said when a guest crashes: what happened, where by symbol, the registers, and the bytes
 * of the instruction. Each function reports on standard error and ends the machine with
 * EXIT_STATUS_CRASH. On the vCPU's thread, after KVM_RUN returned.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kvm/vcpu.h"

/* An exception while an exception could not be delivered (Intel SDM 3, 6.15, interrupt 8). */
void crash_triple_fault(struct vcpu *vcpu);

/* An instruction that this host's KVM cannot run, or one where there is no memory. */
void crash_instruction(struct vcpu *vcpu);

/* An access that nothing answered (error -ENXIO), or a store to read-only memory (-EROFS). */
void crash_mmio(struct vcpu *vcpu, uint64_t address, bool write, const uint8_t *data, unsigned len,
	int error);
void crash_port(struct vcpu *vcpu, uint16_t port, bool write, const uint8_t *data, unsigned len);

#endif
