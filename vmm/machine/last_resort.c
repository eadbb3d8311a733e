/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/last_resort.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "error_text.h"
#include "exit_status.h"
#include "io/loop.h"
#include "log.h"
#include "machine/pending.h"
#include "machine/signals.h"
#include "machine/vm.h"

/* The I/O thread is stuck if it has not heeded a signal at so many looks in a row, so many
 * milliseconds apart. */
#define LOOKS   10
#define LOOK_MS 500

/* What the thread looks at. */
enum { WATCH_QUIT, WATCH_HURRY, WATCH_SIGNALS, WATCH_TIMER, WATCH_COUNT };

static bool wait_for_event(struct pollfd fds[WATCH_COUNT], int timeout_ms)
{
	int ready;

	do
		ready = poll(fds, WATCH_COUNT, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* Something asks for the I/O thread. Returns whether it does not come. */
static bool is_stuck(const struct vm *vm, struct pollfd fds[WATCH_COUNT])
{
	struct pollfd *quit = &fds[WATCH_QUIT];

	for (unsigned i = 0; i < LOOKS; i++) {
		if (poll(quit, 1, LOOK_MS) > 0 || !wait_for_event(fds, 0) || quit->revents ||
			atomic_load(&vm->last_resort.is_excused))
			return false;
	}
	return true;
}

_Noreturn static void leave(struct vm *vm, int signal)
{
	int status = atomic_load(&vm->status);

	say("the host does not return from a request to a disk; vole ends without it");
	listener_unlink(&vm->serial.chardev.listener);
	for (unsigned i = 0; i < vm->console_count; i++)
		listener_unlink(&vm->consoles[i].chardev.listener);
	if (signal)
		signal_let_through(signal);
	_exit(status < 0 ? EXIT_STATUS_TIMEOUT : status);
}

static void *watch(void *arg)
{
	struct vm *vm = arg;
	struct pollfd fds[WATCH_COUNT] = {
		[WATCH_QUIT] = {.fd = vm->last_resort.quit, .events = POLLIN},
		[WATCH_HURRY] = {.fd = vm->last_resort.hurry, .events = POLLIN},
		[WATCH_SIGNALS] = {.fd = vm->signals.fd, .events = POLLIN},
		[WATCH_TIMER] = {.fd = vm->timer.fd, .events = POLLIN},
	};

	while (wait_for_event(fds, -1) && !fds[WATCH_QUIT].revents) {
		int signal;

		if (!is_stuck(vm, fds))
			continue;
		signal = atomic_load(&vm->signal);
		/* Others still wait for the I/O thread: they may tell of a window's size. */
		if (signal == 0)
			signal = pending_signal(signal_ends);
		if (signal || fds[WATCH_HURRY].revents || fds[WATCH_TIMER].revents)
			leave(vm, signal);
	}
	return NULL;
}

int last_resort_open(struct vm *vm)
{
	struct vm_last_resort *last_resort = &vm->last_resort;

	if (!vm->engine->ops->run || vm->disk_count == 0)
		return 0;
	last_resort->quit = io_event_open();
	if (last_resort->quit < 0)
		return last_resort->quit;
	last_resort->hurry = io_event_open();
	return last_resort->hurry < 0 ? last_resort->hurry : 0;
}

int last_resort_start(struct vm *vm)
{
	struct vm_last_resort *last_resort = &vm->last_resort;
	int error;

	if (last_resort->hurry < 0)
		return 0;
	error = pthread_create(&last_resort->thread, NULL, watch, vm);
	if (error)
		say("a thread: %s", thread_error_text(error));
	last_resort->started = error == 0;
	return -error;
}

void last_resort_close(struct vm *vm)
{
	struct vm_last_resort *last_resort = &vm->last_resort;

	if (last_resort->started) {
		io_event_signal(last_resort->quit);
		pthread_join(last_resort->thread, NULL);
	}
	if (last_resort->quit >= 0)
		close(last_resort->quit);
	if (last_resort->hurry >= 0)
		close(last_resort->hurry);
	last_resort->quit = last_resort->hurry = -1;
}
