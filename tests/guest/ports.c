/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On port 0 it says what it hears of the others: "NAME: client", "NAME: nobody". What comes in on
 * one of them goes back to it in capitals. A line on port 0 is a command:
 *
 *	flood NAME	prints 240 KiB there without waiting, or what the queue takes, then
 *			"flooded NAME" on port 0
 *	size		prints port 0's window, by message and by configuration space
 *	declined	starts over without MULTIPORT
 *	quit		ends with status 0
 *
 * CON-DEV-02, CON-DEV-06, CON-DEV-08, CON-DEV-10, CON-DEV-11 on a real vCPU.
 */

#include "check.h"
#include "console.h"

#define FLOOD_BLOCKS 60 /* of 4 KiB; fewer than a queue has entries without --chaos */

static struct console console;
static const struct device_map_entry *entry;
static bool was_connected[CONSOLE_PORTS_MAX], was_open[CONSOLE_PORTS_MAX];
static unsigned flooding[CONSOLE_PORTS_MAX]; /* blocks that are not out */

/* Channels are opened as soon as their name is known. */
static void hear(void)
{
	for (unsigned i = 1; i < console.port_count; i++) {
		struct console_port *port = &console.ports[i];

		if (port->present && port->name[0] && !was_open[i])
			was_open[i] = console_open(&console, port, true) == 0;
		if (was_open[i] && port->connected != was_connected[i])
			printf("%s: %s\n", port->name, port->connected ? "client" : "nobody");
		was_connected[i] = port->connected;
	}
}

static void echo(struct console_port *port)
{
	char text[64];
	int len;

	while ((len = console_port_read(port, text, sizeof(text))) > 0) {
		for (int i = 0; i < len; i++)
			text[i] -= text[i] >= 'a' && text[i] <= 'z' ? 'a' - 'A' : 0;
		check(console_port_write(port, text, len) == 0, "the echo is written");
	}
}

/* Take back what is out; an interrupt comes for the next. */
static void count_flood(unsigned number)
{
	struct console_port *port = &console.ports[number];
	uint32_t len;

	while (flooding[number] && virtq_interrupts_on(&port->transmit)) {
		virtq_take(&port->transmit, &len);
		if (--flooding[number] == 0)
			printf("flooded %s\n", port->name);
	}
}

static void flood(const char *name)
{
	static char block[4096];
	struct virtq_buffer readable = {block, sizeof(block)};
	struct console_port *port = console_find(&console, name);
	unsigned count = 0;

	memset(block, 'x', sizeof(block));
	if (!port) {
		printf("no port \"%s\"\n", name);
		return;
	}
	while (count < FLOOD_BLOCKS && virtq_add(&port->transmit, &readable, 1, 0, port) == 0)
		count++;
	check(count > 0, "a block fits");
	virtq_kick(&port->transmit);
	flooding[port - console.ports] = count;
	count_flood((unsigned)(port - console.ports));
}

static void bring_up(uint64_t declined)
{
	console.dev.declined = declined;
	if (console_init(&console, entry))
		power_off(1);
	printf_to(console_print, &console);
	memset(was_open, 0, sizeof(was_open));
	memset(was_connected, 0, sizeof(was_connected));
	printf("ports: %u\n", console.port_count);
}

/* False at the end. */
static bool execute_command(const char *line)
{
	unsigned cols, rows;

	if (memcmp(line, "flood ", 6) == 0) {
		flood(line + 6);
	} else if (strcmp(line, "size") == 0) {
		console_size(&console, &cols, &rows);
		printf("size %ux%u %ux%u\n", console.ports[0].cols, console.ports[0].rows, cols,
			rows);
	} else if (strcmp(line, "declined") == 0) {
		bring_up(FEATURE(VIRTIO_CONSOLE_F_MULTIPORT));
	}
	return strcmp(line, "quit") != 0;
}

int main(const struct start_info *info)
{
	char line[64];
	unsigned len = 0;
	bool more = true;

	entry = find_device(info, VIRTIO_ID_CONSOLE);
	bring_up(0);
	while (more && console_update(&console) == 0) {
		hear();
		for (unsigned i = 1; i < console.port_count; i++) {
			count_flood(i);
			if (!flooding[i])
				echo(&console.ports[i]);
		}
		while (more && console_port_read(&console.ports[0], &line[len], 1) == 1) {
			if (line[len] != '\n' && line[len] != '\r') {
				len += len < sizeof(line) - 1;
				continue;
			}
			line[len] = '\0';
			len = 0;
			more = execute_command(line);
		}
		if (more && console_wait(&console))
			return 1;
	}
	return check_failures || more ? 1 : 0;
}
