/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/check_rules.h"

#include <assert.h>

/* A rule without more than its words is no hint and needs no stores. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

const struct check_rule_text check_rules[CHECK_COUNT] = {
	/* --- the order of initialisation --- */
	[CHECK_IDENTIFY] = {"identify", "4.2.3.1.1",
		"MagicValue, Version and DeviceID were not read before"},
	[CHECK_RESET_FIRST] = {"reset-first", "3.1.1", "the device was not reset before"},
	[CHECK_STATUS_ORDER] = {"status-order", "3.1.1", "an earlier step is missing"},
	[CHECK_FEATURES_SELECT] = {"features-select", "4.2.2.2",
		"its selector was not written since the reset"},
	[CHECK_FEATURES_READ] = {"features-read", "3.1.1",
		"accepted without having read what is offered"},
	[CHECK_FEATURES_READ_BACK] = {"features-read-back", "3.1.1",
		"Status was not read since FEATURES_OK was written"},

	/* --- configuration space --- */
	[CHECK_CONFIG_GENERATION] = {"config-generation", "2.5.1",
		"ConfigGeneration was not read before and after"},
	[CHECK_CONFIG_WIDTH] = {"config-width", "4.2.2.2", "not the width of the field"},
	[CHECK_CONFIG_FIELD] = {"config-field", "2.5.1",
		"the feature that this field belongs to is not offered"},

	/* --- how queues are set up and stopped --- */
	[CHECK_QUEUE_SIZE_MAX] = {"queue-size-max", "4.2.3.2", "QueueSizeMax was not read before"},
	[CHECK_QUEUE_IN_USE] = {"queue-in-use", "4.2.3.2", "QueueReady was not read before"},
	[CHECK_QUEUE_ADDRESS] = {"queue-address", "4.2.3.2",
		"not all halves of its three addresses were written before"},
	[CHECK_QUEUE_AREAS] = {"queue-areas", "2.6", "areas of queues overlap"},
	[CHECK_QUEUE_ZERO] = {"queue-zero", "4.2.3.2", "the memory was not zeroed before"},
	[CHECK_QUEUE_LATE] = {"queue-late", "3.1.1", "queues are set up before DRIVER_OK"},
	[CHECK_QUEUE_STOP] = {"queue-stop", "4.2.2.2",
		"QueueReady was not read since 0 was written to it"},
	[CHECK_QUEUE_RESET] = {"queue-reset", "4.2.2.2",
		"QueueReset was not read since 1 was written to it"},

	/* --- rings --- */
	[CHECK_MALFORMED] = {"malformed", "2.1.2",
		"a queue or chain that the device cannot use: it asks for a reset"},
	[CHECK_INDEX_BACK] = {"index-back", "2.7.6.1", "the available index goes back"},
	[CHECK_AVAILABLE_FLAGS] = {"available-flags", "2.7.7.1",
		"flags of the available ring that are not defined"},
	[CHECK_EVENT_FLAGS] = {"event-flags", "2.8.10",
		"a mode of driver event suppression that is not defined"},
	[CHECK_EVENT_IDX] = {"event-idx", "2.7.6",
		"used_event was written, but EVENT_IDX was not accepted, so no device looks there",
		.is_hint = true},
	[CHECK_USED_RING] = {"used-ring", "2.7.8", "the driver has written to the used ring"},
	[CHECK_IN_ORDER] = {"in-order", "2.7.5.2",
		"with IN_ORDER, descriptors of a chain follow each other in the table"},

	[CHECK_PUBLISHED_EARLY] = {"published-early", "2.7.13.3.1",
		"written after the available index that has the device look at it",
		.needs_stores = true},
	[CHECK_PACKED_EARLY] = {"packed-early", "2.8.21.1.1",
		"written after the flags that have the device look at it", .needs_stores = true},
	[CHECK_KICK_BARRIER] = {"kick-barrier", "2.7.13.4.1",
		"no full barrier between the available index and the look whether to kick",
		.needs_stores = true},
	[CHECK_PACKED_BARRIER] = {"packed-barrier", "2.8.21.3.1",
		"no full barrier between a descriptor's flags and the look whether to kick",
		.needs_stores = true},

	/* --- chains and their buffers --- */
	[CHECK_HEAD_TWICE] = {"head-twice", "2.7.13.1",
		"made available again, while the device owns it"},
	[CHECK_ID_TWICE] = {"id-twice", "2.8.6", "two lists in flight have this buffer id"},
	[CHECK_DESCRIPTOR_TWICE] = {"descriptor-twice", "2.7.13.1",
		"part of two chains that the device owns"},
	[CHECK_DESCRIPTOR_CHANGED] = {"descriptor-changed", "3.3.1",
		"changed while the device owned its chain"},
	[CHECK_HEADER_CHANGED] = {"header-changed", "3.3.1",
		"its header was changed while the device owned it"},
	[CHECK_DATA_CHANGED] = {"data-changed", "3.3.1",
		"the driver wrote to its buffer while the device owned it", .is_hint = true},
	[CHECK_BUFFER_OVERLAP] = {"buffer-overlap", "2.7.13",
		"it overlaps another one that the device owns"},
	[CHECK_BUFFER_IN_RING] = {"buffer-in-ring", "2.7.13",
		"the device would write into the areas of a queue"},

	/* --- requests --- */
	[CHECK_BLOCK_FLUSH] = {"block-flush", "5.2.6.1", "sector is 0 in a flush"},
	[CHECK_BLOCK_ID] = {"block-id", "5.2.6.1", "a serial number takes 20 bytes"},
	[CHECK_RNG_READABLE] = {"rng-readable", "5.4.6.1",
		"it has device-readable buffers, of which the entropy device takes none"},
	[CHECK_CONSOLE_READABLE] = {"console-readable", "5.3.6.1",
		"a receive queue takes no device-readable buffers"},
	[CHECK_CONSOLE_WRITABLE] = {"console-writable", "5.3.6.1",
		"a transmit queue takes no device-writable buffers"},

	/* --- kicks and interrupts --- */
	[CHECK_KICK_DATA] = {"kick-data", "2.9",
		"with NOTIFICATION_DATA, a kick says how far the driver is"},
	[CHECK_KICK_UNASKED] = {"kick-unasked", "2.7.10.1",
		"most kicks tell of nothing new, or were not asked for", .is_hint = true},
	[CHECK_ACK_UNREAD] = {"ack-unread", "4.2.3.4.1",
		"InterruptStatus was not read since the last acknowledgement"},
	[CHECK_ACK_UNSEEN] = {"ack-unseen", "4.2.3.4.1",
		"InterruptStatus did not show this when it was read, so it cannot be handled yet"},

	/* --- what waits for a second or more --- */
	[CHECK_KICK_MISSING] = {"kick-missing", "2.7.13.4.1",
		"the device was not notified, and has waited for a second"},
	[CHECK_ACK_LATE] = {"ack-late", "4.2.3.4.1",
		"this took away a notification: look at the queue after acknowledging",
		.needs_stores = true},
	[CHECK_KICK_EMPTY] = {"kick-empty", "2.7.13",
		"nothing was ever made available, for a second", .is_hint = true},
	[CHECK_ACK_MISSING] = {"ack-missing", "4.2.3.4.1",
		"nobody has acknowledged it for a second", .is_hint = true},
};

static_assert(CHECK_COUNT <= 64, "a bit of check_device.told for each rule");
