/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/serial.h"

#include <errno.h>

#include "error_text.h"
#include "exit_status.h"
#include "io/chardev_open.h"
#include "log.h"
#include "machine/halts.h"
#include "machine/measure.h"
#include "machine/plan.h"
#include "machine/recording.h"
#include "machine/state_report.h"
#include "machine/vm.h"

/* With the virtual clock each byte ends the CPU's turn, since one that waits for its reader has to:
 * see run_engine(). */
static void end_turn(struct vm *vm)
{
	if (vm_is_virtual(vm) && vm->engine->ops->yield)
		vm->engine->ops->yield(vm->engine);
}

int serial_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;
	unsigned number = port - SERIAL_PORT;

	if (len != 1)
		return -ENXIO;
	if (is_write) {
		uart_write(&vm->serial.uart, number, *data);
		end_turn(vm);
	} else {
		*data = uart_read(&vm->serial.uart, number);
	}
	return 0;
}

static void serial_ready(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->recording) {
		outside_port_ready(&vm->recording->outside, RECORDING_SERIAL);
		return;
	}
	/* The output of a machine that was saved is its clones'. */
	if (!vm->checkpoint.has_ended && uart_ready(&vm->serial.uart))
		io_event_signal(vm->serial.chardev.wake.fd);
}

static void serial_show(void *ctx)
{
	state_report_request(ctx);
}

static void serial_broken(void *ctx, int error)
{
	struct vm *vm = ctx;

	say("--serial %s: %s", plan_serial(vm), error_text(error));
	vm_output_lost(vm, EXIT_STATUS_VOLE);
}

static void serial_wrote(void *ctx)
{
	measure_reach(ctx, STATS_FIRST_OUTPUT);
}

static void serial_raise(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->serial.gsi < 0)
		return;
	if (vm->boot->protocol->board.irqchip == ENGINE_IRQCHIP_APIC)
		ioapic_edge(&vm->ioapic, (unsigned)vm->serial.gsi);
	halts_interrupted(vm);
	vm->engine->ops->raise(vm->engine, (unsigned)vm->serial.gsi);
}

/* Where the board has interrupts, the serial port has one: IRQ 4 of a PC, else a pin that no device
 * can have. */
static int connect_serial(struct vm *vm)
{
	enum engine_irqchip irqchip = vm->boot->protocol->board.irqchip;

	if (irqchip == ENGINE_IRQCHIP_NONE)
		return 0;
	vm->serial.gsi = irqchip == ENGINE_IRQCHIP_PC ? SERIAL_IRQ : SERIAL_PIN;
	return vm->engine->ops->connect(vm->engine, (unsigned)vm->serial.gsi);
}

int serial_add(struct vm *vm)
{
	struct vm_serial *serial = &vm->serial;
	int ret = chardev_open(&serial->chardev, "serial", "serial", plan_serial(vm), &vm->loop);

	if (ret < 0)
		return ret;
	serial->chardev.ready = serial_ready;
	serial->chardev.quit = vm_quit;
	serial->chardev.show = serial_show;
	serial->chardev.broken = serial_broken;
	serial->chardev.wrote = serial_wrote;
	serial->chardev.ctx = vm;
	ret = uart_init(&serial->uart,
		recording_port(vm, RECORDING_SERIAL, &serial->chardev.backend), serial_raise, vm);
	if (ret < 0)
		return ret;
	serial->uart.ignores_out2 = vm->boot->protocol->board.ignores_out2;
	serial->present = true;
	return connect_serial(vm);
}

void serial_free(struct vm_serial *serial)
{
	if (serial->present)
		uart_free(&serial->uart);
	chardev_close(&serial->chardev);
}
