/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/drain.h"

#include <errno.h>
#include <poll.h>

#include "error_text.h"
#include "exit_status.h"
#include "io/chardev.h"
#include "log.h"
#include "machine/debugger.h"
#include "machine/recording.h"
#include "machine/vm.h"

/* Serves the serial port and all queues that no worker serves. Returns true if there is more to do
 * at once. */
static bool serve_all(struct vm *vm)
{
	bool more = false;

	for (unsigned i = 0; i < vm->device_count; i++) {
		struct virtio_device *virtio = vm->devices[i].virtio;

		for (unsigned queue = 0; !vm->devices[i].worker && queue < virtio->queue_count;
			queue++)
			more |= virtio_serve(virtio, queue);
	}
	if (vm->serial.present)
		more |= uart_ready(&vm->serial.uart);
	return more;
}

/* Console ports, serial port, debugger, keys, signals, clock. */
#define DRAIN_FDS (VIRTIO_CONSOLE_PORTS_MAX + 5)

/* Milliseconds between two looks at pseudo-terminals, and the number of looks in a row after which
 * vole gives up: at which nothing had been read, and at which nobody had one open. That something
 * was read shows at once where there is less, and within eight seconds in any case. */
#define LINGER_MS          10
#define LINGER_LOOKS       2000
#define LINGER_LOOKS_ALONE 200

/* The number of looks in a row at which all are empty. The kernel hands the next part of what it
 * holds on at the end of the read(2) that has left nothing, and the reader's thread may have to
 * wait for a processor before that. */
#define LINGER_LOOKS_EMPTY 5

/* Milliseconds after which output that waits for a pseudo-terminal's reader is tried again: he may
 * have left, which nothing tells. */
#define RETRY_MS 100

/* Returns whether a port waits for its host to take output. A device that failed does not. */
static bool port_waits(const struct vm *vm, unsigned index)
{
	const struct console_port *port = &vm->console.ports[index];

	if (vm->recording)
		return outside_port_waits(&vm->recording->outside, index);
	return port->output_wanted && virtio_queue_live(&vm->console.dev, port->transmit);
}

static bool serial_waits(const struct vm *vm)
{
	if (vm->recording)
		return outside_port_waits(&vm->recording->outside, RECORDING_SERIAL);
	return vm->serial.uart.output_wanted;
}

bool output_waits(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->console_count; i++)
		if (port_waits(vm, i))
			return true;
	return serial_waits(vm);
}

/* Returns the shorter of two waits in milliseconds: 0 is none, -1 one without limit. */
static int shorter(int a, int b)
{
	return a > 0 ? a : b;
}

/* Has *place poll for output to a console that has some pending. Returns how many milliseconds to
 * wait for it; -1: without limit. */
static int wait_for(struct pollfd *place, const struct chardev *chardev)
{
	place->fd = chardev->out;
	return chardev->is_pty ? RETRY_MS : -1;
}

/* Fills fds with the consoles that have pending output; fd is -1 for the others, so that poll()
 * ignores them. Returns how many milliseconds to wait at most, -1 without limit; 0 if no console
 * has pending output. */
static int find_waiting(const struct vm *vm, struct pollfd fds[DRAIN_FDS])
{
	int limit = 0;

	for (unsigned i = 0; i <= VIRTIO_CONSOLE_PORTS_MAX; i++)
		fds[i] = (struct pollfd){.fd = -1, .events = POLLOUT};
	for (unsigned i = 0; i < vm->console_count; i++)
		if (port_waits(vm, i))
			limit = shorter(limit, wait_for(&fds[i], &vm->consoles[i].chardev));
	if (serial_waits(vm))
		limit = shorter(
			limit, wait_for(&fds[VIRTIO_CONSOLE_PORTS_MAX], &vm->serial.chardev));
	return limit;
}

/* Fills fds for a wait for none of the consoles. */
static void find_none(struct pollfd fds[DRAIN_FDS])
{
	for (unsigned i = 0; i < DRAIN_FDS; i++)
		fds[i] = (struct pollfd){.fd = -1};
}

/* Returns the console whose terminal vole reads keys from; one without keys if there is none. */
static struct chardev *find_keys(struct vm *vm)
{
	for (unsigned i = 0; i < vm->console_count; i++)
		if (chardev_keys(&vm->consoles[i].chardev) >= 0)
			return &vm->consoles[i].chardev;
	return &vm->serial.chardev;
}

/* How long requests that need no wait are still served after the time-out. */
#define GRACE_NS SECOND_NS

/*
 * Handles the time-out. It ends a wait at once. While there is work that needs no wait (busy), the
 * guest gets GRACE_NS more, once, so that the last requests of a guest that ended just in time are
 * done; without the limit it could ask for hours of work.
 */
static void time_is_over(struct vm *vm, bool busy)
{
	const char *lost = busy                  ? "what it asked for last is not done"
			   : recording_waits(vm) ? "its record is not written"
						 : "nobody takes its output";

	if (busy && !vm->grace_used && io_timer_set(&vm->timer, GRACE_NS, 0) == 0) {
		vm->grace_used = true;
		return;
	}
	vm_discard_output(vm);
	vm_output_lost(vm, EXIT_STATUS_TIMEOUT);
	say("time-out after %u %s: the guest has ended, but %s", vm->options->timeout,
		vm->options->timeout == 1 ? "second" : "seconds", lost);
}

/* Waits until one of fds is ready, a key is pressed (^A x is the only way to leave a raw terminal),
 * or a signal or the time-out comes, and handles it. timeout is in milliseconds; busy is whether
 * there is work to do, as in time_is_over(). */
static void wait_for_output(struct vm *vm, struct pollfd fds[DRAIN_FDS], int timeout, bool busy)
{
	struct chardev *terminal = find_keys(vm);
	struct pollfd *debugger = &fds[DRAIN_FDS - 4], *keys = &fds[DRAIN_FDS - 3];
	struct pollfd *signals = &fds[DRAIN_FDS - 2], *timer = &fds[DRAIN_FDS - 1];
	int ready;

	*keys = (struct pollfd){.fd = chardev_keys(terminal), .events = POLLIN};
	*debugger = (struct pollfd){.fd = debugger_output(vm), .events = POLLIN};
	*signals = (struct pollfd){.fd = vm->signals.fd, .events = POLLIN};
	*timer = (struct pollfd){.fd = vm->timer.fd, .events = POLLIN};
	ready = poll(fds, DRAIN_FDS, timeout);
	if (ready < 0 && errno != EINTR) {
		say("poll: %s", error_text(errno));
		vm_discard_output(vm); /* output that is still pending is lost */
		vm_output_lost(vm, EXIT_STATUS_VOLE);
	}
	if (ready <= 0)
		return;
	for (unsigned i = 0; i < vm->console_count; i++)
		if (fds[i].revents)
			vm->consoles[i].chardev.ready(&vm->consoles[i]);
	if (vm->recording && fds[VIRTIO_CONSOLE_PORTS_MAX].revents)
		outside_port_ready(&vm->recording->outside, RECORDING_SERIAL);
	if (debugger->revents)
		debugger_forward(vm);
	if (keys->revents)
		chardev_take_keys(terminal);
	if (signals->revents)
		vm->signals.ready(&vm->signals);
	if (timer->revents)
		time_is_over(vm, busy);
}

/* Serves all requests and waits for their output. */
static void serve_to_the_end(struct vm *vm)
{
	/* A ring that was laid over itself could go on for ever. */
	unsigned passes = VIRTIO_PASSES_MAX;
	struct pollfd fds[DRAIN_FDS];
	bool more = serve_all(vm);
	int limit;

	while (!vm->discard_output && ((limit = find_waiting(vm, fds)) != 0 || more)) {
		wait_for_output(vm, fds, more ? 0 : limit, more);
		passes -= passes > 0;
		more = serve_all(vm) && passes > 0;
	}
}

/* Output that pseudo-terminals hold. */
struct held {
	unsigned bytes;
	uint64_t was_read; /* of all together: changes when one is read */
	bool has_reader;   /* somebody has one of those open that hold some */
};

static void add_held(struct held *held, struct chardev *chardev)
{
	struct pty_unread unread = chardev_unread(chardev);

	held->bytes += unread.bytes;
	held->was_read += unread.was_read;
	held->has_reader |= unread.bytes > 0 && chardev_has_reader(chardev);
}

static struct held find_held(struct vm *vm)
{
	struct held held = {0};

	add_held(&held, &vm->serial.chardev);
	for (unsigned i = 0; i < vm->console_count; i++)
		add_held(&held, &vm->consoles[i].chardev);
	return held;
}

/*
 * Waits until the output that pseudo-terminals hold was read, because closing them would lose it;
 * gives up when nothing is read for a while, since a program that has one open may read no more and
 * wait for vole's end.
 */
static void linger(struct vm *vm)
{
	unsigned idle = 0, alone = 0, empty = 0;
	struct pollfd fds[DRAIN_FDS];
	struct held last = {0};

	find_none(fds);
	while (!vm->discard_output && empty < LINGER_LOOKS_EMPTY && idle < LINGER_LOOKS &&
		alone < LINGER_LOOKS_ALONE) {
		struct held held = find_held(vm);

		empty = held.bytes == 0 ? empty + 1 : 0;
		alone = held.has_reader ? 0 : alone + 1;
		idle = held.bytes == last.bytes && held.was_read == last.was_read ? idle + 1 : 0;
		last = held;
		wait_for_output(vm, fds, LINGER_MS, false);
	}
}

static bool has_pty(const struct vm *vm)
{
	bool found = vm->serial.chardev.is_pty;

	for (unsigned i = 0; i < vm->console_count; i++)
		found |= vm->consoles[i].chardev.is_pty;
	return found;
}

/* --- disks ------------------------------------------------------------------------------------ */

/* How long a disk may take to return, in milliseconds, once its requests are not waited for any
 * more. */
#define STALL_MS 5000

static unsigned worker_count(const struct vm *vm)
{
	return vm->engine->ops->run ? 0 : vm->disk_count;
}

/* Waits until a disk's requests are done. When the user does not want to wait for that, the one
 * that the host is at still has a while; then the machine is left as it is. */
static void wait_for_worker(struct vm *vm, struct vm_disk *disk)
{
	struct pollfd fds[DRAIN_FDS];
	struct pollfd *rested = &fds[VIRTIO_CONSOLE_PORTS_MAX];

	find_none(fds);
	*rested = (struct pollfd){.fd = disk->worker.rested.fd, .events = POLLIN};
	while (!vm->discard_output && !rested->revents)
		wait_for_output(vm, fds, -1, true);
	if (rested->revents)
		return;
	worker_finish(&disk->worker, true);
	if (poll(rested, 1, STALL_MS) > 0)
		return;
	say("%s: the host does not return from a request; vole ends without it", disk->disk.path);
	vm->is_stuck = true;
}

void drain(struct vm *vm)
{
	int status = atomic_load(&vm->status);

	/* The guest did not end by itself. */
	if (status == EXIT_STATUS_TIMEOUT || status == EXIT_STATUS_VOLE)
		vm_discard_output(vm);
	for (unsigned i = 0; i < worker_count(vm); i++)
		worker_finish(&vm->disks[i].worker, vm->discard_output || vm->checkpoint.has_ended);
	if (!vm->checkpoint.has_ended)
		serve_to_the_end(vm);
	for (unsigned i = 0; i < worker_count(vm); i++)
		wait_for_worker(vm, &vm->disks[i]);
	if (has_pty(vm))
		linger(vm);
}

void drain_record(struct vm *vm)
{
	struct pollfd fds[DRAIN_FDS];

	find_none(fds);
	while (!vm->discard_output && recording_waits(vm))
		wait_for_output(vm, fds, RETRY_MS, false);
}
