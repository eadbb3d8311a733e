/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu/engine.h"
#include "exit_status.h"
#include "log.h"

static const char *conclusion(bool kvm, bool soft)
{
	if (kvm)
		return "vole can run here, with KVM.";
	if (soft)
		return "vole can run here, with its software CPU. What is missing above is missing "
		       "for "
		       "KVM alone,\nwhich executes guest code faster.";
	return "vole cannot run here.";
}

int doctor(void)
{
	bool kvm = engine_kvm.doctor();
	bool soft = engine_soft.doctor();

	printf("\n%s\n", conclusion(kvm, soft));
	if (fflush(stdout) < 0 || ferror(stdout)) {
		say("standard output: %s", strerror(errno));
		return EXIT_STATUS_VOLE;
	}
	return kvm || soft ? 0 : EXIT_STATUS_VOLE;
}
