/* SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#define DEVICE_NUMBERS 64 /* that are tried */

uint8_t buffer[CHUNK] __attribute__((aligned(4096)));
uint8_t expected[CHUNK] __attribute__((aligned(4096)));

static char **environment;
static unsigned tests, failures;

void test_init(char **words)
{
	environment = words;
}

void say(const char *form, ...)
{
	char line[LINE];
	va_list list;
	size_t n;

	va_start(list, form);
	n = format_list(line, sizeof line, form, list);
	va_end(list);
	write_all(1, line, n);
}

void ok(bool passed, const char *form, ...)
{
	char what[LINE];
	va_list list;

	va_start(list, form);
	format_list(what, sizeof what, form, list);
	va_end(list);
	failures += !passed;
	say("%sok %u - %s\n", passed ? "" : "not ", ++tests, what);
}

void skip(const char *what, const char *why)
{
	say("ok %u - %s # SKIP %s\n", ++tests, what, why);
}

bool test_done(void)
{
	say("1..%u\n", tests);
	return failures == 0;
}

const char *setting(const char *name)
{
	size_t n = length(name);

	for (char **word = environment; *word; word++)
		if (length(*word) > n && (*word)[n] == '=' && same(*word, name, n))
			return *word + n + 1;
	return NULL;
}

uint32_t numeric_setting(const char *name, uint32_t otherwise)
{
	const char *digits = setting(name);
	uint32_t value = 0;

	if (!digits)
		return otherwise;
	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (uint32_t)(*digits - '0');
	return value;
}

static bool needed(const char *device)
{
	size_t n = length(device);

	for (const char *list = setting("need"); list && *list; list++)
		if (length(list) >= n && same(list, device, n) && (list[n] == ',' || !list[n]))
			return true;
	return false;
}

void absent(const char *device)
{
	if (needed(device))
		ok(false, "%s: is there", device);
	else
		skip(device, "no such device");
}

/* --- drivers ---------------------------------------------------------------------------------- */

int driver_device(const char *driver, const char *path)
{
	char name[LINE];

	for (int n = 0; n < DEVICE_NUMBERS; n++) {
		format(name, sizeof name, "/sys/bus/virtio/drivers/%s/virtio%d/%s", driver, n,
			path);
		if (exists(name))
			return n;
	}
	return -1;
}

static long driver_tell(const char *driver, const char *verb, int number)
{
	char path[LINE], device[LINE];

	format(path, sizeof path, "/sys/bus/virtio/drivers/%s/%s", driver, verb);
	format(device, sizeof device, "virtio%d", number);
	return write_file(path, device);
}

long driver_unbind(const char *driver, int number)
{
	return driver_tell(driver, "unbind", number);
}

long driver_bind(const char *driver, int number)
{
	return driver_tell(driver, "bind", number);
}
