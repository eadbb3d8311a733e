/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a machine of the software CPU, in a stream that somebody has changed: it is refused,
 * or restores a machine that executes for a while. An input is a list of changes: offset in the
 * stream (2 bytes), and what is to be there (1 byte). The first byte chooses the board.
 */
#include "snapshot/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../soft_machine.h"
#include "input.h"

#define CPUS 2
#define RUNS 3

/* Loads the IDT, has the local APIC's timer interrupt, starts the other CPU, counts, sleeps. */
#define CODE_0                                                                            \
	ENABLE_INTERRUPTS                                                                 \
	"c705 e003e0fe 0b000000 c705 2003e0fe 40000200 c705 8003e0fe 21430000 b001 e690 " \
	"ff0500000300 f4 ebf7"
#define CODE_1 "ff0504000300 e670 ebf6"

/* A machine with a past, and its state, for one board. */
struct base {
	struct soft_machine machine;
	struct snapshot_stream stream;
};

static struct base bases[3];

static void make_base(struct base *base, enum engine_irqchip irqchip)
{
	soft_machine_open(&base->machine, irqchip, ENGINE_CLOCK_VIRTUAL, CPUS);
	soft_machine_put(&base->machine, CODE(0),
		irqchip == ENGINE_IRQCHIP_NONE ? "b001 e690 " CODE_1 : CODE_0);
	soft_machine_put(&base->machine, CODE(1), CODE_1);
	soft_machine_start(&base->machine);
	for (unsigned i = 0; i < 5; i++)
		soft_machine_run(&base->machine);
	snapshot_write(&base->stream);
	base->machine.engine->ops->transfer(base->machine.engine, &base->stream);
	assert(!snapshot_failed(&base->stream));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct soft_machine machine;
	struct input in = input_of(data, size);
	unsigned board = (unsigned)take(&in, 1) % 3;
	struct base *base = &bases[board];
	struct snapshot_stream stream;
	uint8_t *bytes;

	if (!base->machine.engine)
		make_base(base, (enum engine_irqchip)board);
	bytes = malloc(base->stream.len);
	memcpy(bytes, base->stream.bytes, base->stream.len);
	while (input_left(&in) > 0) {
		size_t offset = take(&in, 2) % base->stream.len;

		bytes[offset] = (uint8_t)take(&in, 1);
	}
	soft_machine_open(&machine, (enum engine_irqchip)board, ENGINE_CLOCK_VIRTUAL, CPUS);
	memcpy(machine.memory.host, base->machine.memory.host, RAM_SIZE);
	snapshot_read(&stream, bytes, base->stream.len);
	machine.engine->ops->transfer(machine.engine, &stream);
	assert(!snapshot_failed(&stream) || *stream.fault);
	if (!snapshot_failed(&stream)) {
		machine.engine->ops->start(machine.engine, NULL);
		for (unsigned i = 0; i < RUNS; i++)
			soft_machine_run(&machine);
	}
	soft_machine_close(&machine);
	free(bytes);
	return 0;
}
