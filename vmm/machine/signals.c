/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "container.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "machine/devices.h"
#include "machine/pending.h"
#include "machine/recording.h"
#include "machine/state_report.h"
#include "machine/vm.h"
#include "monotonic.h"

void signal_let_through(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void for_each_chardev(struct vm *vm, void (*fn)(struct chardev *))
{
	fn(&vm->serial.chardev);
	for (unsigned i = 0; i < vm->console_count; i++)
		fn(&vm->consoles[i].chardev);
}

/* As if the signal had not been held back: all threads stop, where job control permits it. */
static void stop_process(void)
{
	sigset_t before;

	pthread_sigmask(SIG_BLOCK, NULL, &before);
	signal_let_through(SIGTSTP);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* SIGSTOP leaves the terminal raw, since no process is told before it comes. */
static void stop(struct vm *vm)
{
	for_each_chardev(vm, chardev_suspend);
	stop_process();
	for_each_chardev(vm, chardev_resume);
}

static void look_at_windows(struct vm *vm)
{
	for (unsigned i = 0; i < vm->console_count; i++) {
		if (!vm->consoles[i].chardev.is_terminal)
			continue;
		if (vm->recording)
			outside_port_ready(&vm->recording->outside, i);
		else
			virtio_config_changed(&vm->console.dev);
	}
}

static void signal_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, signals);
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof info) != sizeof info)
		return;
	switch (info.ssi_signo) {
	case SIGWINCH:
		look_at_windows(vm);
		break;
	case SIGTSTP:
		stop(vm);
		break;
	case SIGCONT:
		for_each_chardev(vm, chardev_resume);
		break;
	case SIGUSR1:
		devices_resize_disks(vm);
		break;
	case SIGQUIT:
		if (vm_running(vm)) {
			state_report_request(vm);
			break;
		}
		/* SIGQUIT came as the machine ended by itself: nothing is left to report. */
		if (!vm->has_stopped)
			break;
		__attribute__((fallthrough));
	default:
		atomic_store(&vm->signal, (int)info.ssi_signo);
		vm_discard_output(vm);
		vm_end_outside(vm, EXIT_STATUS_VOLE);
	}
}

/* nohup(1), or a shell that starts a job in the background, made us deaf to it; a blocked signal
 * would be heard all the same. */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_open(struct vm *vm)
{
	static const int wanted[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGTSTP, SIGCONT};
	sigset_t set;

	/* SIGQUIT asks for a report, also a machine that a script has started by "&". */
	signal(SIGQUIT, SIG_DFL);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (!is_ignored(wanted[i]))
			sigaddset(&set, wanted[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	vm->signals = (struct io_source){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = signal_ready,
	};
	if (vm->signals.fd < 0) {
		say("signalfd: %s", error_text(errno));
		return -errno;
	}
	return io_loop_add_control(&vm->loop, &vm->signals, EPOLLIN);
}

void signals_stopped(struct vm *vm)
{
	struct pollfd in = {.fd = vm->signals.fd, .events = POLLIN};

	while (poll(&in, 1, 0) > 0)
		signal_ready(&vm->signals);
	vm->has_stopped = true;
}

int signals_take(struct vm *vm)
{
	struct signalfd_siginfo info;
	int signal;

	if (read(vm->signals.fd, &info, sizeof info) != sizeof info)
		return 0;
	signal = (int)info.ssi_signo;
	if (signal == SIGTSTP)
		stop_process();
	if (!signal_ends(signal) && signal != SIGQUIT)
		return 0;
	atomic_store(&vm->signal, signal);
	return -EINTR;
}

int signals_wait(void *ctx, unsigned ms)
{
	struct vm *vm = ctx;
	uint64_t timeout_ns = vm->options->timeout * UINT64_C(1000000000);
	struct pollfd in = {.fd = vm->signals.fd, .events = POLLIN};

	if (timeout_ns > 0 && monotonic_ns() - vm->began_ns >= timeout_ns)
		return -ETIMEDOUT;
	return poll(&in, 1, (int)ms) > 0 ? signals_take(vm) : 0;
}

void signals_close(struct vm *vm)
{
	file_close(&vm->signals.fd);
}
