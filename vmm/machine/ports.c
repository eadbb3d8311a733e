/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/ports.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vole/ports.h>

#include "error_text.h"
#include "exit_status.h"
#include "line.h"
#include "log.h"
#include "machine/checkpoint.h"
#include "machine/cpu_start.h"
#include "machine/exception.h"
#include "machine/measure.h"
#include "machine/pc_keyboard.h"
#include "machine/recording.h"
#include "machine/screen.h"
#include "machine/serial.h"
#include "machine/vm.h"
#include "machine/watch.h"

/* A PC is reset by writes of these values to I8042_STATUS and RESET_PORT; KEYBOARD_BUSY is a bit of
 * what the former reads. */
#define KEYBOARD_BUSY  0x02
#define KEYBOARD_RESET 0xfe
#define CHIPSET_RESET  0x04

/* Waits until standard output accepts a byte. An engine that executes guest code on the I/O thread
 * has signals and the time-out served meanwhile, and the devices if its clock is the host's.
 * Returns false if the machine is ending, or it is worth another look. */
static bool wait_for_output(struct vm *vm)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if (vm->engine->ops->run)
		return io_loop_wait_writable(&vm->loop, STDOUT_FILENO, vm_is_virtual(vm)) &&
		       vm_running(vm);
	poll(&out, 1, -1);
	return vm_running(vm);
}

/* Writes a byte to standard output, and waits for it unless vole writes its lines there too.
 * Returns 1, 0 or -errno. */
static ssize_t put_byte(const uint8_t *byte)
{
	const struct iovec iov = {(void *)byte, 1};
	ssize_t n;

	if (line_is_shared())
		return line_write_guest(STDOUT_FILENO, &iov, 1);
	n = write(STDOUT_FILENO, byte, 1);
	return n < 0 ? -errno : n;
}

/* The debug console: standard output, byte by byte, so that a crash loses nothing. With a thread
 * per CPU it may block this one; the signal that stops the thread ends the wait. */
static void write_debug(struct vm *vm, const uint8_t *byte)
{
	bool must_wait = vm->engine->ops->run;

	if (vm->recording && !outside_debug_byte(&vm->recording->outside))
		return;

	for (unsigned i = 0; i < vm->console_count; i++)
		chardev_answered(&vm->consoles[i].chardev);
	chardev_answered(&vm->serial.chardev);
	while (vm_running(vm)) {
		ssize_t n;

		if (must_wait && !wait_for_output(vm))
			continue;
		n = put_byte(byte);
		if (n >= 0) {
			measure_reach(vm, STATS_FIRST_OUTPUT);
			return;
		}
		must_wait |= n == -EAGAIN;
		if (n != -EAGAIN && n != -EINTR) {
			vm_end_outside(vm, EXIT_STATUS_VOLE);
			say("standard output: %s", error_text((int)-n));
		}
	}
}

static int debug_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	(void)port;
	if (len != 1)
		return -ENXIO;
	if (is_write)
		write_debug(vm, data);
	else
		*data = VOLE_PORT_DEBUG;
	return 0;
}

static void write_exit(struct vm *vm, uint32_t code)
{
	bool is_over = code > EXIT_STATUS_GUEST_MAX;

	vm_end(vm, is_over ? EXIT_STATUS_GUEST_MAX : (int)code);
	/* Those who returned -1 look for that. */
	if (is_over)
		say("the guest's exit code %d (0x%x) is not from 0 to %d, and becomes %d",
			(int32_t)code, code, EXIT_STATUS_GUEST_MAX, EXIT_STATUS_GUEST_MAX);
}

static int exit_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	const struct vm *vm = cpu->ctx;
	uint32_t code = 0;

	(void)port;
	if ((len != sizeof code && !vm->boot->protocol->board.any_exit_width) || !is_write)
		return -ENXIO;
	memcpy(&code, data, len);
	write_exit(cpu->ctx, code);
	return 0;
}

/* The host's date, for the CMOS. */
static uint64_t host_time(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* With --clock virtual each run begins on the same day, the first of 2026. */
#define VIRTUAL_EPOCH_NS UINT64_C(1767225600000000000)

static uint64_t virtual_time(void *ctx)
{
	struct vm *vm = ctx;

	return VIRTUAL_EPOCH_NS + vm->engine->ops->now(vm->engine);
}

static int cmos_index_port(
	struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	(void)port;
	if (len != 1 || !is_write)
		return -ENXIO;
	cmos_select(&vm->cmos, *data);
	return 0;
}

static int cmos_data_port(
	struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	(void)port;
	if (len != 1)
		return -ENXIO;
	if (is_write)
		cmos_write(&vm->cmos, *data);
	else
		*data = cmos_read(&vm->cmos);
	return 0;
}

/* As a PC is reset by software: through the keyboard controller, and through the chip set. */
static int reset_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	bool keyboard = port == I8042_STATUS;

	if (len != 1)
		return -ENXIO;
	if (!is_write)
		/* Nothing is there, but it is never too busy to take a command. */
		*data = keyboard ? 0xff & ~KEYBOARD_BUSY : 0;
	else if (keyboard ? *data == KEYBOARD_RESET : *data & CHIPSET_RESET)
		vm_end(cpu->ctx, 0);
	return 0;
}

static void add_port_that_takes(
	struct vm *vm, const char *takes, uint16_t port, uint16_t count, vm_port_access *access)
{
	vm->ports[vm->port_count++] = (struct vm_port){port, count, access, takes};
}

static void add_port(struct vm *vm, uint16_t port, uint16_t count, vm_port_access *access)
{
	add_port_that_takes(vm, "accesses of 1 byte", port, count, access);
}

void ports_add(struct vm *vm)
{
	const struct board *board = &vm->boot->protocol->board;

	if (vm->options->has_debug_port)
		add_port(vm, vm->options->debug_port, 1, debug_port);
	else if (board->debug_port)
		add_port(vm, board->debug_port_number, 1, debug_port);
	if (board->exit_port)
		add_port_that_takes(vm, "writes of 4 bytes", VOLE_PORT_EXIT, 1, exit_port);
	if (board->cpu_port)
		add_port_that_takes(vm, "accesses of 4 bytes", VOLE_PORT_CPU, 1, cpu_start_port);
	if (board->mark_port)
		add_port_that_takes(vm, "writes of 4 bytes", VOLE_PORT_MARK, 1, watch_mark_port);
	if (board->checkpoint_port)
		add_port_that_takes(
			vm, "accesses of 4 bytes", VOLE_PORT_CHECKPOINT, 1, checkpoint_port);
	/* For other code than the stubs there is no such port. */
	if (board->exception_port)
		add_port_that_takes(vm, NULL, VOLE_PORT_EXCEPTION, 1, exception_port);
	if (board->keyboard) {
		add_port(vm, I8042_DATA, 1, pc_keyboard_port);
		add_port(vm, I8042_STATUS, 1, pc_keyboard_port);
	} else if (board->reset) {
		add_port(vm, I8042_STATUS, 1, reset_port);
	}
	if (board->reset)
		add_port(vm, RESET_PORT, 1, reset_port);
	if (board->screen) {
		vga_text_init(&vm->screen);
		add_port_that_takes(vm, "accesses of 1 or 2 bytes", VGA_CRTC_INDEX, 1, screen_port);
		add_port(vm, VGA_CRTC_DATA, 1, screen_port);
		add_port(vm, VGA_INPUT_STATUS, 1, screen_port);
	}
	if (vm->serial.present)
		add_port(vm, SERIAL_PORT, UART_REGISTERS, serial_port);
	if (board->cmos) {
		cmos_init(&vm->cmos, vm->options->memory_size, vm->options->cpu_count,
			vm_is_virtual(vm) ? virtual_time : host_time, vm);
		add_port_that_takes(vm, "writes of 1 byte", CMOS_INDEX, 1, cmos_index_port);
		add_port(vm, CMOS_DATA, 1, cmos_data_port);
	}
}

static bool has_port(const struct vm_port *ports, uint16_t port)
{
	return port >= ports->port && port - ports->port < ports->count;
}

const char *ports_takes(struct cpu *cpu, uint16_t port)
{
	const struct vm *vm = cpu->ctx;

	for (unsigned i = 0; i < vm->port_count; i++)
		if (has_port(&vm->ports[i], port))
			return vm->ports[i].takes;
	return NULL;
}

int ports_access(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	for (unsigned i = 0; i < vm->port_count; i++) {
		const struct vm_port *ports = &vm->ports[i];

		if (!has_port(ports, port))
			continue;
		/* A device may be given a port of another's, and either takes what is not the
		 * other's. */
		if (ports->access(cpu, port, is_write, data, len) == 0)
			return 0;
	}
	return -ENXIO;
}
