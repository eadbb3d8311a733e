/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu/engine.h"
#include "exit_status.h"
#include "log.h"

int doctor(void)
{
	bool works = engine_kvm.doctor();

	printf("\n%s\n", works ? "vole can run here." : "vole cannot run here.");
	if (fflush(stdout) < 0 || ferror(stdout)) {
		say("standard output: %s", strerror(errno));
		return EXIT_STATUS_VOLE;
	}
	return works ? 0 : EXIT_STATUS_VOLE;
}
