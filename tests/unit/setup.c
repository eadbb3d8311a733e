/* SPDX-License-Identifier: BSD-2-Clause */
/* What a checkpoint says of its machine: it is read as it was written, and what no machine can have
 * is refused. */
#include "machine/setup.h"

#include <errno.h>
#include <string.h>

#include "../tap.h"
#include "snapshot/stream.h"

static struct setup sample(void)
{
	struct setup setup = {
		.engine = "soft",
		.clock = ENGINE_CLOCK_VIRTUAL,
		.cpu_count = 3,
		.memory_size = 64u << 20,
		.cpu_return = 0x1234,
		.has_debug_port = true,
		.debug_port = 0x402,
		.region_count = 2,
		.regions = {{0x1000, 0x3000, true}, {0x4000, 0x10000, false}},
		.console_count = 2,
		.multiport = true,
		.console_has_name = {false, true},
		.console_names = {"", "channel"},
		.has_rng = true,
		.features = {1, 2},
		.disk_count = 1,
		.disks = {{.id = "serial",
			.block_size = 512,
			.unit = 4096,
			.sectors = 8,
			.queue_count = 2,
			.can_unmap = true,
			.modified_s = 1767225600,
			.modified_ns = 7}},
	};

	return setup;
}

/* Writes a setup and reads it. Returns the error, and sets fault. */
static int pass(struct setup *from, struct setup *to, char fault[160])
{
	struct snapshot_stream stream, input;

	snapshot_write(&stream);
	setup_transfer(from, &stream);
	snapshot_read(&input, stream.bytes, stream.len);
	memset(to, 0, sizeof *to);
	setup_transfer(to, &input);
	memcpy(fault, input.fault, sizeof input.fault);
	snapshot_free(&stream);
	return input.error;
}

static void test_round_trip(void)
{
	struct setup setup = sample(), read;
	char fault[160];

	is(pass(&setup, &read, fault), 0, "a setup is read");
	ok(strcmp(read.engine, "soft") == 0 && read.clock == ENGINE_CLOCK_VIRTUAL &&
			read.cpu_count == 3 && read.memory_size == 64u << 20 &&
			read.cpu_return == 0x1234 && read.debug_port == 0x402,
		"its board");
	ok(read.region_count == 2 && read.regions[0].read_only && read.regions[1].size == 0x10000,
		"its memory");
	ok(read.console_count == 2 && read.console_has_name[1] &&
			strcmp(read.console_names[1], "channel") == 0 && read.has_rng &&
			!read.has_serial && read.features.off == 2,
		"its devices");
	ok(strcmp(read.disks[0].id, "serial") == 0 && read.disks[0].queue_count == 2 &&
			read.disks[0].modified_ns == 7,
		"its disk");
}

static void refused(const struct setup *spoilt, const char *why)
{
	struct setup setup = *spoilt, read;
	char fault[160];

	is(pass(&setup, &read, fault), -EBADMSG, "refused: %s", why);
	ok(strstr(fault, why) != NULL, "by name: %s", fault);
}

/* Has one field of the sample be another, and the setup refused for it. */
#define REFUSED(field, value, why)               \
	do {                                     \
		struct setup spoilt_ = sample(); \
		spoilt_.field = (value);         \
		refused(&spoilt_, why);          \
	} while (0)

static void test_refused(void)
{
	struct setup setup = sample();

	strcpy(setup.engine, "\33[2J");
	refused(&setup, "an engine that vole does not have");
	setup = sample();
	strcpy(setup.console_names[1], "\33[2J");
	refused(&setup, "the name of console 1 has control characters");
	REFUSED(clock, 2, "clock 2");
	REFUSED(cpu_count, 0, "0 CPUs");
	REFUSED(cpu_count, CPUS_MAX + 1, "65 CPUs");
	REFUSED(protocol, 99, "boot protocol 99");
	REFUSED(memory_size, 0xd0000000, "RAM of");
	REFUSED(region_count, 0, "0 regions");
	REFUSED(regions[1].base, 0x3000, "region 1");
	REFUSED(regions[1].base, 0x4001, "region 1");
	REFUSED(regions[1].size, 0, "region 1");
	REFUSED(regions[1].size, 0xfffff000, "region 1");
	REFUSED(multiport, false, "2 consoles");
	REFUSED(console_count, VIRTIO_CONSOLE_PORTS_MAX + 1, "9 consoles");
	REFUSED(features.on, 2, "a feature is on and off");
	REFUSED(disks[0].block_size, 513, "blocks of 513 bytes");
	REFUSED(disks[0].unit, 0, "physical blocks of 0 bytes");
	REFUSED(disks[0].queue_count, 9, "9 queues");
}

int main(void)
{
	test_round_trip();
	test_refused();
	return tap_done();
}
