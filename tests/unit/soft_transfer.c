/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software engine in a stream: a machine with several CPUs, timers and code that overwrites
 * itself is saved at random points. One that is restored from there does what the one that was
 * saved goes on to do, to the last instruction. A damaged stream is refused, or restores a machine
 * that vole survives.
 */
#include "snapshot/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../soft_machine.h"
#include "../tap.h"

/* The local APIC's timer: divide by 1, periodic with vector 0x40, every so many nanoseconds. */
#define PERIODIC(count) "c705 e003e0fe 0b000000 c705 2003e0fe 40000200 c705 8003e0fe " count " "

/* Counts in memory; every 256 times writes the number to port 0x70. */
#define COUNTS         "ff0500000300 a100000300 a8ff 75f1 e770 ebed"
/* Sleeps, and counts wake-ups. */
#define SLEEPS         "f4 ff0504000300 ebf7"
/* Increments an operand of its own code, and stores it. At CODE(2). */
#define CHANGES_ITSELF "fe0507200100 b000 a208000300 ebf1"

/* The PICs with automatic end of interrupt and IRQ 0, which has vector 0x20; the PIT in mode 2. */
#define PC_TIMER                                                            \
	"b011 e620 b020 e621 b004 e621 b003 e621 b0fe e621 b034 e643 b000 " \
	"e640 b010 e640 "

static struct soft_machine original, copy;

static void begin(
	struct soft_machine *machine, enum engine_irqchip irqchip, enum engine_clock clock)
{
	soft_machine_open(machine, irqchip, clock, 3);
	soft_machine_put(machine, CODE(0),
		irqchip == ENGINE_IRQCHIP_PC
			? "b001 e690 b002 e690" PC_TIMER ENABLE_INTERRUPTS COUNTS
			: "b001 e690 b002 e690" ENABLE_INTERRUPTS PERIODIC("45230100") COUNTS);
	soft_machine_put(machine, CODE(1), ENABLE_INTERRUPTS PERIODIC("21430000") SLEEPS);
	soft_machine_put(machine, CODE(2), CHANGES_ITSELF);
}

static void run(struct soft_machine *machine, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		soft_machine_run(machine);
}

static void save(struct soft_machine *machine, struct snapshot_stream *stream)
{
	snapshot_write(stream);
	machine->engine->ops->transfer(machine->engine, stream);
}

/* Makes a machine with the memory of another, and restores its CPUs. Returns the error. */
static int restore(struct soft_machine *machine, const struct soft_machine *from,
	enum engine_irqchip irqchip, enum engine_clock clock, const uint8_t *bytes, size_t len)
{
	struct snapshot_stream stream;

	soft_machine_open(machine, irqchip, clock, 3);
	memcpy(machine->memory.host, from->memory.host, RAM_SIZE);
	snapshot_read(&stream, bytes, len);
	machine->engine->ops->transfer(machine->engine, &stream);
	if (!snapshot_failed(&stream) && !snapshot_has_more(&stream))
		machine->engine->ops->start(machine->engine, NULL);
	return stream.error;
}

static bool is_same(const struct soft_machine *a, const struct soft_machine *b)
{
	return a->count == b->count &&
	       memcmp(a->accesses, b->accesses, a->count * sizeof *a->accesses) == 0 &&
	       a->engine->ops->now(a->engine) == b->engine->ops->now(b->engine) &&
	       memcmp(a->memory.host, b->memory.host, RAM_SIZE) == 0;
}

/* Saves after so many runs. Returns whether both machines then do the same. */
static bool goes_on(enum engine_irqchip irqchip, unsigned runs)
{
	struct snapshot_stream stream;
	bool same;

	begin(&original, irqchip, ENGINE_CLOCK_VIRTUAL);
	soft_machine_start(&original);
	run(&original, runs);
	save(&original, &stream);
	same = restore(&copy, &original, irqchip, ENGINE_CLOCK_VIRTUAL, stream.bytes, stream.len) ==
	       0;
	original.count = 0;
	memset(original.accesses, 0, sizeof original.accesses);
	run(&original, 20);
	run(&copy, 20);
	same = same && original.count > 10 && is_same(&original, &copy);
	soft_machine_close(&original);
	soft_machine_close(&copy);
	snapshot_free(&stream);
	return same;
}

static void test_exactly(enum engine_irqchip irqchip, const char *name)
{
	unsigned same = 0;

	for (unsigned i = 0; i < 20; i++)
		same += goes_on(irqchip, i * 3 % 31 + 1);
	is(same, 20, "with %s, what was restored goes on as what was saved", name);
}

/* The host's clock: guest time goes on where it was. */
static void test_host_clock(void)
{
	struct snapshot_stream stream;
	uint64_t saved, restored;

	begin(&original, ENGINE_IRQCHIP_APIC, ENGINE_CLOCK_HOST);
	soft_machine_start(&original);
	run(&original, 5);
	saved = original.engine->ops->now(original.engine);
	save(&original, &stream);
	is(restore(&copy, &original, ENGINE_IRQCHIP_APIC, ENGINE_CLOCK_HOST, stream.bytes,
		   stream.len),
		0, "with the host's clock, a machine is restored");
	restored = copy.engine->ops->now(copy.engine);
	ok(restored >= saved, "guest time does not go back");
	run(&copy, 5);
	ok(copy.count > 0, "it executes");
	soft_machine_close(&original);
	soft_machine_close(&copy);
	snapshot_free(&stream);
}

static void test_other_machine(void)
{
	struct snapshot_stream stream;

	begin(&original, ENGINE_IRQCHIP_APIC, ENGINE_CLOCK_VIRTUAL);
	save(&original, &stream);
	is(restore(&copy, &original, ENGINE_IRQCHIP_APIC, ENGINE_CLOCK_HOST, stream.bytes,
		   stream.len),
		-EBADMSG, "a stream of another clock is refused");
	soft_machine_close(&copy);
	is(restore(&copy, &original, ENGINE_IRQCHIP_PC, ENGINE_CLOCK_VIRTUAL, stream.bytes,
		   stream.len),
		-EBADMSG, "a stream of another board is refused");
	soft_machine_close(&copy);
	soft_machine_close(&original);
	snapshot_free(&stream);
}

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(*seed >> 33);
}

static void test_damage(void)
{
	struct snapshot_stream stream;
	unsigned refused = 0, used = 0;
	uint64_t seed = 1;
	uint8_t *bytes;

	begin(&original, ENGINE_IRQCHIP_PC, ENGINE_CLOCK_VIRTUAL);
	soft_machine_start(&original);
	run(&original, 9);
	save(&original, &stream);
	bytes = malloc(stream.len);
	for (unsigned i = 0; i < 150; i++) {
		memcpy(bytes, stream.bytes, stream.len);
		for (unsigned bits = 1 + i % 4; bits > 0; bits--)
			bytes[draw(&seed) % stream.len] ^= (uint8_t)(1 << draw(&seed) % 8);
		if (restore(&copy, &original, ENGINE_IRQCHIP_PC, ENGINE_CLOCK_VIRTUAL, bytes,
			    stream.len) == 0) {
			used++;
			run(&copy, 5);
		} else {
			refused++;
		}
		soft_machine_close(&copy);
	}
	ok(refused > 20 && used > 20, "of damaged streams %u were refused and %u harmless", refused,
		used);
	free(bytes);
	soft_machine_close(&original);
	snapshot_free(&stream);
}

int main(void)
{
	test_exactly(ENGINE_IRQCHIP_APIC, "local APICs");
	test_exactly(ENGINE_IRQCHIP_PC, "a PC's chips");
	test_host_clock();
	test_other_machine();
	test_damage();
	return tap_done();
}
