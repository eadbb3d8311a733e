/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/check_say.h"

#include <stdarg.h>
#include <stdio.h>

#include "exit_status.h"
#include "log.h"

static void add_place(struct check *check, const struct event *event, int queue)
{
	const struct views *views = check->view.views;
	const struct check_device *device = check_device(check, event);
	struct place place;

	if (views->machine->place(views->ctx, event, &place))
		text_add(&check->text, ", CPU %d at %s", event->cpu, place.text);
	else if (queue != EVENT_NO_QUEUE && device->queues[queue].kicked_from.text[0])
		text_add(&check->text, ", last kicked at %s",
			device->queues[queue].kicked_from.text);
}

void check_fail(struct check *check)
{
	struct views *views = check->view.views;

	if (check->fatal)
		views->machine->fail(views->ctx, EXIT_STATUS_CHECK);
}

void check_broken(struct check *check, const struct event *event, enum check_rule rule, int queue,
	const char *format, ...)
{
	const struct check_rule_text *words = &check_rules[rule];
	struct check_device *device = check_device(check, event);
	uint64_t bit = UINT64_C(1) << rule;
	char did[256];
	va_list arguments;

	if (device->told & bit)
		return;
	device->told |= bit;
	check->broken |= bit;
	va_start(arguments, format);
	vsnprintf(did, sizeof did, format, arguments);
	va_end(arguments);

	text_begin(&check->text);
	text_add(&check->text, "device %u, %s", event->number, event->device->ops->name);
	if (queue != EVENT_NO_QUEUE)
		text_add(&check->text, ", queue %d", queue);
	text_add(&check->text, ": %s: %s (virtio %s, %s %s)", did, words->words, words->clause,
		words->is_hint ? "hint" : "rule", words->name);
	add_place(check, event, queue);
	text_line(&check->text, "%s", "");
	views_flush(check->view.views); /* what happened before comes first */
	say_lines(text_lines(&check->text));
	if (!words->is_hint)
		check_fail(check);
}
