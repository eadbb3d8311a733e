/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <assert.h>

const struct virtio_rule_text virtio_rules[RULE_COUNT] = {
	/* --- accesses to registers --- */
	[RULE_WIDTH] = {"4.2.2.2", "registers take aligned accesses of 4 bytes"},
	[RULE_NO_REGISTER] = {"4.2.2.2", "there is no register"},
	[RULE_LEGACY] = {"4.2.2.2", "a register of the legacy interface, which version 2 lacks"},
	[RULE_READ_ONLY] = {"4.2.2.2", "the register is read-only"},
	[RULE_WRITE_ONLY] = {"4.2.2.2", "the register is write-only"},
	[RULE_VALUE] = {"4.2.2", "the register does not take this value"},

	/* --- the order of initialisation --- */
	[RULE_DRIVER] = {"3.1.1", "dropped, because DRIVER is not set in Status"},
	[RULE_FEATURES_OK] = {"3.1.1", "dropped, because FEATURES_OK is not set in Status"},
	[RULE_DRIVER_OK] = {"3.1.1", "dropped, because DRIVER_OK is not set in Status"},
	[RULE_FEATURES_FIXED] = {"3.1.1", "dropped, because FEATURES_OK has fixed the features"},
	[RULE_FAILED] = {"2.1.1", "dropped, because after FAILED the device must be reset"},

	/* --- status and features --- */
	[RULE_FEATURE_WORD] = {"2.2.1", "no feature of this word is offered"},
	[RULE_FEATURE_OFFERED] = {"2.2.1", "was accepted, but is not offered"},
	[RULE_VERSION_1] = {"6.2", "VERSION_1 was not accepted"},
	[RULE_START] = {"3.1.1", "FEATURES_OK is not set"},
	[RULE_STATUS_CLEARED] = {"2.1.1", "is set already, and only a reset clears it"},
	[RULE_STATUS_BITS] = {"2.1", "is not for drivers to set"},

	/* --- queues and interrupts --- */
	[RULE_QUEUE] = {"4.2.2", "QueueSel chose a queue that does not exist"},
	[RULE_QUEUE_FIXED] = {"4.2.2.2", "dropped, because QueueReady of the queue is 1"},
	[RULE_QUEUE_RESET] = {"4.2.2", "RING_RESET was not negotiated"},
	[RULE_NOTIFY_QUEUE] = {"4.2.3.3", "no such queue"},
	[RULE_NOTIFY_READY] = {"4.2.3.2", "dropped, because QueueReady of the queue is 0"},
	[RULE_INTERRUPT_BITS] = {"4.2.2.2", "undefined bits"},

	/* --- configuration space --- */
	[RULE_CONFIG_WIDTH] = {"4.2.2.2", "fields take accesses of at most 4 bytes"},
	[RULE_CONFIG_END] = {"4.2.2.2", "the device has no field there"},
	[RULE_CONFIG_READ_ONLY] = {"4.2.2.2", "the field is read-only"},
	[RULE_CONFIG_WRITEBACK] = {"5.2.6.1",
		"the field takes 0 and 1 in one byte, where CONFIG_WCE was negotiated"},

	/* --- requests of the block device --- */
	[RULE_BLOCK_HEADER] = {"5.2.6", "without a header of 16 bytes"},
	[RULE_BLOCK_STATUS] = {"5.2.6", "without a status byte"},
	[RULE_BLOCK_TYPE] = {"5.2.6", "there is no such type"},
	[RULE_BLOCK_FEATURE] = {"5.2.6", "its feature was not negotiated"},
	[RULE_BLOCK_LENGTH] = {"5.2.6.1", "the length is not a multiple of 512"},
	[RULE_BLOCK_READ_DATA] = {"5.2.6", "of device-readable data"},
	[RULE_BLOCK_WRITE_DATA] = {"5.2.6", "of device-writable data"},
	[RULE_BLOCK_RANGE] = {"5.2.6.1", "beyond the end of the disk"},
	[RULE_BLOCK_READ_ONLY] = {"5.2.6.2", "the disk is read-only"},
	[RULE_BLOCK_SEGMENTS] = {"5.2.6.1", "not one or more segments of 16 bytes"},
	[RULE_BLOCK_SEGMENT_COUNT] = {"5.2.6.1", "more than the device takes"},
	[RULE_BLOCK_SECTORS] = {"5.2.3", "more than the device takes"},
	[RULE_BLOCK_FLAGS] = {"5.2.6.2", "not defined for this type of request"},

	/* --- buffers, and the console's control messages --- */
	[RULE_RNG_BUFFER] = {"5.4.6.1", "without device-writable bytes"},
	[RULE_CONSOLE_RECEIVE] = {"5.3.6.1", "of which none is device-writable"},
	[RULE_CONSOLE_TRANSMIT] = {"5.3.6.1", "of which none is device-readable"},
	[RULE_CONTROL_BUFFER] = {"5.3.6.2", "too short for a control message"},
	[RULE_CONTROL_LENGTH] = {"5.3.6.2", "a control message has 8"},
	[RULE_CONTROL_EVENT] = {"5.3.6.2", "not one that drivers send"},
	[RULE_CONTROL_PORT] = {"5.3.6.2", "there is no such port"},
	[RULE_CONTROL_ADDED] = {"5.3.6.2", "there was no DEVICE_ADD for this port"},
	[RULE_CONTROL_READY] = {"5.3.6.2", "there was no PORT_READY for this port"},
};

static_assert(RULE_COUNT <= 64, "a bit of virtio_device.told for each rule");
