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

/* The local APIC timer of KVM counts nanoseconds. */
#define APIC_TIMER_KHZ 1000000

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
	state = (struct vcpu_state){
		.eax = VOLE_BOOT_MAGIC,
		.ebx = start.argument,
		.eip = start.entry,
		.gdt_base = vm->entry.gdt_base,
		.gdt_limit = vm->entry.gdt_limit,
	};
	if (start.stack != 0) {
		/* As after a call: return address, then the argument. */
		frame[0] = vm->entry.cpu_return;
		frame[1] = start.argument;
		state.esp = (start.stack - 4) / 16 * 16 - 4;
		if (gmem_write(&vm->memory.gmem, state.esp, frame, sizeof frame) < 0)
			return VOLE_CPU_START_FAULT;
	}
	return vcpu_request_start(&vm->vcpus[start.cpu], &state) == 0 ? VOLE_CPU_START_OK
								      : VOLE_CPU_START_RUNNING;
}

static int on_port(struct vcpu *vcpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;

	if (port == VOLE_PORT_DEBUG && len == 1) {
		if (is_write)
			write_debug(vm, data);
		else
			*data = VOLE_PORT_DEBUG;
		return 0;
	}
	if (port == VOLE_PORT_EXIT && len == 4 && is_write) {
		write_exit(vm, port_value(data, len));
		return 0;
	}
	if (port == VOLE_PORT_CPU && len == 4) {
		if (is_write)
			vcpu->start_outcome = start_cpu(vm, vcpu, port_value(data, len));
		else
			memcpy(data, &vcpu->start_outcome, len);
		return 0;
	}
	return -ENXIO;
}

static int on_mmio(struct vcpu *vcpu, uint64_t address, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = vcpu->ctx;
	uint64_t index = (address - DEVICE_BASE) / VIRTIO_MMIO_WINDOW_SIZE;
	uint32_t offset = address % PAGE_SIZE;

	if (address >= DEVICE_BASE && index < vm->device_count) {
		if (is_write)
			virtio_mmio_write(&vm->devices[index].mmio, offset, data, len);
		else
			virtio_mmio_read(&vm->devices[index].mmio, offset, data, len);
		return 0;
	}
	if (address / PAGE_SIZE == IOAPIC_BASE / PAGE_SIZE) {
		if (is_write)
			ioapic_write(&vm->ioapic, offset, data, len);
		else
			ioapic_read(&vm->ioapic, offset, data, len);
		return 0;
	}
	return gmem_ptr(&vm->memory.gmem, address, len, GMEM_READ) ? -EROFS : -ENXIO;
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

/* The parts of the boot data, for a guest that stumbles into them. */
static const char *boot_data_name(uint32_t address, uint32_t *offset)
{
	static const struct {
		uint32_t base;
		const char *name;
	} parts[] = {
		{BOOT_STACK, "boot stack"},
		{BOOT_STRINGS, "boot data below the stack"},
		{BOOT_TABLES, "boot tables"},
		{0, "null page"},
	};
	unsigned i = 0;

	while (address < parts[i].base)
		i++;
	*offset = address - parts[i].base;
	return parts[i].name;
}

static const char *on_symbol(struct vcpu *vcpu, uint64_t address, uint32_t *offset)
{
	struct vm *vm = vcpu->ctx;
	const char *symbol;

	if (address > UINT32_MAX)
		return NULL;
	if (address < VOLE_BOOT_DATA_END)
		return boot_data_name((uint32_t)address, offset);
	pthread_mutex_lock(&vm->symbols);
	symbol = image_symbol(&vm->image, (uint32_t)address, offset);
	pthread_mutex_unlock(&vm->symbols);
	return symbol;
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
	.symbol = on_symbol,
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

/*
 * A driver is at work, or no more: let its kicks take the short cut, or not. Only now, since a VM
 * that ends soon after registering an ioeventfd waits for RCU; one whose guest never gets here does
 * not.
 */
static int device_live(void *ctx, bool live)
{
	struct vm_device *device = ctx;
	uint64_t notify = DEVICE_BASE + (uint64_t)device->index * VIRTIO_MMIO_WINDOW_SIZE +
			  VIRTIO_MMIO_QUEUE_NOTIFY;

	if (live == device->live)
		return 0;
	for (unsigned queue = 0; queue < device->virtio->ops->queue_count; queue++) {
		int ret = kvm_set_ioeventfd(
			&device->vm->kvm, device->kicks[queue].source.fd, notify, queue, live);

		if (ret < 0 && live)
			return ret;
	}
	device->live = live;
	return 0;
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

/* The place of the next device; its virtio_device is still to be made. */
static struct vm_device *next_place(struct vm *vm)
{
	struct vm_device *device = &vm->devices[vm->device_count];

	*device = (struct vm_device){.vm = vm, .index = vm->device_count, .interrupt = -1};
	for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++)
		device->kicks[queue].source.fd = -1;
	return device;
}

/* Wire a made device to loop and KVM. 0 or -errno (said). */
static int add_device(struct vm *vm, struct vm_device *device, struct virtio_device *virtio)
{
	int ret;

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
	return kvm_add_irqfd(&vm->kvm, device->interrupt, FIRST_PIN + device->index);
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
	end(ctx, 0);
}

static void console_broken(void *ctx, int error)
{
	struct vm *vm = ctx;

	if (running(vm))
		say("--console %s: %s", vm->options->console, strerror(error));
	end(vm, EXIT_STATUS_VOLE);
}

static int add_console(struct vm *vm)
{
	struct vm_device *device = next_place(vm);
	int ret = chardev_open(&vm->chardev, vm->options->console, &vm->loop);

	if (ret < 0)
		return ret;
	vm->chardev.ready = console_ready;
	vm->chardev.quit = console_quit;
	vm->chardev.broken = console_broken;
	vm->chardev.ctx = vm;
	ret = virtio_console_init(
		&vm->console, &vm->chardev.backend, &vm->memory.gmem, &host_ops, device);
	return ret < 0 ? ret : add_device(vm, device, &vm->console.dev);
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
	struct vm_device *device = next_place(vm);
	int ret;

	vm->entropy.ops = &ops;
	ret = virtio_rng_init(&vm->rng, &vm->entropy, &vm->memory.gmem, &host_ops, device);
	return ret < 0 ? ret : add_device(vm, device, &vm->rng.dev);
}

static int add_disk(struct vm *vm, const struct disk_options *options)
{
	struct vm_device *device = next_place(vm);
	struct vm_disk *disk = &vm->disks[vm->disk_count];
	int ret;

	vm->disk_count++; /* from here on free_disks() undoes it */
	ret = disk_open(&disk->disk, options, vm->disk_count - 1);
	if (ret < 0)
		return ret;
	ret = virtio_block_init(
		&disk->block, &disk->disk.backend, &vm->memory.gmem, &host_ops, device);
	return ret < 0 ? ret : add_device(vm, device, &disk->block.dev);
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
	const struct options *options = vm->options;
	int ret = 0;

	if (strcmp(options->console, "none") != 0)
		ret = add_console(vm);
	if (ret == 0 && options->rng)
		ret = add_rng(vm);
	if (ret == 0 && options->disk_count > 0) {
		vm->disks = calloc(options->disk_count, sizeof *vm->disks);
		if (!vm->disks)
			ret = -ENOMEM;
	}
	for (unsigned i = 0; ret == 0 && i < options->disk_count; i++)
		ret = add_disk(vm, &options->disks[i]);
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
	end(vm, EXIT_STATUS_VOLE);
}

/* Signals that would end vole end the machine first, in good order. Blocked before the first thread
 * is made, so that they are blocked in all. */
static int open_signals(struct vm *vm)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
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

/* --- planning ------------------------------------------------------------------------------------
 */

/* The size of a module, which is read later. 0 or -errno (said). */
static int measure_module(struct boot_module *module, const char *path)
{
	struct stat st;

	*module = (struct boot_module){.path = path};
	if (stat(path, &st) < 0) {
		int ret = -errno;

		say("--module %s: %s", path, strerror(-ret));
		return ret;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > RAM_MAX) {
		say("--module %s: not a file of 1 to %u bytes", path, RAM_MAX);
		return -EINVAL;
	}
	module->size = (uint32_t)st.st_size;
	return 0;
}

int machine_plan(struct vm *vm, const struct options *options)
{
	int ret;

	*vm = (struct vm){
		.options = options,
		.image = IMAGE_EMPTY,
		.kvm = KVM_EMPTY,
		.memory = MEMORY_EMPTY,
		.loop = IO_LOOP_EMPTY,
		.signals.fd = -1,
		.timer.fd = -1,
		.chardev = CHARDEV_EMPTY,
		.symbols = PTHREAD_MUTEX_INITIALIZER,
		.status = -1,
	};
	ret = image_open(&vm->image, options->kernel);
	if (ret < 0)
		return EXIT_STATUS_KERNEL;
	for (unsigned i = 0; i < options->module_count; i++) {
		if (measure_module(&vm->modules[i], options->modules[i]) < 0)
			return EXIT_STATUS_VOLE;
		vm->module_count++;
	}
	ret = memory_map_build(
		&vm->map, options->memory_size, &vm->image, vm->modules, vm->module_count);
	if (ret == 0)
		return 0;
	return ret == -ENOEXEC ? EXIT_STATUS_KERNEL : EXIT_STATUS_VOLE;
}

/* --- loading -------------------------------------------------------------------------------------
 */

static int load_module(struct vm *vm, const struct boot_module *module)
{
	int fd = open(module->path, O_RDONLY | O_CLOEXEC);
	uint32_t done = 0;
	ssize_t len = 0;

	if (fd >= 0) {
		while (done < module->size) {
			len = pread(fd, vm->memory.host + module->base + done, module->size - done,
				done);
			if (len <= 0)
				break;
			done += (uint32_t)len;
		}
	}
	if (done < module->size) {
		int ret = fd < 0 || len < 0 ? -errno : -EIO;

		say("--module %s: %s", module->path,
			ret == -EIO ? "became shorter while it was read" : strerror(-ret));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	close(fd);
	return 0;
}

static int load(struct vm *vm)
{
	struct boot_config config = {
		.cpu_count = vm->vcpu_count,
		.device_count = vm->device_count,
		.apic_timer_khz = APIC_TIMER_KHZ,
		.cmdline = vm->options->cmdline,
		.modules = vm->modules,
		.module_count = vm->module_count,
	};
	int ret;

	for (unsigned i = 0; i < vm->image.segment_count; i++) {
		const struct image_segment *segment = &vm->image.segments[i];

		ret = image_load_segment(&vm->image, segment, vm->memory.host + segment->paddr);
		if (ret < 0)
			return EXIT_STATUS_KERNEL;
	}
	for (unsigned i = 0; i < vm->module_count; i++)
		if (load_module(vm, &vm->modules[i]) < 0)
			return EXIT_STATUS_VOLE;
	ret = kvm_ioctl(vm->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);
	config.tsc_khz = ret > 0 ? (uint32_t)ret : 0;
	return boot_data_write(vm->memory.host, &vm->map, &config, &vm->entry) < 0
		       ? EXIT_STATUS_VOLE
		       : 0;
}

/* --- showing -------------------------------------------------------------------------------------
 */

static void name_device(
	struct inspect_device *devices, unsigned *count, const char *kind, const char *path)
{
	struct inspect_device *device = &devices[*count];

	device->base = DEVICE_BASE + *count * VIRTIO_MMIO_WINDOW_SIZE;
	device->pin = FIRST_PIN + *count;
	snprintf(device->name, sizeof device->name, "%s%s%s", kind, path ? " " : "",
		path ? path : "");
	++*count;
}

int machine_show(const struct vm *vm)
{
	const struct options *options = vm->options;
	struct inspect_device devices[DEVICE_COUNT];
	struct boot_config config = {
		.cpu_count = options->cpu_count,
		.apic_timer_khz = APIC_TIMER_KHZ,
		.cmdline = options->cmdline,
		.modules = vm->modules,
		.module_count = vm->module_count,
	};
	struct boot_entry entry;
	uint8_t *boot_data = calloc(1, VOLE_BOOT_DATA_END);
	int ret;

	if (strcmp(options->console, "none") != 0)
		name_device(devices, &config.device_count, "console", options->console);
	if (options->rng)
		name_device(devices, &config.device_count, "entropy", NULL);
	for (unsigned i = 0; i < options->disk_count; i++)
		name_device(devices, &config.device_count, "block", options->disks[i].path);
	ret = boot_data ? boot_data_write(boot_data, &vm->map, &config, &entry) : -ENOMEM;
	if (ret == 0) {
		ret = inspect_print(stdout, &vm->image, &vm->map, &config, &entry, devices);
		if (ret < 0)
			say("standard output: %s", strerror(-ret));
	}
	free(boot_data);
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

/* --- running -------------------------------------------------------------------------------------
 */

static int make_vcpus(struct vm *vm)
{
	vm->vcpus = calloc(vm->options->cpu_count, sizeof *vm->vcpus);
	if (!vm->vcpus)
		return -ENOMEM;
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

/* The order matters: see kvm_add_memory(). */
static int make_machine(struct vm *vm)
{
	int ret = kvm_init(&vm->kvm);

	if (ret == 0)
		ret = memory_init(&vm->memory, &vm->map);
	if (ret == 0)
		ret = memory_attach(&vm->memory, &vm->kvm);
	if (ret == 0)
		ret = kvm_create_irqchip(&vm->kvm);
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
	return ret < 0 ? EXIT_STATUS_VOLE : 0;
}

static int set_boot_state(struct vm *vm)
{
	struct vcpu_state state = {
		.eax = vm->entry.eax,
		.ebx = vm->entry.ebx,
		.esp = vm->entry.esp,
		.eip = vm->image.entry,
		.gdt_base = vm->entry.gdt_base,
		.gdt_limit = vm->entry.gdt_limit,
	};

	return vcpu_set_state(&vm->vcpus[0], &state);
}

static int start_vcpus(struct vm *vm)
{
	int ret = set_boot_state(vm);

	vcpu_init_signal();
	if (ret == 0)
		ret = open_timer(vm);
	for (unsigned i = 0; ret == 0 && i < vm->vcpu_count; i++)
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

/* What the guest handed over just before it ended is not lost: writes reach the disk, and text the
 * console. */
static void drain(struct vm *vm)
{
	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < vm->devices[i].virtio->ops->queue_count; queue++)
			virtio_serve(vm->devices[i].virtio, queue);
}

static void say_start(const struct vm *vm)
{
	say("%s: entry point 0x%08x, RAM %u bytes, CPUs: %u", vm->options->kernel, vm->image.entry,
		vm->options->memory_size, vm->vcpu_count);
	for (unsigned i = 0; i < vm->device_count; i++)
		say("device %u: %s at 0x%08x, pin %u", i, vm->devices[i].virtio->ops->name,
			DEVICE_BASE + i * VIRTIO_MMIO_WINDOW_SIZE, FIRST_PIN + i);
}

static void say_end(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		say("CPU %u: %" PRIu64 " exits", i, vm->vcpus[i].exits);
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
	if (vm->timer.fd >= 0)
		close(vm->timer.fd);
	if (vm->signals.fd >= 0)
		close(vm->signals.fd);
	io_loop_free(&vm->loop);
	ioapic_free(&vm->ioapic);
	free_vcpus(vm);
	kvm_free(&vm->kvm);
	memory_free(&vm->memory);
	image_free(&vm->image);
}
