/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/plan.h"

#include <errno.h>
#include <string.h>

#include <vole/ports.h>

#include "chips/cmos.h"
#include "chips/i8042.h"
#include "chips/uart.h"
#include "chips/vga_text.h"
#include "cpu/engine_choice.h"
#include "layout.h"
#include "log.h"
#include "machine/vm.h"

static bool is_stdio(const char *text)
{
	return text && strcmp(text, "stdio") == 0;
}

static bool console_is_stdio(const struct options *options)
{
	for (unsigned i = 0; i < options->console_count; i++)
		if (is_stdio(options->consoles[i].host))
			return true;
	return false;
}

/* What was asked for, or else what the board has; what it has makes room for what was asked for. */
unsigned plan_console_count(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->console_count > 0)
		return strcmp(options->consoles[0].host, "none") == 0 ? 0 : options->console_count;
	return vm->boot->protocol->board.console && !is_stdio(options->serial);
}

const struct console_options *plan_console(const struct vm *vm, unsigned index)
{
	static const struct console_options usual = {.host = "stdio"};

	return vm->options->console_count > 0 ? &vm->options->consoles[index] : &usual;
}

const char *plan_console_detail(const struct vm *vm)
{
	return plan_console_count(vm) == 1 ? plan_console(vm, 0)->host : "of several ports";
}

bool plan_multiport(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->multiport != MULTIPORT_LEFT_OUT)
		return options->multiport == MULTIPORT_ON;
	return options->console_count > 1 ||
	       (options->console_count == 1 && options->consoles[0].name);
}

const char *plan_serial(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->serial)
		return options->serial;
	return vm->boot->protocol->board.serial && !console_is_stdio(options) ? "stdio" : "none";
}

bool plan_has_serial(const struct vm *vm)
{
	return strcmp(plan_serial(vm), "none") != 0;
}

bool plan_has_rng(const struct vm *vm)
{
	if (vm->options->rng == RNG_LEFT_OUT)
		return vm->boot->protocol->board.rng;
	return vm->options->rng == RNG_PRESENT;
}

static int refuse_console(const struct console_options *console, const char *why)
{
	say("--console %s%s%s: %s", console->host, console->name ? ",name=" : "",
		console->name ? console->name : "", why);
	return -EINVAL;
}

/* One of several consoles, against those before it. */
static int validate_console(const struct options *options, unsigned index)
{
	const struct console_options *console = &options->consoles[index];

	for (unsigned i = 0; i < index; i++) {
		const struct console_options *other = &options->consoles[i];

		if (is_stdio(console->host) && is_stdio(other->host))
			return refuse_console(
				console, "only one can be on standard input and output");
		if (console->name && other->name && strcmp(console->name, other->name) == 0)
			return refuse_console(console, "another has the same name");
		if (strcmp(console->host, "none") == 0 || strcmp(other->host, "none") == 0)
			return refuse_console(
				console, "none cannot be combined with other consoles");
	}
	if (options->multiport == MULTIPORT_OFF && (console->name || options->console_count > 1))
		return refuse_console(console, "not without multiport");
	return 0;
}

static int validate_consoles(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->options->console_count; i++) {
		int ret = validate_console(vm->options, i);

		if (ret < 0)
			return ret;
	}
	if (!console_is_stdio(vm->options) || !is_stdio(plan_serial(vm)))
		return 0;
	say("--console stdio and --serial stdio: only one can be on standard input and output");
	return -EINVAL;
}

static int validate_devices(const struct vm *vm)
{
	const struct options *options = vm->options;
	const char *protocol = vm->boot->protocol->name;
	bool has_console = plan_console_count(vm) > 0;
	unsigned count = has_console + plan_has_rng(vm) + options->disk_count;
	unsigned max = vm->boot->protocol->board.device_max;

	if (max == 0 && (options->features.on | options->features.off)) {
		say("--virtio: --boot %s has no devices", protocol);
		return -EINVAL;
	}
	if (count <= max)
		return 0;
	if (max > 0)
		say("--boot %s: %u devices, of at most %u", protocol, count, max);
	else if (has_console)
		say("--console %s: --boot %s has no devices", plan_console(vm, 0)->host, protocol);
	else if (plan_has_rng(vm))
		say("--rng %s%s: --boot %s has no devices", options->rng_file ? "file=" : "host",
			options->rng_file ? options->rng_file : "", protocol);
	else
		say("--disk %s: --boot %s has no devices", options->disks[0].path, protocol);
	return -EINVAL;
}

/* Returns whether the machine has this port for something else than the debug console, interrupt
 * controllers and timers. */
static bool has_other_port(const struct vm *vm, uint16_t port)
{
	const struct board *board = &vm->boot->protocol->board;
	const struct {
		bool present;
		uint16_t first, count;
	} ranges[] = {
		{board->exit_port, VOLE_PORT_EXIT, 1},
		{board->cpu_port, VOLE_PORT_CPU, 1},
		{board->mark_port, VOLE_PORT_MARK, 1},
		{board->checkpoint_port, VOLE_PORT_CHECKPOINT, 1},
		{board->exception_port, VOLE_PORT_EXCEPTION, 1},
		{board->keyboard, I8042_DATA, 1},
		{board->keyboard || board->reset, I8042_STATUS, 1},
		{board->reset, RESET_PORT, 1},
		{board->screen, VGA_CRTC_INDEX, 2},
		{board->screen, VGA_INPUT_STATUS, 1},
		{plan_has_serial(vm), SERIAL_PORT, UART_REGISTERS},
		{board->cmos, CMOS_INDEX, 2},
	};

	for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (ranges[i].present && port >= ranges[i].first &&
			port - ranges[i].first < ranges[i].count)
			return true;
	return false;
}

static int validate_debug_port(const struct vm *vm)
{
	const struct options *options = vm->options;
	const struct board *board = &vm->boot->protocol->board;

	if (!options->has_debug_port)
		return 0;
	if (has_other_port(vm, options->debug_port)) {
		say("--debug-port 0x%x: --boot %s has another port there; 0x%x is usual",
			options->debug_port, vm->boot->protocol->name,
			board->debug_port ? board->debug_port_number : VOLE_PORT_DEBUG);
		return -EINVAL;
	}
	if (!engine_answers_port(board->irqchip, options->debug_port))
		return 0;
	say("--debug-port 0x%x: taken by an interrupt controller or the timer of --boot %s",
		options->debug_port, vm->boot->protocol->name);
	return -EINVAL;
}

static int refuse_software_cpu(const struct vm *vm)
{
	say("%s: a guest of --boot %s uses %s, which the software CPU does not have; run it with "
	    "--engine kvm on a host that has /dev/kvm",
		vm->options->kernel, vm->boot->protocol->name, vm->boot->protocol->board.lacking);
	return -EINVAL;
}

/* Returns what was asked for that the software CPU alone has, and what is wrong with KVM there;
 * NULL if there is no such thing. */
static const char *needs_software_cpu(const struct options *options)
{
	if (options->record)
		return "--record: KVM does not tell after how many instructions something comes";
	if (options->clock == ENGINE_CLOCK_VIRTUAL)
		return "--clock virtual: with KVM time is the host's";
	if (options->last > 0)
		return "--last: KVM does not tell which instructions it executes";
	if (options->coverage)
		return "--coverage: KVM does not tell which instructions it executes";
	return NULL;
}

/* Whether what was asked for goes together, whatever this host has. What the software CPU alone has
 * asks for it. */
static int validate_engine(const struct vm *vm)
{
	const struct options *options = vm->options;
	const char *need = needs_software_cpu(options);
	bool is_soft = need || strcmp(options->engine, engine_soft.name) == 0;

	if (need && strcmp(options->engine, engine_kvm.name) == 0) {
		say("%s; take --engine soft", need);
		return -EINVAL;
	}
	return is_soft && vm->boot->protocol->board.lacking ? refuse_software_cpu(vm) : 0;
}

int plan_validate(const struct vm *vm)
{
	int ret = validate_consoles(vm);

	if (ret == 0)
		ret = validate_devices(vm);
	if (ret == 0)
		ret = validate_debug_port(vm);
	if (ret == 0)
		ret = validate_engine(vm);
	return ret;
}

int plan_engine(struct vm *vm)
{
	const struct options *options = vm->options;
	if (needs_software_cpu(options))
		vm->engine_ops = &engine_soft;
	else
		vm->engine_ops = engine_choose(options->engine, &vm->no_kvm);
	if (vm->engine_ops == &engine_soft && vm->boot->protocol->board.lacking)
		return refuse_software_cpu(vm);
	if ((options->checkpoint.path || vm->clone) && !vm->engine_ops->transfer) {
		say("%s: a machine of --engine %s cannot be saved; take --engine soft",
			options->checkpoint.path ? options->checkpoint.path : options->kernel,
			vm->engine_ops->name);
		return -EINVAL;
	}
	return 0;
}
