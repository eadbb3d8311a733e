/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>

#include "cpu/engine.h"
#include "error_text.h"
#include "exit_status.h"
#include "log.h"
#include "sandbox/sandbox.h"

/* What the user gets from `vole run`, by the speeds of the engines; 0: cannot run. */
static void conclude(double kvm, double soft)
{
	if (kvm > 0 && kvm >= soft)
		printf("\nvole can run here, with KVM.\n");
	else if (kvm > 0)
		printf("\nvole can run here, with KVM. But this KVM is the slower engine: --engine "
		       "soft "
		       "executes guest code\n%.0f times as fast.\n",
			soft / kvm);
	else if (soft > 0)
		printf("\nvole can run here, with its software CPU, which needs nothing of what "
		       "KVM lacks "
		       "above. KVM\nexecutes guest code faster.\n");
	else
		printf("\nvole cannot run here.\n");
}

int doctor(void)
{
	double kvm = engine_kvm.doctor(), soft = engine_soft.doctor();

	sandbox_doctor();
	conclude(kvm, soft);
	if (fflush(stdout) < 0 || ferror(stdout)) {
		say("standard output: %s", error_text(errno));
		return EXIT_STATUS_VOLE;
	}
	return kvm > 0 || soft > 0 ? 0 : EXIT_STATUS_VOLE;
}
