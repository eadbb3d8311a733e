/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/serial.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"
#include "machine.h"
#include "machine/plan.h"

int serial_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;
	unsigned number = port - SERIAL_PORT;

	if (len != 1)
		return -ENXIO;
	if (is_write)
		uart_write(&vm->serial.uart, number, *data);
	else
		*data = uart_read(&vm->serial.uart, number);
	return 0;
}

static void serial_ready(void *ctx)
{
	struct vm *vm = ctx;

	if (uart_ready(&vm->serial.uart))
		io_event_signal(vm->serial.chardev.wake.fd);
}

static void serial_broken(void *ctx, int error)
{
	struct vm *vm = ctx;

	say("--serial %s: %s", plan_serial(vm), strerror(error));
	machine_output_lost(vm, EXIT_STATUS_VOLE);
}

static void serial_raise(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->serial.interrupt >= 0)
		io_event_signal(vm->serial.interrupt);
}

/* Where the board has interrupts, the serial port has one: IRQ 4 of a PC, else a pin that no device
 * can have. */
static int connect_serial(struct vm *vm)
{
	bool is_pc = vm->boot->protocol->board.irqchip == BOARD_PC_IRQCHIP;

	if (vm->boot->protocol->board.irqchip == BOARD_NO_IRQCHIP)
		return 0;
	vm->serial.interrupt = io_event_open();
	if (vm->serial.interrupt < 0)
		return vm->serial.interrupt;
	return kvm_add_irqfd(&vm->kvm, vm->serial.interrupt, is_pc ? SERIAL_IRQ : SERIAL_PIN);
}

int serial_add(struct vm *vm)
{
	struct vm_serial *serial = &vm->serial;
	int ret = chardev_open(&serial->chardev, "serial", "serial", plan_serial(vm), &vm->loop);

	if (ret < 0)
		return ret;
	serial->chardev.ready = serial_ready;
	serial->chardev.quit = machine_quit;
	serial->chardev.broken = serial_broken;
	serial->chardev.ctx = vm;
	ret = uart_init(&serial->uart, &serial->chardev.backend, serial_raise, vm);
	if (ret < 0)
		return ret;
	serial->present = true;
	return connect_serial(vm);
}

void serial_free(struct vm_serial *serial)
{
	if (serial->interrupt >= 0)
		close(serial->interrupt);
	if (serial->present)
		uart_free(&serial->uart);
	chardev_close(&serial->chardev);
}
