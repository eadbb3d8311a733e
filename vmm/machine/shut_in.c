/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/shut_in.h"

#include <sys/mman.h>

#include "machine/keeper.h"
#include "machine/vm.h"
#include "sandbox/calls.h"
#include "sandbox/sandbox.h"

/* The serial port's and each console's. */
#define GRANTS_MAX (VIRTIO_CONSOLE_PORTS_MAX + 1)

/* A pseudo-terminal's other end is opened again to find out whether it has a reader. */
static void grant_pty(struct landlock_grant *grants, unsigned *count, const struct chardev *chardev)
{
	if (chardev->slave >= 0)
		grants[(*count)++] =
			(struct landlock_grant){chardev->slave, LANDLOCK_GRANT_TERMINAL};
}

int shut_in(struct vm *vm)
{
	struct landlock_grant grants[GRANTS_MAX];
	unsigned grant_count = 0;
	struct rules rules = {0};

	calls_add(&rules);
	if (keeper_is_open(vm))
		calls_add_keeper(&rules);
	if (vm->engine->ops->permit)
		vm->engine->ops->permit(vm->engine, &rules);
	grant_pty(grants, &grant_count, &vm->serial.chardev);
	for (unsigned i = 0; i < vm->console_count; i++)
		grant_pty(grants, &grant_count, &vm->consoles[i].chardev);
	/* A core of vole's own, should it crash, is for its developers. */
	if (vm->options->sandbox != SANDBOX_OFF)
		madvise(vm->memory.host, vm->memory.size, MADV_DONTDUMP);
	return sandbox_enter(vm->options->sandbox, &rules, grants, grant_count);
}
