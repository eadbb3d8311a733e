/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The KVM engine of a vole for other hosts than x86, whose <linux/kvm.h> knows nothing of x86. It
 * is built instead of all else in this folder.
 */
#include <errno.h>
#include <stddef.h>

#include "cpu/engine.h"
#include "finding.h"
#include "log.h"

#define REASON "KVM executes x86 code on x86 hosts only"

static const char *no_kvm_absent(void)
{
	return REASON;
}

static int no_kvm_open(struct engine **engine, const struct engine_setup *setup)
{
	(void)setup;
	*engine = NULL;
	say(REASON);
	return -ENOTSUP;
}

static double no_kvm_doctor(void)
{
	finding(FINDING_MISSING, "KVM", REASON);
	return 0;
}

/* There is no engine to call the other functions with. */
const struct engine_ops engine_kvm = {
	.name = "kvm",
	.absent = no_kvm_absent,
	.open = no_kvm_open,
	.doctor = no_kvm_doctor,
};
