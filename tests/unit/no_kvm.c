/* SPDX-License-Identifier: BSD-2-Clause */
/* The KVM engine of hosts that are not x86, linked in place of the other one. */
#include "cpu/engine.h"

#include <errno.h>
#include <string.h>

#include "../capture.h"
#include "../tap.h"

int main(void)
{
	struct engine_setup setup = {.cpu_count = 1};
	struct engine *engine = (struct engine *)&setup;
	const char *reason = engine_kvm.absent();
	int err;

	ok(reason && strstr(reason, "x86"), "the host has no KVM, and why not");
	capture_begin();
	err = engine_kvm.open(&engine, &setup);
	ok(err == -ENOTSUP && strstr(capture_end(), "x86"), "it cannot be opened, with the reason");
	ok(!engine, "and nothing is left to free");
	ok(!engine_kvm.doctor(), "doctor: no guest can run with it");
	return tap_done();
}
