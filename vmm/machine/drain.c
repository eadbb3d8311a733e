/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/drain.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "exit_status.h"
#include "io/chardev.h"
#include "log.h"
#include "machine/vm.h"

/* Serve what the guest handed over. True if there is more to do at once. */
static bool serve_all(struct vm *vm)
{
	bool more = false;

	for (unsigned i = 0; i < vm->device_count; i++)
		for (unsigned queue = 0; queue < vm->devices[i].virtio->queue_count; queue++)
			more |= virtio_serve(vm->devices[i].virtio, queue);
	if (vm->serial.present)
		more |= uart_ready(&vm->serial.uart);
	return more;
}

/* Console ports, serial port, keys, signals, clock. */
#define DRAIN_FDS (VIRTIO_CONSOLE_PORTS_MAX + 4)

/* How often pseudo-terminals are looked at; and how often nothing may have been read. */
#define LINGER_MS    10
#define LINGER_LOOKS 200

/* Of two limits: -1 is none. */
static int longer(int a, int b)
{
	return a < 0 || b < 0 ? -1 : a > b ? a : b;
}

/* One that waits for its host to take output. For how long, in milliseconds; -1: without limit. A
 * pseudo-terminal may be one that nobody opens. */
static int wait_for(struct pollfd *place, const struct chardev *chardev)
{
	place->fd = chardev->out;
	return chardev->slave >= 0 ? LINGER_MS * LINGER_LOOKS : -1;
}

/* A device that failed writes nothing more, whatever it waited for when it did. */
static bool port_waits(const struct vm *vm, const struct console_port *port)
{
	return port->output_wanted && virtio_queue_live(&vm->console.dev, port->transmit);
}

/* Who waits for the host to take output, and the others' places empty: they would be always ready.
 * For how long at most, as wait_for(); 0: nobody does. */
static int find_waiting(const struct vm *vm, struct pollfd fds[DRAIN_FDS])
{
	int limit = 0;

	for (unsigned i = 0; i <= VIRTIO_CONSOLE_PORTS_MAX; i++)
		fds[i] = (struct pollfd){.fd = -1, .events = POLLOUT};
	for (unsigned i = 0; i < vm->console_count; i++)
		if (port_waits(vm, &vm->console.ports[i]))
			limit = longer(limit, wait_for(&fds[i], &vm->consoles[i].chardev));
	if (vm->serial.uart.output_wanted)
		limit = longer(
			limit, wait_for(&fds[VIRTIO_CONSOLE_PORTS_MAX], &vm->serial.chardev));
	return limit;
}

/* The one whose terminal has keys for vole; NULL if none has. */
static struct chardev *find_keys(struct vm *vm)
{
	if (chardev_keys(&vm->serial.chardev) >= 0)
		return &vm->serial.chardev;
	for (unsigned i = 0; i < vm->console_count; i++)
		if (chardev_keys(&vm->consoles[i].chardev) >= 0)
			return &vm->consoles[i].chardev;
	return NULL;
}

/* What can be done without a wait may be done still, when the time is over. */
#define OVERTIME_NS SECOND_NS

/*
 * The clock ends a wait at once. What needs none, being busy, may go on for a moment: a guest that
 * ended just in time has its last requests done. But it could ask for hours of work.
 */
static void time_is_over(struct vm *vm, bool busy)
{
	const char *lost = busy ? "what it asked for last is not done" : "nobody takes its output";

	if (busy && !vm->grace_used && io_timer_set(&vm->timer, OVERTIME_NS, 0) == 0) {
		vm->grace_used = true;
		return;
	}
	vm->discard_output = true;
	vm_output_lost(vm, EXIT_STATUS_TIMEOUT);
	say("time-out after %u seconds: the guest has ended, but %s", vm->options->timeout, lost);
}

/* Until one of them can go on, or the end may not wait any longer: a user at a raw terminal has no
 * other way to say so than ^A x. Without a timeout there is something to do meanwhile. False if
 * nothing happened. */
static bool wait_for_takers(struct vm *vm, struct pollfd fds[DRAIN_FDS], int timeout)
{
	struct chardev *terminal = find_keys(vm);
	struct pollfd *keys = &fds[DRAIN_FDS - 3];
	struct pollfd *signals = &fds[DRAIN_FDS - 2], *timer = &fds[DRAIN_FDS - 1];
	int ready;

	*keys = (struct pollfd){.fd = terminal ? chardev_keys(terminal) : -1, .events = POLLIN};
	*signals = (struct pollfd){.fd = vm->signals.fd, .events = POLLIN};
	*timer = (struct pollfd){.fd = vm->timer.fd, .events = POLLIN};
	ready = poll(fds, DRAIN_FDS, timeout);
	if (ready < 0 && errno != EINTR) {
		say("poll: %s", strerror(errno));
		vm->discard_output = true; /* what is not taken by now is lost */
		vm_output_lost(vm, EXIT_STATUS_VOLE);
	}
	if (ready <= 0)
		return ready < 0;
	for (unsigned i = 0; i < vm->console_count; i++)
		if (fds[i].revents)
			virtio_backend_ready(&vm->console.dev, i);
	if (keys->revents)
		chardev_take_keys(terminal);
	if (signals->revents)
		vm->signals.ready(&vm->signals);
	if (timer->revents)
		time_is_over(vm, timeout == 0);
	return true;
}

/* False if pseudo-terminals were given up. */
static bool serve_to_the_end(struct vm *vm)
{
	/* A ring that was laid over itself could go on for ever. */
	unsigned passes = VIRTIO_PASSES_MAX;
	struct pollfd fds[DRAIN_FDS];
	bool more = serve_all(vm);
	int limit;

	while (!vm->discard_output && ((limit = find_waiting(vm, fds)) != 0 || more)) {
		if (!wait_for_takers(vm, fds, more ? 0 : limit) && !more)
			return false;
		passes -= passes > 0;
		more = serve_all(vm) && passes > 0;
	}
	return true;
}

static unsigned unread(const struct vm *vm)
{
	unsigned sum = chardev_unread(&vm->serial.chardev);

	for (unsigned i = 0; i < vm->console_count; i++)
		sum += chardev_unread(&vm->consoles[i].chardev);
	return sum;
}

/*
 * What a pseudo-terminal holds would be lost with it: who reads it is waited for, and who does not,
 * for two seconds. Twice nothing, since the kernel hands on what it holds in parts.
 */
static void linger(struct vm *vm)
{
	struct pollfd fds[DRAIN_FDS] = {0};
	unsigned looks = 0, nothing = 0, last = 0;

	for (unsigned i = 0; i < DRAIN_FDS; i++)
		fds[i].fd = -1;
	while (!vm->discard_output && nothing < 2 && looks < LINGER_LOOKS) {
		unsigned now = unread(vm);

		nothing = now == 0 ? nothing + 1 : 0;
		looks = now == last ? looks + 1 : 0;
		last = now;
		if (now > 0)
			wait_for_takers(vm, fds, LINGER_MS);
		else if (nothing < 2)
			poll(NULL, 0, LINGER_MS);
	}
}

static bool has_pty(const struct vm *vm)
{
	bool found = vm->serial.chardev.slave >= 0;

	for (unsigned i = 0; i < vm->console_count; i++)
		found |= vm->consoles[i].chardev.slave >= 0;
	return found;
}

void drain(struct vm *vm)
{
	int status = atomic_load(&vm->status);

	/* No end of the guest's own. */
	if (status == EXIT_STATUS_TIMEOUT || status == EXIT_STATUS_VOLE)
		vm->discard_output = true;
	if (serve_to_the_end(vm) && has_pty(vm))
		linger(vm);
}
