/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/pc_keyboard.h"

#include <errno.h>

#include "error_text.h"
#include "log.h"
#include "machine/vm.h"

static void raise_interrupt(void *ctx)
{
	struct vm *vm = ctx;

	vm->engine->ops->raise(vm->engine, I8042_IRQ);
}

static void reset_machine(void *ctx)
{
	vm_end(ctx, 0);
}

int pc_keyboard_add(struct vm *vm)
{
	int ret = i8042_init(&vm->keyboard.controller, raise_interrupt, reset_machine, vm);

	if (ret < 0) {
		say("keyboard controller: %s", error_text(-ret));
		return ret;
	}
	vm->keyboard.present = true;
	return vm->engine->ops->connect(vm->engine, I8042_IRQ);
}

void pc_keyboard_free(struct vm *vm)
{
	if (vm->keyboard.present)
		i8042_free(&vm->keyboard.controller);
}

int pc_keyboard_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	if (len != 1)
		return -ENXIO;
	if (is_write)
		i8042_write(&vm->keyboard.controller, port, *data);
	else
		*data = i8042_read(&vm->keyboard.controller, port);
	return 0;
}
