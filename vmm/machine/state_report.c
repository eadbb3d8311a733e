/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/state_report.h"

#include <sys/epoll.h>

#include "container.h"
#include "io/file.h"
#include "log.h"
#include "machine/core_file.h"
#include "machine/examine.h"
#include "machine/screen.h"
#include "machine/vm.h"
#include "see/state_text.h"

/* Says it after this title, if there is one. */
static void say_state(const struct state *state, const char *title)
{
	struct text text;

	text_begin(&text);
	if (title)
		text_line(&text, "%s", title);
	state_report(state, &text);
	say_lines(text_lines(&text));
}

/* The CPUs were paused when it was asked for, and all kicks from before were served since: the loop
 * serves sources in the order in which they became ready. The CPUs go on before the report is
 * written, which may take a while; but a core file shows them and all memory at one moment. */
static void report_ready(struct io_source *source)
{
	struct vm *vm = container_of(source, struct vm, state_report);
	struct state state;
	int ret;

	io_event_clear(source->fd);
	ret = vm_running(vm) ? examine(vm, &state) : -1;
	if (ret == 0)
		core_file_write(vm);
	vm_resume(vm);
	vm->report_asked = false;
	if (ret < 0)
		return;
	views_flush(&vm->views);
	say_state(&state, "state of the machine:");
	screen_show(vm);
	examine_free(&state);
}

int state_report_open(struct vm *vm)
{
	vm->state_report = (struct io_source){.fd = io_event_open(), .ready = report_ready};
	if (vm->state_report.fd < 0)
		return vm->state_report.fd;
	/* No control source: it has to come after the kicks. */
	return io_loop_add(&vm->loop, &vm->state_report, EPOLLIN);
}

void state_report_close(struct vm *vm)
{
	file_close(&vm->state_report.fd);
}

void state_report_request(struct vm *vm)
{
	if (!vm_running(vm) || vm->report_asked)
		return;
	vm->report_asked = true;
	vm_pause(vm);
	io_event_signal(vm->state_report.fd);
}

void state_report_end(struct vm *vm)
{
	struct state state;

	/* Devices that were kicked just before the end. */
	io_loop_serve(&vm->loop, 0);
	if (examine(vm, &state) < 0)
		return;
	say_state(&state, NULL); /* the reason for the end is its title */
	examine_free(&state);
}
