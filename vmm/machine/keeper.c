/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/keeper.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "error_text.h"
#include "io/file.h"
#include "io/unix_socket.h"
#include "log.h"
#include "machine/signals.h"
#include "machine/vm.h"
#include "snapshot/handover.h"

int keeper_open(struct vm *vm)
{
	struct listener *listener = &vm->checkpoint.listener;
	const char *name = vm->options->checkpoint.path;
	int ret;

	ret = listener_open(listener, &vm->loop, "checkpoint", unix_socket_path(name), NULL);
	if (ret < 0)
		return ret;
	listener_pause(listener);
	return handover_make(name);
}

bool keeper_is_open(const struct vm *vm)
{
	return vm->checkpoint.listener.socket.fd >= 0;
}

/* Hands the checkpoint over to a client. Returns 0, -EAGAIN if no client waits, or another
 * -errno. */
static int hand_over(struct vm_checkpoint *checkpoint)
{
	int client = accept4(checkpoint->listener.socket.fd, NULL, NULL, SOCK_CLOEXEC);
	int ret;

	if (client < 0)
		return -errno;
	ret = handover_send(client, checkpoint->fd);
	file_close(&client);
	return ret;
}

/* Returns whether clients can be served after this result of hand_over(): a client that has gone
 * needs nothing. */
static bool goes_on(int ret)
{
	return ret == 0 || ret == -EINTR || ret == -ECONNABORTED || ret == -EPIPE ||
	       ret == -ECONNRESET;
}

/* Hands the checkpoint over to all clients that wait. Returns how many milliseconds the socket is
 * to be left alone. */
static int hand_over_all(struct vm_checkpoint *checkpoint)
{
	struct listener *listener = &checkpoint->listener;
	int ret;

	do
		ret = hand_over(checkpoint);
	while (goes_on(ret));
	if (ret == -EAGAIN) {
		listener->failed = false;
		return 0;
	}
	if (!listener->failed)
		say("--checkpoint %s: no client can be served: %s", listener->where,
			error_text(-ret));
	listener->failed = true;
	return 1000;
}

void keeper_serve(struct vm *vm)
{
	struct pollfd ready[] = {
		{.fd = vm->signals.fd, .events = POLLIN},
		{.fd = vm->checkpoint.listener.socket.fd, .events = POLLIN},
	};

	if (!keeper_is_open(vm) || !vm->checkpoint.has_ended)
		return;
	/* One may have come while the machine was saved. */
	while (atomic_load(&vm->signal) == 0 && signals_take(vm) == 0) {
		int pause = hand_over_all(&vm->checkpoint);

		poll(ready, pause > 0 ? 1 : 2, pause > 0 ? pause : -1);
	}
}

void keeper_close(struct vm *vm)
{
	listener_close(&vm->checkpoint.listener);
}
