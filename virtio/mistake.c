/* SPDX-License-Identifier: BSD-2-Clause */
/* The reports of a device: what virtio.h declares for them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vole/le.h>

#include "virtio.h"

/* Bytes of a report's text. */
#define TEXT_SIZE 256

/* Appends to a text of TEXT_SIZE bytes; what does not fit is cut off. */
static void append(char *text, const char *format, va_list arguments)
{
	size_t len = strlen(text);

	vsnprintf(text + len, TEXT_SIZE - len, format, arguments);
}

/* Hands a report to the machine, complete but for its text. */
static void deliver(struct virtio_device *dev, struct virtio_report report, const char *text)
{
	report.text = text;
	report.accessor = dev->accessor;
	dev->host->report(dev->ctx, &report);
}

void virtio_mistake(
	struct virtio_device *dev, const struct virtio_report *about, const char *format, ...)
{
	const struct virtio_rule_text *rule = &virtio_rules[about->rule];
	uint64_t bit = UINT64_C(1) << about->rule;
	struct virtio_report report = *about;
	char text[TEXT_SIZE];
	va_list arguments;
	size_t len;

	if (about->rule == RULE_NONE || dev->told & bit)
		return;
	dev->told |= bit;
	snprintf(text, sizeof text, "%s: ", dev->ops->name);
	va_start(arguments, format);
	append(text, format, arguments);
	va_end(arguments);
	len = strlen(text);
	snprintf(text + len, sizeof text - len, " %s (virtio %s)", rule->words, rule->clause);
	report.clause = rule->clause;
	deliver(dev, report, text);
}

void virtio_config_mistake(struct virtio_device *dev, enum virtio_rule rule, uint32_t offset,
	const uint8_t *written, unsigned len)
{
	le64 word = {0};
	struct virtio_report about = {.rule = rule, .reg = "Config", .queue = REPORT_NO_QUEUE};

	if (!written) {
		virtio_mistake(dev, &about,
			"read of %u byte%s at 0x%x of configuration space:", len, PLURAL(len),
			offset);
		return;
	}
	memcpy(&word, written, len);
	about.value = le64_to_cpu(word);
	virtio_mistake(dev, &about,
		"write of 0x%" PRIx64 " (%u byte%s) at 0x%x of configuration space:", about.value,
		len, PLURAL(len), offset);
}

/* A guest that fails and resets for ever is not to fill the host's logs. */
void virtio_report_fault(struct virtio_device *dev, const char *format, va_list arguments)
{
	const struct virtio_report report = {.rule = RULE_NONE, .queue = REPORT_NO_QUEUE};
	char text[TEXT_SIZE];

	if (dev->reports > VIRTIO_REPORTS_MAX)
		return;
	snprintf(text, sizeof text, "%s: %s", dev->ops->name,
		dev->reports < VIRTIO_REPORTS_MAX ? "" : "further faults are not reported");
	if (dev->reports < VIRTIO_REPORTS_MAX)
		append(text, format, arguments);
	dev->reports++;
	deliver(dev, report, text);
}
