/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHECK_RULES_H
#define VMM_CHECK_RULES_H

/*
 * The rules of the referee (check.h): what a driver must not do, although the device can go on.
 * spec/views.md has the same table for users; tests/check.t compares the two.
 */

#include <stdbool.h>

enum check_rule {
	/* The order of initialisation. */
	CHECK_IDENTIFY,
	CHECK_RESET_FIRST,
	CHECK_STATUS_ORDER,
	CHECK_FEATURES_SELECT,
	CHECK_FEATURES_READ,
	CHECK_FEATURES_READ_BACK,

	/* Configuration space. */
	CHECK_CONFIG_GENERATION,
	CHECK_CONFIG_WIDTH,
	CHECK_CONFIG_FIELD,

	/* How queues are set up and stopped. */
	CHECK_QUEUE_SIZE_MAX,
	CHECK_QUEUE_IN_USE,
	CHECK_QUEUE_ADDRESS,
	CHECK_QUEUE_AREAS,
	CHECK_QUEUE_ZERO,
	CHECK_QUEUE_LATE,
	CHECK_QUEUE_STOP,
	CHECK_QUEUE_RESET,

	/* Rings. */
	CHECK_MALFORMED,
	CHECK_INDEX_BACK,
	CHECK_AVAILABLE_FLAGS,
	CHECK_EVENT_FLAGS,
	CHECK_EVENT_IDX,
	CHECK_USED_RING,
	CHECK_IN_ORDER,
	CHECK_PUBLISHED_EARLY,
	CHECK_PACKED_EARLY,
	CHECK_KICK_BARRIER,
	CHECK_PACKED_BARRIER,

	/* Chains and their buffers. */
	CHECK_HEAD_TWICE,
	CHECK_ID_TWICE,
	CHECK_DESCRIPTOR_TWICE,
	CHECK_DESCRIPTOR_CHANGED,
	CHECK_HEADER_CHANGED,
	CHECK_DATA_CHANGED,
	CHECK_BUFFER_OVERLAP,
	CHECK_BUFFER_IN_RING,

	/* Requests. */
	CHECK_BLOCK_FLUSH,
	CHECK_BLOCK_ID,
	CHECK_RNG_READABLE,
	CHECK_CONSOLE_READABLE,
	CHECK_CONSOLE_WRITABLE,

	/* Kicks and interrupts. */
	CHECK_KICK_DATA,
	CHECK_KICK_UNASKED,
	CHECK_ACK_UNREAD,
	CHECK_ACK_UNSEEN,

	/* The hang watch finds these, after a second or more. */
	CHECK_KICK_MISSING,
	CHECK_ACK_LATE,
	CHECK_KICK_EMPTY,
	CHECK_ACK_MISSING,

	CHECK_COUNT, /* at most 64: a bit each */
};

struct check_rule_text {
	const char *name;
	const char *clause; /* of virtio */
	const char *words;  /* follow what the driver did */
	bool is_hint;       /* it may have been meant so: it does not count as broken */
	bool needs_stores;  /* watched only where the stores of CPUs are seen */
};

extern const struct check_rule_text check_rules[CHECK_COUNT];

#endif
