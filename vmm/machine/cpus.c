/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/cpus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "machine.h"

/* Nobody answers. On an open bus that is no error: reads give all ones, writes are lost. */
static int nobody(struct vm *vm, bool is_write, uint8_t *data, unsigned len)
{
	if (!vm->boot->protocol->board.open_bus)
		return -ENXIO;
	if (!is_write)
		memset(data, 0xff, len);
	return 0;
}

static int on_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	int ret = ports_access(vcpu, port, is_write, data, len);

	return ret == 0 ? 0 : nobody(vcpu->ctx, is_write, data, len);
}

static int on_mmio(struct vcpu *vcpu, uint64_t address, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;
	const struct board *board = &vm->boot->protocol->board;
	uint64_t index = (address - DEVICE_BASE) / VIRTIO_MMIO_WINDOW_SIZE;
	uint32_t offset = address % PAGE_SIZE;

	if (address >= DEVICE_BASE && index < vm->device_count) {
		if (is_write)
			virtio_mmio_write(&vm->devices[index].mmio, offset, data, len);
		else
			virtio_mmio_read(&vm->devices[index].mmio, offset, data, len);
		return 0;
	}
	if (board->irqchip == BOARD_SPLIT_IRQCHIP &&
		address / PAGE_SIZE == IOAPIC_BASE / PAGE_SIZE) {
		if (is_write)
			ioapic_write(&vm->ioapic, offset, data, len);
		else
			ioapic_read(&vm->ioapic, offset, data, len);
		return 0;
	}
	if (gmem_ptr(&vm->memory.gmem, address, len, GMEM_READ) && !board->open_bus)
		return -EROFS;
	return nobody(vm, is_write, data, len);
}

static int on_read_memory(struct vcpu *vcpu, uint64_t gpa, void *dst, size_t len)
{
	struct vm *vm = vcpu->ctx;

	return gmem_read(&vm->memory.gmem, gpa, dst, len);
}

static int on_write_memory(struct vcpu *vcpu, uint64_t gpa, const void *src, size_t len)
{
	struct vm *vm = vcpu->ctx;

	return gmem_write(&vm->memory.gmem, gpa, src, len);
}

static bool on_begin_report(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->ctx;

	pthread_mutex_lock(&vm->report);
	if (machine_running(vm))
		return true;
	pthread_mutex_unlock(&vm->report);
	return false;
}

static void on_end_report(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->ctx;

	pthread_mutex_unlock(&vm->report);
}

static const char *on_symbol(struct vcpu *vcpu, uint64_t address, uint32_t *offset)
{
	struct vm *vm = vcpu->ctx;

	if (!vm->boot->protocol->symbol)
		return NULL;
	return vm->boot->protocol->symbol(vm->boot, address, offset);
}

static int on_triple_fault(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->ctx;
	const struct boot_protocol *protocol = vm->boot->protocol;

	if (!protocol->wants_reset || !protocol->wants_reset(&vm->memory))
		return -ENXIO;
	machine_end(vm, 0);
	return 0;
}

static void on_end(struct vcpu *vcpu, int status)
{
	machine_end(vcpu->ctx, status);
}

static bool on_running(struct vcpu *vcpu)
{
	return machine_running(vcpu->ctx);
}

static const struct vcpu_ops vcpu_ops = {
	.port = on_port,
	.mmio = on_mmio,
	.read_memory = on_read_memory,
	.write_memory = on_write_memory,
	.begin_report = on_begin_report,
	.end_report = on_end_report,
	.symbol = on_symbol,
	.triple_fault = on_triple_fault,
	.end = on_end,
	.running = on_running,
};

int cpus_make(struct vm *vm)
{
	vm->vcpus = calloc(vm->options->cpu_count, sizeof *vm->vcpus);
	if (!vm->vcpus) {
		say("no memory");
		return -ENOMEM;
	}
	while (vm->vcpu_count < vm->options->cpu_count) {
		int ret = vcpu_init(
			&vm->vcpus[vm->vcpu_count], &vm->kvm, vm->vcpu_count, &vcpu_ops, vm);

		vm->vcpu_count++; /* cpus_free() undoes a half-made one too */
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Before they start. Without --log and --max-exits nobody watches, and exits cost nothing more. */
static void watch_vcpus(struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->log == 0 && options->exits_max == 0)
		return;
	vm->watch.log = options->log;
	vm->watch.exits_max = options->exits_max;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i].watch = &vm->watch;
}

int cpus_start(struct vm *vm)
{
	int ret = vcpu_set_state(&vm->vcpus[0], &vm->boot->state);

	vcpu_init_signal();
	watch_vcpus(vm);
	/* The boot CPU last: its guest may start the others at once, so their threads have to be
	 * there, and written down. */
	for (unsigned i = vm->vcpu_count; ret == 0 && i-- > 0;)
		ret = vcpu_start(&vm->vcpus[i]);
	return ret;
}

void cpus_stop(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_stop(&vm->vcpus[i]);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_join(&vm->vcpus[i]);
}

void cpus_free(struct vm *vm)
{
	while (vm->vcpu_count > 0)
		vcpu_free(&vm->vcpus[--vm->vcpu_count]);
	free(vm->vcpus);
	vm->vcpus = NULL;
}
