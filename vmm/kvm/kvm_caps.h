/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_KVM_CAPS_H
#define VMM_KVM_CAPS_H

/*
 * What vole asks of the host's KVM, in one list: `vole run` refuses to start without what it needs,
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

/* All of them; *count is their number. */
const struct kvm_capability *kvm_capabilities(size_t *count);

/* Whether a KVM, given by the fd of /dev/kvm, has this KVM_CAP_. Nothing is said. */
bool kvm_has(int kvm_fd, int number);

/*
 * Whether it has all that is needed. Costs about 4 us. What is missing is said on standard error by
 * name, each thing once.
 *   0
 *   -ENOTSUP  another API version, or a capability that is needed is not there
 *   -errno    it cannot be asked, for instance -ENOTTY: this is no KVM
 */
int kvm_check(int kvm_fd);

/* And what is KVM_NEEDED_BY_PC. 0, or -ENOTSUP (said by name). */
int kvm_check_pc(int kvm_fd);

#endif
