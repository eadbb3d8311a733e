/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_REPORT_H
#define VIRTIO_REPORT_H

/*
 * What a device tells the user about its driver:
 *
 *	a mistake	The driver broke a rule, and the device refused or dropped what it did.
 *			virtio_mistake() reports it once for each rule and device. A reset does
 *			not bring it up again, since a driver that fails may try for ever.
 *	a fault		The device cannot go on and asks for a reset (virtio_fail()).
 *
 * report.c has the one table of the rules, with clause and words; mistake.c makes the reports. What
 * a malformed ring is told with is in split.c, packed.c and ring.c. spec/virtio.md lists the rules
 * for users.
 */

#include <stdint.h>

/* The rules that a driver can break. */
enum virtio_rule {
	RULE_NONE, /* no rule is broken; in a report: a fault */

	/* Accesses to registers. */
	RULE_WIDTH,
	RULE_NO_REGISTER,
	RULE_LEGACY,
	RULE_READ_ONLY,
	RULE_WRITE_ONLY,
	RULE_VALUE,

	/* The order of initialisation. */
	RULE_DRIVER,
	RULE_FEATURES_OK,
	RULE_DRIVER_OK,
	RULE_FEATURES_FIXED,
	RULE_FAILED,

	/* Status and features. */
	RULE_FEATURE_WORD,
	RULE_FEATURE_OFFERED,
	RULE_VERSION_1,
	RULE_START,
	RULE_STATUS_CLEARED,
	RULE_STATUS_BITS,

	/* Queues and interrupts. */
	RULE_QUEUE,
	RULE_QUEUE_FIXED,
	RULE_QUEUE_RESET,
	RULE_NOTIFY_QUEUE,
	RULE_NOTIFY_READY,
	RULE_INTERRUPT_BITS,

	/* Configuration space. */
	RULE_CONFIG_WIDTH,
	RULE_CONFIG_END,
	RULE_CONFIG_READ_ONLY,
	RULE_CONFIG_WRITEBACK,

	/* Requests of the block device. */
	RULE_BLOCK_HEADER,
	RULE_BLOCK_STATUS,
	RULE_BLOCK_TYPE,
	RULE_BLOCK_FEATURE,
	RULE_BLOCK_LENGTH,
	RULE_BLOCK_READ_DATA,
	RULE_BLOCK_WRITE_DATA,
	RULE_BLOCK_RANGE,
	RULE_BLOCK_READ_ONLY,
	RULE_BLOCK_SEGMENTS,
	RULE_BLOCK_SEGMENT_COUNT,
	RULE_BLOCK_SECTORS,
	RULE_BLOCK_FLAGS,

	/* Buffers of the entropy device and the console, and the console's control messages. */
	RULE_RNG_BUFFER,
	RULE_CONSOLE_RECEIVE,
	RULE_CONSOLE_TRANSMIT,
	RULE_CONTROL_BUFFER,
	RULE_CONTROL_LENGTH,
	RULE_CONTROL_EVENT,
	RULE_CONTROL_PORT,
	RULE_CONTROL_ADDED,
	RULE_CONTROL_READY,

	RULE_COUNT, /* at most 64: a bit of virtio_device.told each */
};

#define REPORT_NO_QUEUE (-1)

struct virtio_report {
	enum virtio_rule rule; /* RULE_NONE: a fault */
	const char *clause; /* of virtio: "4.2.2.2"; NULL: a fault, whose text names its clause */
	const char *reg;    /* name of the register; NULL: it is not about a register */
	int queue;          /* REPORT_NO_QUEUE: it is not about one queue */
	uint64_t value;     /* that was written, or what broke the rule */

	/* The line for the user, without newline: name of the device's type, what the driver did,
	 * the rule and its clause. "block: QueueNotify 1: no such queue (virtio 4.2.3.3)" */
	const char *text;

	/* What virtio_mmio_read() or virtio_mmio_write() was given, if this is about an access to a
	 * register; NULL for what the thread that serves the device finds. */
	const void *accessor;
};

/* A rule: the clause that has it, and the words that follow what the driver did. */
struct virtio_rule_text {
	const char *clause, *words;
};

extern const struct virtio_rule_text virtio_rules[RULE_COUNT];

/* The ending of a noun that is counted, for reports: "1 byte", "2 bytes". */
#define PLURAL(count) ((count) == 1 ? "" : "s")

#endif
