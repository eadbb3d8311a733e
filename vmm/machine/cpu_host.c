/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/cpu_host.h"

#include <errno.h>
#include <string.h>

#include "machine/debugger.h"
#include "machine/device.h"
#include "machine/interrupt_source.h"
#include "machine/measure.h"
#include "machine/ports.h"
#include "machine/vm.h"
#include "machine/watch.h"

/* Nobody answers. On an open bus that is no error: reads give all ones, writes are lost. */
static int unclaimed_access(struct vm *vm, bool is_write, uint8_t *data, unsigned len)
{
	if (!vm->boot->protocol->board.open_bus)
		return -ENXIO;
	if (!is_write)
		memset(data, 0xff, len);
	return 0;
}

static int on_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	int ret = ports_access(cpu, port, is_write, data, len);

	return ret == 0 ? 0 : unclaimed_access(cpu->ctx, is_write, data, len);
}

static int on_mmio(struct cpu *cpu, uint64_t address, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;
	const struct board *board = &vm->boot->protocol->board;
	uint64_t index = (address - DEVICE_BASE) / VIRTIO_MMIO_WINDOW_SIZE;
	uint32_t offset = address % PAGE_SIZE;
	int ret;

	if (address >= DEVICE_BASE && index < vm->device_count) {
		device_access(&vm->devices[index], cpu, offset, is_write, data, len);
		return 0;
	}
	if (board->irqchip == ENGINE_IRQCHIP_APIC &&
		address / PAGE_SIZE == IOAPIC_BASE / PAGE_SIZE) {
		if (is_write)
			ioapic_write(&vm->ioapic, offset, data, len);
		else
			ioapic_read(&vm->ioapic, offset, data, len);
		return 0;
	}
	if (gmem_ptr(&vm->memory.gmem, address, len, GMEM_READ) && !board->open_bus)
		return -EROFS;
	ret = unclaimed_access(vm, is_write, data, len);
	return ret == -ENXIO && address >= DEVICE_BASE && index < DEVICE_COUNT ? -ENODEV : ret;
}

static bool on_begin_report(struct cpu *cpu)
{
	struct vm *vm = cpu->ctx;

	pthread_mutex_lock(&vm->report);
	views_flush(&vm->views);
	if (vm_running(vm))
		return true;
	pthread_mutex_unlock(&vm->report);
	return false;
}

static void on_end_report(struct cpu *cpu)
{
	struct vm *vm = cpu->ctx;

	pthread_mutex_unlock(&vm->report);
}

static void on_reported(struct cpu *cpu, const struct cpu_registers *registers)
{
	struct vm *vm = cpu->ctx;

	vm->crash.is_known = true;
	vm->crash.registers = *registers;
}

static const char *on_symbol(struct cpu *cpu, uint64_t address, uint32_t *offset)
{
	return vm_symbol(cpu->ctx, address, offset);
}

static int on_triple_fault(struct cpu *cpu)
{
	struct vm *vm = cpu->ctx;
	const struct boot_protocol *protocol = vm->boot->protocol;

	if (!protocol->wants_reset || !protocol->wants_reset(&vm->memory))
		return -ENXIO;
	vm_end(vm, 0);
	return 0;
}

static void on_begins(struct cpu *cpu)
{
	measure_reach(cpu->ctx, STATS_FIRST_INSTRUCTION);
}

static void on_end(struct cpu *cpu, int status)
{
	struct vm *vm = cpu->ctx;

	if (vm_end(vm, status))
		vm->crash.cpu = cpu->id;
}

static bool on_running(struct cpu *cpu)
{
	return vm_running(cpu->ctx);
}

static bool on_wait(struct cpu *cpu)
{
	struct vm *vm = cpu->ctx;

	if (!vm->engine->ops->run)
		return vm_running(vm);
	if (vm_is_virtual(vm))
		io_loop_serve_control(&vm->loop);
	else
		io_loop_serve(&vm->loop, 0);
	return vm_running(vm);
}

const struct cpu_host machine_cpu_host = {
	.port = on_port,
	.port_takes = ports_takes,
	.mmio = on_mmio,
	.begin_report = on_begin_report,
	.end_report = on_end_report,
	.reported = on_reported,
	.symbol = on_symbol,
	.interrupt_source = interrupt_source,
	.triple_fault = on_triple_fault,
	.end = on_end,
	.running = on_running,
	.wait = on_wait,
	.begins = on_begins,
	.watched = watch_access,
	.debug = debugger_stopped,
};
