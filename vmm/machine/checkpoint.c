/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/checkpoint.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include <vole/ports.h>

#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "io/unix_socket.h"
#include "log.h"
#include "machine/keeper.h"
#include "machine/setup.h"
#include "machine/vm.h"
#include "machine/vm_state.h"
#include "save.h"
#include "shell_word.h"
#include "snapshot/file.h"
#include "snapshot/handover.h"
#include "snapshot/stream.h"

/* --- saving ----------------------------------------------------------------------------------- */

/* Freezes all devices. If one cannot be, those before it are thawed. Returns 0 or -EBUSY (said). */
static int freeze_devices(struct vm *vm)
{
	for (unsigned i = 0; i < vm->device_count; i++) {
		int ret = virtio_freeze(vm->devices[i].virtio);

		if (ret == 0)
			continue;
		say("%s: no checkpoint: the host does not return from a request of device %u, %s",
			vm->options->checkpoint.path, i, vm->devices[i].virtio->ops->name);
		while (i-- > 0)
			virtio_thaw(vm->devices[i].virtio);
		return ret;
	}
	return 0;
}

static void thaw_devices(struct vm *vm)
{
	for (unsigned i = 0; i < vm->device_count; i++)
		virtio_thaw(vm->devices[i].virtio);
}

static int write_file(struct vm *vm, struct snapshot_stream *stream)
{
	struct setup setup;
	int ret;

	setup_of(vm, &setup);
	setup_transfer(&setup, stream);
	setup_transfer_image(vm->boot, stream);
	ret = vm_state_save(vm, stream);
	if (ret < 0)
		return ret;
	ret = snapshot_file_write(vm->checkpoint.fd, vm->options->checkpoint.path, vm->memory.host,
		vm->memory.size, stream);
	if (ret == 0 && keeper_is_open(vm))
		ret = handover_seal(vm->checkpoint.fd, vm->options->checkpoint.path);
	return ret;
}

/* Saves a machine whose CPUs are at rest, and its devices as well meanwhile. If the machine is not
 * to go on, it has ended then: what is not done yet is the clones' to do. Returns 0 or -errno
 * (said). */
static int save_at_rest(struct vm *vm)
{
	struct snapshot_stream stream;
	int ret = freeze_devices(vm);

	if (ret < 0)
		return ret;
	snapshot_write(&stream);
	ret = write_file(vm, &stream);
	snapshot_free(&stream);
	if (ret < 0 || vm->options->checkpoint.goes_on)
		thaw_devices(vm);
	else
		vm->checkpoint.has_ended = vm_end(vm, 0);
	return ret;
}

/* Saves the machine. A machine that is not to go on has ended before its CPUs could, whether it was
 * saved or not. Returns 0, -ECANCELED if a CPU has ended the machine before it was at rest, or
 * another -errno (said). */
static int save(struct vm *vm)
{
	int ret = 0;

	if (vm_pause(vm) < 0) {
		say("%s: no checkpoint: a CPU does not stop, since its output waits for a reader",
			vm->options->checkpoint.path);
		ret = -EBUSY;
	} else if (!vm_running(vm)) {
		ret = -ECANCELED;
	} else {
		ret = save_at_rest(vm);
	}
	if (ret < 0 && ret != -ECANCELED && !vm->options->checkpoint.goes_on)
		vm_end(vm, EXIT_STATUS_VOLE);
	vm_resume(vm);
	return ret;
}

static void take(struct vm *vm)
{
	const char *path = vm->options->checkpoint.path;
	int ret = save(vm);

	vm->checkpoint.is_done = ret != -ECANCELED;
	if (ret == 0)
		say("%s: the machine is saved; \"vole clone %s\" goes on from here%s", path,
			shell_word(path), keeper_is_open(vm) ? ", until this vole is ended" : "");
}

/* Guest time has come, by the virtual clock. With the host's there is a timer. */
static bool is_time(const struct vm *vm)
{
	const struct checkpoint_options *options = &vm->options->checkpoint;

	return options->has_time && vm_is_virtual(vm) &&
	       vm->engine->ops->now(vm->engine) >= options->time_ns;
}

void checkpoint_look(struct vm *vm)
{
	struct vm_checkpoint *checkpoint = &vm->checkpoint;

	if (checkpoint->fd < 0 || checkpoint->is_done || !vm_running(vm))
		return;
	if (atomic_load(&checkpoint->is_asked) || is_time(vm))
		take(vm);
}

/* --- being asked ------------------------------------------------------------------------------ */

/* An engine with threads is stopped here; another one, between two calls of its run(). */
static void wake_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, checkpoint.wake);

	io_event_clear(source->fd);
	if (!vm->engine->ops->run)
		checkpoint_look(vm);
}

static void ask(struct vm *vm)
{
	atomic_store(&vm->checkpoint.is_asked, true);
	io_event_signal(vm->checkpoint.wake.fd);
}

static void timer_ready(struct io_source *source)
{
	io_event_clear(source->fd);
	ask(container_of(source, struct vm, checkpoint.timer));
}

int checkpoint_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	struct vm *vm = cpu->ctx;

	(void)port;
	if (len != sizeof vm->generation)
		return -ENXIO;
	if (!is_write) {
		memcpy(data, &vm->generation, len);
		return 0;
	}
	if (vm->checkpoint.fd < 0 || vm->options->checkpoint.has_time)
		return 0;
	/* The first one alone: no CPU waits for a checkpoint that was taken. */
	if (atomic_exchange(&vm->checkpoint.is_asked, true))
		return 0;
	if (vm->engine->ops->yield)
		vm->engine->ops->yield(vm->engine);
	else
		vm->engine->ops->hold(vm->engine, cpu->id);
	io_event_signal(vm->checkpoint.wake.fd);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

int checkpoint_open(struct vm *vm)
{
	struct vm_checkpoint *checkpoint = &vm->checkpoint;

	if (!vm->options->checkpoint.path)
		return 0;
	if (unix_socket_path(vm->options->checkpoint.path))
		checkpoint->fd = keeper_open(vm);
	else
		checkpoint->fd = snapshot_file_create(vm->options->checkpoint.path);
	if (checkpoint->fd < 0)
		return checkpoint->fd;
	checkpoint->wake = (struct io_source){.fd = io_event_open(), .ready = wake_ready};
	if (checkpoint->wake.fd < 0)
		return checkpoint->wake.fd;
	return io_loop_add(&vm->loop, &checkpoint->wake, EPOLLIN);
}

int checkpoint_begin(struct vm *vm)
{
	const struct checkpoint_options *options = &vm->options->checkpoint;
	int ret;

	if (!options->has_time || vm_is_virtual(vm))
		return 0;
	if (options->time_ns == 0) {
		ask(vm);
		return 0;
	}
	ret = io_timer_add(&vm->loop, &vm->checkpoint.timer, timer_ready);
	if (ret < 0)
		return ret;
	ret = io_timer_set(&vm->checkpoint.timer, options->time_ns, 0);
	if (ret < 0)
		say("timerfd: %s", error_text(-ret));
	return ret;
}

void checkpoint_close(struct vm *vm)
{
	file_close(&vm->checkpoint.timer.fd);
	file_close(&vm->checkpoint.wake.fd);
	keeper_close(vm);
	if (vm->checkpoint.fd >= 0)
		file_close(&vm->checkpoint.fd);
}

void checkpoint_say_missing(const struct vm *vm)
{
	const struct checkpoint_options *options = &vm->options->checkpoint;

	if (!options->path || vm->checkpoint.is_done)
		return;
	if (options->has_time || atomic_load(&vm->checkpoint.is_asked))
		say("%s: no checkpoint was taken: the machine ended before it could be saved",
			options->path);
	else
		say("%s: no checkpoint was taken: the guest did not write to port 0x%x",
			options->path, VOLE_PORT_CHECKPOINT);
}
