/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/monitor.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "error_text.h"
#include "machine/core_file.h"
#include "machine/examine.h"
#include "machine/monitor_tables.h"
#include "machine/screen.h"
#include "machine/vm.h"
#include "numbers.h"
#include "see/state_text.h"
#include "shell_word.h"

/* What a command is given. */
struct request {
	struct vm *vm;
	struct cpu *cpu;
	const char *argument; /* what follows the command's name; "" if nothing does */
	struct text *text;
};

/* Calls describe with the state of the machine. */
static void with_state(
	const struct request *request, void (*describe)(const struct state *, struct text *))
{
	struct state state;

	if (examine(request->vm, &state) < 0)
		return;
	describe(&state, request->text);
	examine_free(&state);
}

static void describe_devices(const struct state *state, struct text *text)
{
	state_report_parts(state, STATE_TEXT_DEVICES, text);
}

static void show_devices(const struct request *request)
{
	with_state(request, describe_devices);
}

static void describe_queue(unsigned device, const char *name, unsigned index,
	const struct virtq_view *queue, struct text *text)
{
	text_add(text, "  device %u, %s, queue %u: ", device, name, index);
	if (!queue->ready) {
		text_line(text, "%s", queue->exists ? "not ready" : "not there");
		return;
	}
	text_add(text, "%s, size %u", queue->packed ? "packed" : "split", queue->size);
	if (!queue->packed)
		text_add(text,
			", available index %u (0x%08" PRIx64 "), used index %u (0x%08" PRIx64 ")",
			queue->available, queue->available_at, queue->used_seen, queue->used_at);
	text_line(text, "; taken up to %u, given back up to %u, %u waiting%s", queue->taken,
		queue->used, queue->waiting, queue->unnoticed ? ", not notified" : "");
}

static void describe_queues(const struct state *state, struct text *text)
{
	for (unsigned i = 0; i < state->device_count; i++) {
		const struct virtio_view *view = &state->devices[i].view;

		for (unsigned queue = 0; queue < view->queue_count; queue++)
			describe_queue(i, view->name, queue, &view->queues[queue], text);
	}
}

static void show_queues(const struct request *request)
{
	with_state(request, describe_queues);
}

static void add_vectors(struct text *text, const char *what, const uint32_t bits[8])
{
	bool is_empty = true;

	text_add(text, ", %s", what);
	for (unsigned vector = 0; vector < 256; vector++) {
		if (!(bits[vector / 32] >> vector % 32 & 1))
			continue;
		text_add(text, " 0x%02x", vector);
		is_empty = false;
	}
	text_add(text, "%s", is_empty ? " none" : "");
}

static void describe_lapic(unsigned id, const struct cpu_state *cpu, struct text *text)
{
	text_add(text, "  CPU %u: interrupts %s, local APIC %s, task priority 0x%02x", id,
		cpu->interrupts_on ? "on" : "off",
		!cpu->lapic.present || !cpu->lapic.enabled ? "off"
		: cpu->lapic.svr & 0x100                   ? "on"
							   : "off by software",
		cpu->lapic.tpr);
	add_vectors(text, "pending", cpu->lapic.irr);
	add_vectors(text, "in service", cpu->lapic.isr);
	text_line(text, "%s", "");
}

static void describe_pin(unsigned number, const struct state_pin *pin, struct text *text)
{
	if (!pin->owner && pin->pin.obstacle != IOAPIC_OPEN)
		return;
	text_line(text, "  pin %u (%s): %s, vector 0x%02x to %s %u, %u edges lost", number,
		pin->owner ? pin->owner : "nothing",
		pin->pin.obstacle == IOAPIC_OPEN     ? "open"
		: pin->pin.obstacle == IOAPIC_MASKED ? "masked"
						     : "without a valid message",
		pin->pin.vector, pin->pin.is_logical ? "logical destination" : "local APIC",
		pin->pin.destination, pin->pin.lost);
}

static void describe_interrupts(const struct state *state, struct text *text)
{
	for (unsigned i = 0; i < state->cpu_count; i++)
		if (state->cpus[i].is_known)
			describe_lapic(i, &state->cpus[i].state, text);
	for (unsigned i = 0; state->has_ioapic && i < IOAPIC_PINS; i++)
		describe_pin(i, &state->pins[i], text);
	state_report_parts(state, STATE_TEXT_INTERRUPTS, text);
}

static void show_interrupts(const struct request *request)
{
	with_state(request, describe_interrupts);
}

static void show_pages(const struct request *request)
{
	const char *argument = request->argument;
	uint64_t address;

	if (parse_hex(argument, UINT64_MAX, &address) == 0)
		monitor_pages(request->cpu, address, request->text);
	else if (strchr("&$_", *argument) || isalpha((unsigned char)*argument))
		text_line(request->text,
			"pages %s: not an address; gdb computes one: "
			"eval \"monitor pages %%p\", %s%s",
			argument, strchr("&$", *argument) ? "" : "&", argument);
	else
		text_line(request->text, "pages %s: not an address", argument);
}

static void show_idt(const struct request *request)
{
	monitor_idt(request->cpu, request->text);
}

static void show_gdt(const struct request *request)
{
	monitor_gdt(request->cpu, request->text);
}

static void show_exits(const struct request *request)
{
	struct engine *engine = request->vm->engine;
	char counts[128];

	for (unsigned i = 0; i < request->vm->options->cpu_count; i++) {
		engine->ops->describe(engine, i, counts, sizeof counts);
		text_line(request->text, "  CPU %u: %s", i, counts);
	}
}

static void show_screen(const struct request *request)
{
	screen_describe(request->vm, request->text);
}

/* Writes the file of --core, which is open, or one of the user's choice. */
static void save_core(const struct request *request)
{
	struct vm *vm = request->vm;
	const char *path = *request->argument ? request->argument : vm->options->core;
	enum sandbox_mode sandbox = vm->options->sandbox;
	bool is_shut_in = sandbox == SANDBOX_DEFAULT || sandbox == SANDBOX_ON;
	int ret = 0;

	if (!path || (*request->argument && is_shut_in)) {
		text_line(request->text,
			"%s: start vole with --core FILE, and \"monitor core\" "
			"writes that file%s",
			path ? "the sandbox opens no new file" : "there is no file to write",
			path ? ", or with --sandbox off" : "");
		return;
	}
	if (strcmp(path, "-") == 0) {
		text_line(request->text, "core -: standard output is the guest's; name a file");
		return;
	}
	if (*request->argument)
		ret = core_file_save(vm, path);
	if (ret < 0)
		text_line(request->text, "core %s: %s", path, error_text(-ret));
	else if (!*request->argument && !core_file_write(vm))
		text_line(request->text, "core %s: not written; vole's standard error says why",
			path);
	else
		text_line(request->text, "core file: gdb %s %s", shell_word(vm->options->kernel),
			shell_word(path));
}

static void help(const struct request *request);

static const struct {
	const char *name, *argument;
	bool is_optional; /* the argument */
	void (*run)(const struct request *request);
	const char *help;
} commands[] = {
	{"devices", "", false, show_devices, "each virtio device, and what is unusual about it"},
	{"queues", "", false, show_queues, "each virtqueue, with its indices"},
	{"interrupts", "", false, show_interrupts,
		"local APICs, pins, and what keeps interrupts away"},
	{"pages", " ADDRESS", false, show_pages,
		"the paging-structure entries of a linear address"},
	{"idt", "", false, show_idt, "the interrupt descriptor table of this CPU"},
	{"gdt", "", false, show_gdt, "the global descriptor table of this CPU"},
	{"exits", "", false, show_exits, "how often each CPU has left guest code"},
	{"screen", "", false, show_screen, "the screen of a Multiboot kernel"},
	{"core", " FILE", true, save_core, "writes a core file, the one of --core or a new one"},
	{"help", "", false, help, "this list"},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void help(const struct request *request)
{
	for (size_t i = 0; i < COMMANDS; i++)
		text_line(request->text, "  monitor %s%s%*s%s", commands[i].name,
			commands[i].argument,
			(int)(18 - strlen(commands[i].name) - strlen(commands[i].argument)), "",
			commands[i].help);
	text_line(
		request->text, "  monitor physical on|off   whether addresses are physical (off)");
}

void monitor(void *vm, struct cpu *cpu, const char *command, struct text *text)
{
	size_t len = strcspn(command, " ");
	const char *argument = command + len + strspn(command + len, " ");
	const struct request request = {vm, cpu, argument, text};

	for (size_t i = 0; i < COMMANDS; i++) {
		if (len != strlen(commands[i].name) || strncmp(command, commands[i].name, len) != 0)
			continue;
		if ((*commands[i].argument == '\0') == (*argument == '\0') ||
			(commands[i].is_optional && *argument == '\0'))
			commands[i].run(&request);
		else
			text_line(text, "monitor %s%s", commands[i].name, commands[i].argument);
		return;
	}
	text_line(text, "vole has no command \"%s\"; there are:", command);
	help(&request);
}
