/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_CAPS_H
#define VMM_KVM_CAPS_H

/*
 * The list of KVM capabilities that vole uses: `vole run` refuses to start without those it needs,
 * `vole doctor` goes through it line by line (KVM API 4.4, KVM_CHECK_EXTENSION).
 */

#include <stdbool.h>
#include <stddef.h>

enum kvm_need {
	KVM_NEEDED,
	KVM_NEEDED_BY_PC, /* by boards with the interrupt controllers of a PC: Linux, firmware */
	KVM_OPTIONAL,
};

struct kvm_capability {
	const char *name; /* as in <linux/kvm.h> */
	const char *use;  /* what vole does with it */
	int number;
	enum kvm_need need;
};

/* Returns all capabilities and sets *count to their number. */
const struct kvm_capability *kvm_capabilities(size_t *count);

/* Returns whether a KVM, given by the descriptor of /dev/kvm, has the KVM_CAP_ of this number. */
bool kvm_has(int kvm_fd, int number);

/*
 * Checks that a KVM has all capabilities that are KVM_NEEDED, which takes about 4 us. Each one that
 * is missing is said on standard error by name.
 *   0         it has them
 *   -ENOTSUP  another API version, or a capability that is needed is not there
 *   -errno    it cannot be asked, for instance -ENOTTY: this is no KVM
 */
int kvm_check(int kvm_fd);

/* Checks that a KVM has all capabilities that are KVM_NEEDED_BY_PC. Returns 0, or -ENOTSUP (said by
 * name). */
int kvm_check_pc(int kvm_fd);

#endif
