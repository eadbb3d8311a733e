/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <vole/ports.h>

#include "container.h"
#include "exit_status.h"
#include "inspect.h"
#include "log.h"

/* Of a PC's CMOS. */
#define PORT_CMOS_INDEX 0x70
#define PORT_CMOS_DATA  0x71

/* Where a PC has the reset line. */
#define PORT_KEYBOARD  0x64 /* command and status of the keyboard controller */
#define KEYBOARD_BUSY  0x02
#define KEYBOARD_RESET 0xfe
#define PORT_CHIPSET   0xcf9
#define CHIPSET_RESET  0x04

/* How often CPUs are asked whether they have halted for good. */
#define HALTS_TICK_NS 250000000

/* The local APIC timer of KVM counts nanoseconds. */
#define APIC_TIMER_KHZ 1000000

static bool is_stdio(const char *text)
{
	return text && strcmp(text, "stdio") == 0;
}

/* What was asked for, or else what the board has; what it has makes room for what was asked for. */
static const char *console_of(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->console)
		return options->console;
	return vm->boot->protocol->board.console && !is_stdio(options->serial) ? "stdio" : "none";
}

static const char *serial_of(const struct vm *vm)
{
	const struct options *options = vm->options;

	if (options->serial)
		return options->serial;
	return vm->boot->protocol->board.serial && !is_stdio(options->console) ? "stdio" : "none";
}

static bool has_console(const struct vm *vm)
{
	return strcmp(console_of(vm), "none") != 0;
}

static bool has_serial(const struct vm *vm)
{
	return strcmp(serial_of(vm), "none") != 0;
}

static bool has_rng(const struct vm *vm)
{
	if (vm->options->rng == RNG_LEFT_OUT)
		return vm->boot->protocol->board.device_max > 0;
	return vm->options->rng == RNG_HOST;
}

static bool running(struct vm *vm)
{
	return atomic_load(&vm->status) < 0;
}

/* End the machine with this status, unless it is ending already. Any thread. */
static void end(struct vm *vm, int status)
{
	int running = -1;

	if (atomic_compare_exchange_strong(&vm->status, &running, status))
		io_loop_stop(&vm->loop);
}

/* --- what vCPUs access ---------------------------------------------------------------------------
 */

static uint32_t port_value(const uint8_t *data, unsigned len)
{
	uint32_t value = 0;

	memcpy(&value, data, len);
	return value;
}

/* The debug console: standard output, byte by byte, so that a crash loses nothing. May block this
 * vCPU; the signal that stops it ends the wait. */
static void write_debug(struct vm *vm, const uint8_t *byte)
{
	while (running(vm) && write(STDOUT_FILENO, byte, 1) < 0) {
		struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

		if (errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			poll(&out, 1, -1);
			continue;
		}
		say("standard output: %s", strerror(errno));
		end(vm, EXIT_STATUS_VOLE);
	}
}

static void write_exit(struct vm *vm, uint32_t code)
{
	int status = (int)code;

	if (code > EXIT_STATUS_GUEST_MAX) {
		say("the guest's exit code %u (0x%x) is over %d, which it becomes", code, code,
			EXIT_STATUS_GUEST_MAX);
		status = EXIT_STATUS_GUEST_MAX;
	}
	end(vm, status);
}

/* Start another CPU as the structure at gpa says. A VOLE_CPU_START_ value. */
static uint32_t start_cpu(struct vm *vm, struct vcpu *vcpu, uint32_t gpa)
{
	struct cpu_start start;
	struct vcpu_state state;
	uint32_t frame[2];

	if (gpa % 4 != 0 || gmem_read(&vm->memory.gmem, gpa, &start, sizeof start) < 0)
		return VOLE_CPU_START_FAULT;
	if (start.cpu >= vm->vcpu_count)
		return VOLE_CPU_START_NO_CPU;
	if (start.cpu == vcpu->id)
		return VOLE_CPU_START_RUNNING;
	state = vm->boot->state;
	state.ebx = start.argument;
	state.eip = start.entry;
	state.esp = 0;
	if (start.stack != 0) {
		/* As after a call: return address, then the argument. */
		frame[0] = vm->boot->cpu_return;
		frame[1] = start.argument;
		state.esp = (start.stack - 4) / 16 * 16 - 4;
		if (gmem_write(&vm->memory.gmem, state.esp, frame, sizeof frame) < 0)
			return VOLE_CPU_START_FAULT;
	}
	return vcpu_request_start(&vm->vcpus[start.cpu], &state) == 0 ? VOLE_CPU_START_OK
								      : VOLE_CPU_START_RUNNING;
}

static int debug_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;

	(void)port;
	if (len != 1)
		return -ENXIO;
	if (is_write)
		write_debug(vm, data);
	else
		*data = VOLE_PORT_DEBUG;
	return 0;
}

static int exit_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	(void)port;
	if (len != 4 || !is_write)
		return -ENXIO;
	write_exit(vcpu->ctx, port_value(data, len));
	return 0;
}

static int cpu_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	(void)port;
	if (len != 4)
		return -ENXIO;
	if (is_write)
		vcpu->start_outcome = start_cpu(vcpu->ctx, vcpu, port_value(data, len));
	else
		memcpy(data, &vcpu->start_outcome, len);
	return 0;
}

static int cmos_index_port(
	struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;

	(void)port;
	if (len != 1 || !is_write)
		return -ENXIO;
	cmos_select(&vm->cmos, *data);
	return 0;
}

static int cmos_data_port(
	struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;

	(void)port;
	if (len != 1 || is_write)
		return -ENXIO;
	*data = cmos_read(&vm->cmos);
	return 0;
}

static int serial_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
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

/* As a PC is reset by software: through the keyboard controller, and through the chip set. */
static int reset_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	bool keyboard = port == PORT_KEYBOARD;

	if (len != 1)
		return -ENXIO;
	if (!is_write)
		/* Nothing is there, but it is never too busy to take a command. */
		*data = keyboard ? 0xff & ~KEYBOARD_BUSY : 0;
	else if (keyboard ? *data == KEYBOARD_RESET : *data & CHIPSET_RESET)
		end(vcpu->ctx, 0);
	return 0;
}

static void add_port(struct vm *vm, uint16_t port, uint16_t count, vm_port_access *access)
{
	vm->ports[vm->port_count++] = (struct vm_port){port, count, access};
}

static void add_ports(struct vm *vm)
{
	const struct board *board = &vm->boot->protocol->board;

	if (vm->options->has_debug_port)
		add_port(vm, vm->options->debug_port, 1, debug_port);
	else if (board->debug_port)
		add_port(vm, board->debug_port_number, 1, debug_port);
	if (board->exit_port)
		add_port(vm, VOLE_PORT_EXIT, 1, exit_port);
	if (board->cpu_port)
		add_port(vm, VOLE_PORT_CPU, 1, cpu_port);
	if (board->reset) {
		add_port(vm, PORT_KEYBOARD, 1, reset_port);
		add_port(vm, PORT_CHIPSET, 1, reset_port);
	}
	if (vm->serial.present)
		add_port(vm, SERIAL_PORT, UART_REGISTERS, serial_port);
	if (board->cmos) {
		cmos_init(&vm->cmos, vm->options->memory_size, vm->vcpu_count);
		add_port(vm, PORT_CMOS_INDEX, 1, cmos_index_port);
		add_port(vm, PORT_CMOS_DATA, 1, cmos_data_port);
	}
}

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
	struct vm *vm = vcpu->ctx;

	for (unsigned i = 0; i < vm->port_count; i++) {
		const struct vm_port *ports = &vm->ports[i];

		if (port < ports->port || port - ports->port >= ports->count)
			continue;
		if (ports->access(vcpu, port, is_write, data, len) == 0)
			return 0;
	}
	return nobody(vm, is_write, data, len);
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
	if (running(vm))
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
	end(vm, 0);
	return 0;
}

static void on_end(struct vcpu *vcpu, int status)
{
	end(vcpu->ctx, status);
}

static bool on_running(struct vcpu *vcpu)
{
	return running(vcpu->ctx);
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

/* --- between devices and KVM ---------------------------------------------------------------------
 */

static void device_raise(void *ctx)
{
	struct vm_device *device = ctx;

	io_event_signal(device->interrupt);
}

static void device_kick(void *ctx, unsigned queue)
{
	struct vm_device *device = ctx;

	io_event_signal(device->kicks[queue].source.fd);
}

static int set_ioeventfd(const struct vm_device *device, unsigned queue, bool add)
{
	uint64_t notify = DEVICE_BASE + (uint64_t)device->index * VIRTIO_MMIO_WINDOW_SIZE +
			  VIRTIO_MMIO_QUEUE_NOTIFY;

	return kvm_set_ioeventfd(
		&device->vm->kvm, device->kicks[queue].source.fd, notify, queue, add);
}

/*
 * A driver is at work, or no more: let its kicks take the short cut, or not. Only now, since a VM
 * that ends soon after registering an ioeventfd waits for RCU; one whose guest never gets here does
 * not. An ioeventfd matches one value, so it is nothing for kicks that tell more than the queue.
 */
static int device_live(void *ctx, bool live)
{
	struct vm_device *device = ctx;
	int ret = 0;

	if (virtio_has_feature(device->virtio, VIRTIO_F_NOTIFICATION_DATA))
		return 0;
	for (unsigned queue = 0; queue < device->virtio->ops->queue_count; queue++) {
		ret = set_ioeventfd(device, queue, live);
		if (ret < 0 && live) {
			while (queue-- > 0)
				set_ioeventfd(device, queue, false);
			break;
		}
	}
	return ret;
}

static void device_report(void *ctx, const char *message)
{
	struct vm_device *device = ctx;

	say("device %u, %s", device->index, message);
}

static const struct virtio_host_ops host_ops = {
	.raise = device_raise,
	.kick = device_kick,
	.live = device_live,
	.report = device_report,
};

static void kick_ready(struct io_source *source)
{
	struct vm_kick *kick = container_of(source, struct vm_kick, source);

	/* More to do: after the other sources had their turn. */
	if (virtio_serve(kick->device->virtio, kick->queue))
		io_event_signal(source->fd);
}

static void routes_changed(void *ctx, const struct ioapic_route routes[IOAPIC_PINS])
{
	struct vm *vm = ctx;

	if (kvm_set_routes(&vm->kvm, routes) < 0)
		end(vm, EXIT_STATUS_VOLE);
}

/* --- making devices ------------------------------------------------------------------------------
 */

/* Where device n is; detail may be NULL. */
static void place_device(struct vm *vm, unsigned index, const char *kind, const char *detail)
{
	struct boot_device *place = &vm->places[index];
	const uint8_t *pins = vm->boot->protocol->board.pins;

	place->base = DEVICE_BASE + index * VIRTIO_MMIO_WINDOW_SIZE;
	place->pin = pins ? pins[index] : FIRST_PIN + index;
	snprintf(place->name, sizeof place->name, "%s%s%s", kind, detail ? " " : "",
		detail ? detail : "");
}

/* The next device; its virtio_device is still to be made. */
static struct vm_device *next_device(struct vm *vm, const char *kind, const char *detail)
{
	struct vm_device *device = &vm->devices[vm->device_count];

	place_device(vm, vm->device_count, kind, detail);

	*device = (struct vm_device){.vm = vm, .index = vm->device_count, .interrupt = -1};
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
		device->kicks[queue].source.fd = -1;
	return device;
}

/* Wire a made device to loop and KVM. 0 or -errno (said). */
static int add_device(struct vm *vm, struct vm_device *device, struct virtio_device *virtio,
	const struct feature_choice *features)
{
	int ret;

	virtio_offer(virtio, features_offered(&vm->options->features, features));
	device->virtio = virtio;
	virtio_mmio_init(&device->mmio, virtio);
	vm->device_count++; /* from here on free_devices() undoes it */
	for (unsigned queue = 0; queue < virtio->ops->queue_count; queue++) {
		struct vm_kick *kick = &device->kicks[queue];

		*kick = (struct vm_kick){
			.source = {.fd = io_event_open(), .ready = kick_ready},
			.device = device,
			.queue = queue,
		};
		if (kick->source.fd < 0)
			return kick->source.fd;
		/* Edge-triggered: each signal is an event, and the counter need not be read, which
		 * saves a system call a request. */
		ret = io_loop_add(&vm->loop, &kick->source, EPOLLIN | EPOLLET);
		if (ret < 0)
			return ret;
	}
	device->interrupt = io_event_open();
	if (device->interrupt < 0)
		return device->interrupt;
	return kvm_add_irqfd(&vm->kvm, device->interrupt, vm->places[device->index].pin);
}

static void free_devices(struct vm *vm)
{
	while (vm->device_count > 0) {
		struct vm_device *device = &vm->devices[--vm->device_count];

		virtio_free(device->virtio);
		for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
			if (device->kicks[queue].source.fd >= 0)
				close(device->kicks[queue].source.fd);
		if (device->interrupt >= 0)
			close(device->interrupt);
	}
}

static void console_ready(void *ctx)
{
	struct vm *vm = ctx;

	virtio_backend_ready(&vm->console.dev);
}

static void console_quit(void *ctx)
{
	struct vm *vm = ctx;

	vm->hurry = true;
	end(vm, 0);
}

static void console_broken(void *ctx, int error)
{
	struct vm *vm = ctx;

	if (running(vm))
		say("--console %s: %s", console_of(vm), strerror(error));
	end(vm, EXIT_STATUS_VOLE);
}

static int add_console(struct vm *vm)
{
	struct vm_device *device = next_device(vm, "console", console_of(vm));
	int ret = chardev_open(&vm->chardev, "console", console_of(vm), &vm->loop);

	if (ret < 0)
		return ret;
	vm->chardev.ready = console_ready;
	vm->chardev.quit = console_quit;
	vm->chardev.broken = console_broken;
	vm->chardev.ctx = vm;
	ret = virtio_console_init(
		&vm->console, &vm->chardev.backend, &vm->memory.gmem, &host_ops, device);
	return ret < 0 ? ret
		       : add_device(vm, device, &vm->console.dev, &vm->options->console_features);
}

static void serial_ready(void *ctx)
{
	struct vm *vm = ctx;

	uart_ready(&vm->serial.uart);
}

static void serial_broken(void *ctx, int error)
{
	struct vm *vm = ctx;

	if (running(vm))
		say("--serial %s: %s", serial_of(vm), strerror(error));
	end(vm, EXIT_STATUS_VOLE);
}

static void serial_raise(void *ctx)
{
	struct vm *vm = ctx;

	if (vm->serial.interrupt >= 0)
		io_event_signal(vm->serial.interrupt);
}

/* Where the board has interrupts, the serial port has one: IRQ 4 of a PC, else a pin that no device can
 * have. */
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

static int add_serial(struct vm *vm)
{
	struct vm_serial *serial = &vm->serial;
	int ret = chardev_open(&serial->chardev, "serial", serial_of(vm), &vm->loop);

	if (ret < 0)
		return ret;
	serial->chardev.ready = serial_ready;
	serial->chardev.quit = console_quit;
	serial->chardev.broken = serial_broken;
	serial->chardev.ctx = vm;
	ret = uart_init(&serial->uart, &serial->chardev.backend, serial_raise, vm);
	if (ret < 0)
		return ret;
	serial->present = true;
	return connect_serial(vm);
}

static void free_serial(struct vm_serial *serial)
{
	if (serial->interrupt >= 0)
		close(serial->interrupt);
	if (serial->present)
		uart_free(&serial->uart);
	chardev_close(&serial->chardev);
}

static ssize_t fill_random(struct rng_backend *backend, void *buffer, size_t len)
{
	ssize_t ret = getrandom(buffer, len, GRND_NONBLOCK);

	(void)backend;
	return ret < 0 ? -errno : ret;
}

static int add_rng(struct vm *vm)
{
	static const struct rng_backend_ops ops = {.fill = fill_random};
	struct vm_device *device = next_device(vm, "entropy", NULL);
	int ret;

	vm->entropy.ops = &ops;
	ret = virtio_rng_init(&vm->rng, &vm->entropy, &vm->memory.gmem, &host_ops, device);
	return ret < 0 ? ret : add_device(vm, device, &vm->rng.dev, &vm->options->rng_features);
}

/* Before other files are opened to be written: a disk that is locked is safe from them. */
static int open_disks(struct vm *vm)
{
	const struct options *options = vm->options;
	int ret = 0;

	if (options->disk_count == 0)
		return 0;
	vm->disks = calloc(options->disk_count, sizeof *vm->disks);
	if (!vm->disks) {
		say("no memory");
		return -ENOMEM;
	}
	while (ret == 0 && vm->disk_count < options->disk_count) {
		unsigned index = vm->disk_count++; /* from here on free_disks() undoes it */

		ret = disk_open(&vm->disks[index].disk, &options->disks[index], index);
	}
	return ret;
}

static int add_disk(struct vm *vm, unsigned index)
{
	struct vm_disk *disk = &vm->disks[index];
	struct vm_device *device = next_device(vm, "block", disk->disk.path);
	int ret = virtio_block_init(
		&disk->block, &disk->disk.backend, &vm->memory.gmem, &host_ops, device);

	return ret < 0 ? ret
		       : add_device(
				 vm, device, &disk->block.dev, &vm->options->disks[index].features);
}

static void free_disks(struct vm *vm)
{
	while (vm->disk_count > 0)
		disk_close(&vm->disks[--vm->disk_count].disk);
	free(vm->disks);
	vm->disks = NULL;
}

static int add_devices(struct vm *vm)
{
	int ret = open_disks(vm);

	if (ret == 0 && has_serial(vm))
		ret = add_serial(vm);
	if (ret == 0 && has_console(vm))
		ret = add_console(vm);
	if (ret == 0 && has_rng(vm))
		ret = add_rng(vm);
	for (unsigned i = 0; ret == 0 && i < vm->disk_count; i++)
		ret = add_disk(vm, i);
	return ret;
}

/* --- signals and time ----------------------------------------------------------------------------
 */

static void signal_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, signals);
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGWINCH) {
		if (vm->chardev.is_terminal)
			virtio_config_changed(&vm->console.dev);
		return;
	}
	vm->signal = (int)info.ssi_signo;
	vm->hurry = true;
	end(vm, EXIT_STATUS_VOLE);
}

/* nohup(1), or a shell that starts a job in the background, made us deaf to it; a blocked signal would
 * be heard all the same. */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Signals that would end vole end the machine first, in good order. Blocked before the first thread
 * is made, so that they are blocked in all. */
static int open_signals(struct vm *vm)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (!is_ignored(wanted[i]))
			sigaddset(&set, wanted[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A closed pipe and a file over its limit are errors of write(2), with a better message. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	vm->signals = (struct io_source){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = signal_ready,
	};
	if (vm->signals.fd < 0) {
		say("signalfd: %s", strerror(errno));
		return -errno;
	}
	return io_loop_add(&vm->loop, &vm->signals, EPOLLIN);
}

static void timer_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, timer);

	if (running(vm))
		say("time-out after %u seconds", vm->options->timeout);
	vm->hurry = true;
	end(vm, EXIT_STATUS_TIMEOUT);
}

static int open_timer(struct vm *vm)
{
	struct itimerspec when = {.it_value.tv_sec = vm->options->timeout};

	if (vm->options->timeout == 0)
		return 0;
	vm->timer = (struct io_source){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.ready = timer_ready,
	};
	if (vm->timer.fd < 0 || timerfd_settime(vm->timer.fd, 0, &when, NULL) < 0) {
		say("timerfd: %s", strerror(errno));
		return -errno;
	}
	return io_loop_add(&vm->loop, &vm->timer, EPOLLIN);
}

/*
 * Without ACPI, Linux powers off by halting all CPUs with interrupts off. KVM keeps that to itself, so now
 * and then they are asked. A CPU that is asked early might be woken by one that is asked late, and that
 * halts then; so all must have halted twice.
 */
static void halts_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, halts);
	bool all = true;
	uint64_t ticks;

	if (read(source->fd, &ticks, sizeof ticks) != sizeof ticks)
		return;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		all = vcpu_has_halted(&vm->vcpus[i]) && all;
	vm->halts_seen = all ? vm->halts_seen + 1 : 0;
	if (vm->halts_seen == 2) {
		if (vm->options->verbose)
			say("all CPUs have halted with interrupts off");
		end(vm, 0);
		return;
	}
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_ask_halted(&vm->vcpus[i]);
}

static int open_halts(struct vm *vm)
{
	struct timespec tick = {.tv_nsec = HALTS_TICK_NS};
	struct itimerspec when = {tick, tick};

	if (!vm->boot->protocol->board.halt_ends)
		return 0;
	vm->halts = (struct io_source){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.ready = halts_ready,
	};
	if (vm->halts.fd < 0 || timerfd_settime(vm->halts.fd, 0, &when, NULL) < 0) {
		say("timerfd: %s", strerror(errno));
		return -errno;
	}
	return io_loop_add(&vm->loop, &vm->halts, EPOLLIN);
}

/* --- planning ------------------------------------------------------------------------------------
 */

/* Can this board have the devices that were asked for? */
static int judge_devices(const struct vm *vm)
{
	const struct options *options = vm->options;
	const char *protocol = vm->boot->protocol->name;
	unsigned count = has_console(vm) + has_rng(vm) + options->disk_count;
	unsigned max = vm->boot->protocol->board.device_max;

	if (is_stdio(console_of(vm)) && is_stdio(serial_of(vm))) {
		say("--console stdio and --serial stdio: only one can be on standard input and "
		    "output");
		return -EINVAL;
	}
	if (count <= max)
		return 0;
	if (max > 0)
		say("--boot %s: %u devices, of at most %u", protocol, count, max);
	else if (has_console(vm))
		say("--console %s: --boot %s has no devices", options->console, protocol);
	else if (has_rng(vm))
		say("--rng host: --boot %s has no devices", protocol);
	else
		say("--disk %s: --boot %s has no devices", options->disks[0].path, protocol);
	return -EINVAL;
}

/* KVM answers these itself on a board with all of its interrupt controllers and its timer: vole would never
 * hear of them (two PICs, their trigger modes, PIT and its gate). */
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

int machine_plan(struct vm *vm, const struct options *options)
{
	int ret;

	*vm = (struct vm){
		.options = options,
		.kvm = KVM_EMPTY,
		.memory = MEMORY_EMPTY,
		.loop = IO_LOOP_EMPTY,
		.signals.fd = -1,
		.timer.fd = -1,
		.halts.fd = -1,
		.chardev = CHARDEV_EMPTY,
		.serial = {.chardev = CHARDEV_EMPTY, .interrupt = -1},
		.report = PTHREAD_MUTEX_INITIALIZER,
		.status = -1,
	};
	ret = boot_open(&vm->boot, options);
	if (ret == 0 && (judge_devices(vm) < 0 || judge_debug_port(vm) < 0))
		ret = EXIT_STATUS_VOLE;
	return ret;
}

/* --- showing -------------------------------------------------------------------------------------
 */

int machine_show(struct vm *vm)
{
	const struct options *options = vm->options;
	struct boot_machine machine = {
		.cpu_count = options->cpu_count,
		.apic_timer_khz = APIC_TIMER_KHZ,
		.devices = vm->places,
	};
	int ret;

	if (has_console(vm))
		place_device(vm, machine.device_count++, "console", console_of(vm));
	if (has_rng(vm))
		place_device(vm, machine.device_count++, "entropy", NULL);
	for (unsigned i = 0; i < options->disk_count; i++)
		place_device(vm, machine.device_count++, "block", options->disks[i].path);
	ret = vm->boot->protocol->show(vm->boot, stdout, &machine);
	if (ret < 0)
		say("%s: %s", options->kernel, strerror(-ret));
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

/* --- loading -------------------------------------------------------------------------------------
 */

static int load(struct vm *vm)
{
	struct boot_machine machine = {
		.cpu_count = vm->vcpu_count,
		.tsc_khz = kvm_tsc_khz(vm->vcpus[0].fd),
		.apic_timer_khz = APIC_TIMER_KHZ,
		.device_count = vm->device_count,
		.devices = vm->places,
	};

	return vm->boot->protocol->load(vm->boot, &vm->memory, &machine);
}

/* --- running -------------------------------------------------------------------------------------
 */

static int make_vcpus(struct vm *vm)
{
	vm->vcpus = calloc(vm->options->cpu_count, sizeof *vm->vcpus);
	if (!vm->vcpus) {
		say("no memory");
		return -ENOMEM;
	}
	while (vm->vcpu_count < vm->options->cpu_count) {
		int ret = vcpu_init(
			&vm->vcpus[vm->vcpu_count], &vm->kvm, vm->vcpu_count, &vcpu_ops, vm);

		vm->vcpu_count++; /* free_vcpus() undoes a half-made one too */
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void free_vcpus(struct vm *vm)
{
	while (vm->vcpu_count > 0)
		vcpu_free(&vm->vcpus[--vm->vcpu_count]);
	free(vm->vcpus);
	vm->vcpus = NULL;
}

static int make_irqchip(struct vm *vm)
{
	switch (vm->boot->protocol->board.irqchip) {
	case BOARD_SPLIT_IRQCHIP:
		return kvm_create_split_irqchip(&vm->kvm);
	case BOARD_PC_IRQCHIP:
		return kvm_create_pc_irqchip(&vm->kvm);
	case BOARD_NO_IRQCHIP:
		break;
	}
	return 0;
}

/* The order matters: see kvm_add_memory(). */
static int make_machine(struct vm *vm)
{
	int ret = kvm_init(&vm->kvm);

	if (ret == 0)
		ret = memory_init(&vm->memory, vm->boot->regions, vm->boot->region_count);
	if (ret == 0)
		ret = memory_attach(&vm->memory, &vm->kvm);
	if (ret == 0)
		ret = make_irqchip(vm);
	if (ret == 0)
		ret = make_vcpus(vm);
	if (ret == 0)
		ret = ioapic_init(&vm->ioapic, routes_changed, vm);
	if (ret == 0)
		ret = io_loop_init(&vm->loop);
	if (ret == 0)
		ret = open_signals(vm);
	if (ret == 0)
		ret = add_devices(vm);
	add_ports(vm);
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
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

static int start_vcpus(struct vm *vm)
{
	int ret = vcpu_set_state(&vm->vcpus[0], &vm->boot->state);

	vcpu_init_signal();
	watch_vcpus(vm);
	if (ret == 0)
		ret = open_timer(vm);
	if (ret == 0)
		ret = open_halts(vm);
	/* The boot CPU last: its guest may start the others at once, so their threads have to be
	 * there, and written down. */
	for (unsigned i = vm->vcpu_count; ret == 0 && i-- > 0;)
		ret = vcpu_start(&vm->vcpus[i]);
	return ret;
}

static void stop_vcpus(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_stop(&vm->vcpus[i]);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_join(&vm->vcpus[i]);
}

/* Serve what the guest handed over. True if there is more to do at once. */
static bool serve_all(struct vm *vm)
{
	bool more = false;

	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < vm->devices[i].virtio->ops->queue_count; queue++)
			more |= virtio_serve(vm->devices[i].virtio, queue);
	if (vm->serial.present)
		uart_ready(&vm->serial.uart);
	return more;
}

/*
 * What the guest handed over just before it ended is not lost: writes reach the disk, and text the
 * console, however slowly that is read. But if the end is not the guest's own idea, or a signal or
 * the time-out comes meanwhile, what is not taken at once is not waited for.
 */
static void drain(struct vm *vm)
{
	/* A queue holds so many chains, and each pass serves one at least. A ring that was laid over
	 * another could go on for ever. */
	unsigned passes = VIRTQ_SIZE_MAX;
	bool more = serve_all(vm);

	while (!vm->hurry && (more || vm->console.output_wanted || vm->serial.uart.output_wanted)) {
		/* Only who waits: the other is always ready. */
		bool console = vm->console.output_wanted;
		bool serial = vm->serial.uart.output_wanted;
		struct pollfd fds[] = {
			{.fd = console ? vm->chardev.out : -1, .events = POLLOUT},
			{.fd = serial ? vm->serial.chardev.out : -1, .events = POLLOUT},
			{.fd = vm->signals.fd, .events = POLLIN},
			{.fd = vm->timer.fd, .events = POLLIN},
		};

		poll(fds, sizeof fds / sizeof *fds, more ? 0 : -1);
		if (fds[0].revents)
			virtio_backend_ready(&vm->console.dev);
		if (fds[2].revents)
			signal_ready(&vm->signals);
		if (fds[3].revents) {
			say("time-out after %u seconds: the guest has ended, but nobody takes its "
			    "output",
				vm->options->timeout);
			timer_ready(&vm->timer);
		}
		more = serve_all(vm) && passes-- > 0;
	}
}

static void say_start(const struct vm *vm)
{
	say("%s: entry point 0x%08x, RAM %u bytes, CPUs: %u", vm->options->kernel,
		vcpu_entry(&vm->boot->state), vm->options->memory_size, vm->vcpu_count);
	for (unsigned i = 0; i < vm->device_count; i++)
		say("device %u: %s at 0x%08x, pin %u", i, vm->places[i].name, vm->places[i].base,
			vm->places[i].pin);
}

static void say_end(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		say("CPU %u: %" PRIu64 " exits, %" PRIu64 " instructions completed for KVM", i,
			vm->vcpus[i].exits, vm->vcpus[i].completed);
	say("exit status %d", atomic_load(&vm->status));
}

int machine_run(struct vm *vm)
{
	int ret = make_machine(vm);

	if (ret == 0)
		ret = load(vm);
	if (ret != 0)
		return ret;
	if (vm->options->verbose)
		say_start(vm);
	if (start_vcpus(vm) < 0 || io_loop_run(&vm->loop) < 0)
		end(vm, EXIT_STATUS_VOLE);
	stop_vcpus(vm);
	drain(vm);
	if (vm->options->verbose)
		say_end(vm);
	return atomic_load(&vm->status);
}

void machine_free(struct vm *vm)
{
	free_devices(vm);
	free_disks(vm);
	chardev_close(&vm->chardev);
	free_serial(&vm->serial);
	if (vm->halts.fd >= 0)
		close(vm->halts.fd);
	if (vm->timer.fd >= 0)
		close(vm->timer.fd);
	if (vm->signals.fd >= 0)
		close(vm->signals.fd);
	io_loop_free(&vm->loop);
	ioapic_free(&vm->ioapic);
	free_vcpus(vm);
	kvm_free(&vm->kvm);
	memory_free(&vm->memory);
	boot_free(vm->boot);
}
