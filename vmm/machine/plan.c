/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/plan.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "machine.h"

static bool is_stdio(const char *text)
{
	return text && strcmp(text, "stdio") == 0;
}

/* What was asked for, or else what the board has; what it has makes room for what was asked for. */
const char *plan_console(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->console)
		return options->console;
	return vm->boot->protocol->board.console && !is_stdio(options->serial) ? "stdio" : "none";
}

const char *plan_serial(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->serial)
		return options->serial;
	return vm->boot->protocol->board.serial && !is_stdio(options->console) ? "stdio" : "none";
}

bool plan_has_console(const struct vm *vm)
{
	return strcmp(plan_console(vm), "none") != 0;
}

bool plan_has_serial(const struct vm *vm)
{
	return strcmp(plan_serial(vm), "none") != 0;
}

bool plan_has_rng(const struct vm *vm)
{
	if (vm->options->rng == RNG_LEFT_OUT)
		return vm->boot->protocol->board.device_max > 0;
	return vm->options->rng == RNG_HOST;
}

static int judge_devices(const struct vm *vm)
{
	const struct options *options = vm->options;
	const char *protocol = vm->boot->protocol->name;
	unsigned count = plan_has_console(vm) + plan_has_rng(vm) + options->disk_count;
	unsigned max = vm->boot->protocol->board.device_max;

	if (is_stdio(plan_console(vm)) && is_stdio(plan_serial(vm))) {
		say("--console stdio and --serial stdio: only one can be on standard input and "
		    "output");
		return -EINVAL;
	}
	if (count <= max)
		return 0;
	if (max > 0)
		say("--boot %s: %u devices, of at most %u", protocol, count, max);
	else if (plan_has_console(vm))
		say("--console %s: --boot %s has no devices", options->console, protocol);
	else if (plan_has_rng(vm))
		say("--rng host: --boot %s has no devices", protocol);
	else
		say("--disk %s: --boot %s has no devices", options->disks[0].path, protocol);
	return -EINVAL;
}

/* KVM answers these itself on a board with all of its interrupt controllers and its timer: vole
 * would never hear of them (two PICs, their trigger modes, PIT and its gate). */
static bool is_kvm_port(const struct board *board, uint16_t port)
{
	static const uint16_t ports[] = {
		0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61};

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		if (board->irqchip == BOARD_PC_IRQCHIP && port == ports[i])
			return true;
	return false;
}

static int judge_debug_port(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (!options->has_debug_port ||
		!is_kvm_port(&vm->boot->protocol->board, options->debug_port))
		return 0;
	say("--debug-port 0x%x: taken by an interrupt controller or the timer of --boot %s",
		options->debug_port, vm->boot->protocol->name);
	return -EINVAL;
}

int plan_judge(const struct vm *vm)
{
	int ret = judge_devices(vm);

	return ret < 0 ? ret : judge_debug_port(vm);
}
