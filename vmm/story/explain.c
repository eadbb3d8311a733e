/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/explain.h"

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>

const struct explanation explanations[EXPLAIN_COUNT] = {
	/* --- registers --- */
	[EXPLAIN_IDENTIFY] = {"4.2.3.1.1",
		"MagicValue, Version and DeviceID come before all else: they say that there is a "
		"virtio device here, which registers it has, and of what type it is."},
	[EXPLAIN_VENDOR] = {"4.2.2", "Who made the device. Drivers need not know."},
	[EXPLAIN_DEVICE_FEATURES] = {"3.1.1",
		"The device offers features, a bit each. A register has room for 32 of them, so a "
		"selector says which word it shows."},
	[EXPLAIN_DRIVER_FEATURES] = {"3.1.1",
		"The driver accepts features, and no other than were offered. What is accepted "
		"binds both sides: it changes how rings look and when notifications are sent."},
	[EXPLAIN_RESET] = {"3.1.1",
		"Writing 0 resets the device, whoever used it before. It forgets its queues, and "
		"no longer touches the guest's memory."},
	[EXPLAIN_ACKNOWLEDGE] = {"3.1.1",
		"ACKNOWLEDGE: somebody has noticed the device. DRIVER: somebody knows how to "
		"drive it. Bits of Status are only ever added, until the next reset."},
	[EXPLAIN_FEATURES_OK] = {"3.1.1",
		"FEATURES_OK ends the talk about features. The driver must read Status again: if "
		"the bit is gone, the device cannot work with what was accepted."},
	[EXPLAIN_DRIVER_OK] = {"3.1.1",
		"DRIVER_OK: the queues are set up, and the device is live. From here on it reads "
		"what is made available, and not before."},
	[EXPLAIN_FAILED] = {"2.1",
		"FAILED: the driver has given the device up. Only a reset brings it back."},
	[EXPLAIN_STATUS_READ] = {"2.1",
		"Status is where both sides see how far initialisation has come, and where the "
		"device says that it needs a reset."},
	[EXPLAIN_STATUS_CHANGED] = {"2.1.2",
		"What the driver reads from Status next. The device has taken the bits that it "
		"agrees to."},
	[EXPLAIN_QUEUE_SELECT] = {"4.2.3.2",
		"One set of registers serves all queues: this one says which queue they are "
		"about."},
	[EXPLAIN_QUEUE_SIZE] = {"4.2.3.2",
		"The device says how many entries the queue may have, 0 if there is no such "
		"queue; the driver chooses how many it has."},
	[EXPLAIN_QUEUE_ADDRESS] = {"4.2.3.2",
		"The driver has laid the queue's three areas into its own memory, and tells the "
		"device where each begins: a physical address, in two halves."},
	[EXPLAIN_QUEUE_READY] = {"4.2.3.2",
		"QueueReady hands the three areas over. The device reads what the driver writes "
		"there and answers in the area that is its own."},
	[EXPLAIN_QUEUE_RESET] = {"2.6.1", "A single queue is reset while the others go on."},
	[EXPLAIN_QUEUE_STOPPED] = {"4.2.3.2",
		"The device no longer uses the queue, and its memory is the driver's alone."},
	[EXPLAIN_KICK] = {"4.2.3.3",
		"The kick, an available buffer notification: what the driver has written into "
		"the rings lies in memory, and this is the only thing that the device notices "
		"by itself. The value is the number of the queue."},
	[EXPLAIN_INTERRUPT_STATUS] = {"4.2.3.4",
		"The driver's interrupt handler asks why it was called: bit 0, a buffer was "
		"used; bit 1, the configuration has changed."},
	[EXPLAIN_INTERRUPT_ACK] = {"4.2.3.4",
		"The driver takes the reasons back that it has seen. It looks at the used ring "
		"after that, not before, or it could miss what is used in between."},
	[EXPLAIN_SHARED_MEMORY] = {"4.2.2", "Regions of memory that device and driver share."},
	[EXPLAIN_GENERATION] = {"2.5.1",
		"The generation changes with the configuration. A driver reads it before and "
		"after a field that takes several accesses: equal, and the field is whole."},
	[EXPLAIN_CONFIG] = {"2.5",
		"Configuration space: what this type of device has to say of itself, such as a "
		"disk's capacity."},
	[EXPLAIN_NO_REGISTER] = {"4.2.2", "There is no register at this offset."},

	/* --- the device at work --- */
	[EXPLAIN_SERVE] = {"2.7.6",
		"The device compares how far the driver has come with how far it has read "
		"itself. What lies between is new."},
	[EXPLAIN_BLOCK_CHAIN] = {"5.2.6",
		"The device takes a chain: first what it reads, a header with type and sector; "
		"then what it may write, ending in one byte of status. Until it gives the chain "
		"back, these buffers are the device's."},
	[EXPLAIN_CONSOLE_CHAIN] = {"5.3.6",
		"The device takes a chain: output that it reads, or an empty buffer that it may "
		"fill with input. Until it gives the chain back, the buffer is the device's."},
	[EXPLAIN_ENTROPY_CHAIN] = {"5.4.6",
		"The device takes a chain, all of which it may fill with random bytes. They are "
		"kept out of captures."},
	[EXPLAIN_CHAIN] = {"2.7.4.2",
		"The device takes a chain of buffers, which are its own until it gives them "
		"back."},
	[EXPLAIN_HOST_BEGIN] = {NULL,
		"The device asks the host, here with a system call: a disk's sectors are those "
		"of a file. Guest and driver go on meanwhile."},
	[EXPLAIN_HOST_END] = {NULL, "The host has answered, and the device has the result."},
	[EXPLAIN_USED_SPLIT] = {"2.7.8",
		"The chain goes back: the used element names its head, and how many bytes the "
		"device has written. The driver sees it once idx of the used ring counts it."},
	[EXPLAIN_USED_PACKED] = {"2.8.22",
		"The chain goes back: a used descriptor overwrites the first one of the chain, "
		"with its id and how many bytes were written."},
	[EXPLAIN_INTERRUPT] = {"4.2.3.4",
		"The used buffer notification: the device sets bit 0 of InterruptStatus and "
		"raises its pin. The CPU leaves what it does for the driver's handler."},
	[EXPLAIN_CONFIG_INTERRUPT] = {"4.2.3.4",
		"The configuration change notification: bit 1 of InterruptStatus."},
	[EXPLAIN_QUIET_FLAGS] = {"2.7.7",
		"The driver does not want to be interrupted: it has set NO_INTERRUPT in the "
		"available ring's flags, since it looks by itself."},
	[EXPLAIN_QUIET_EVENT] = {"2.7.7",
		"The driver asked to be interrupted when idx of the used ring passes used_event, "
		"the last field of the available ring. It has not passed it."},
	[EXPLAIN_QUIET_PACKED] = {"2.8.10",
		"The driver said in its event suppression structure when it wants to be "
		"interrupted. This is not the moment."},
	[EXPLAIN_REPORT] = {NULL,
		"vole says this to whoever runs it: the driver has broken a rule, or the device "
		"cannot go on."},
	[EXPLAIN_MARK] = {NULL, "The kernel has marked this moment itself."},

	/* --- changes of rings --- */
	[EXPLAIN_MADE_AVAILABLE] = {"2.7.13",
		"In this order: buffers into descriptors, the number of the first one into the "
		"available ring, and last idx, which counts it. Only idx makes it the device's."},
	[EXPLAIN_AVAILABLE_ENTRY] = {"2.7.13.2",
		"The number of the chain's first descriptor goes into the next slot of the "
		"available ring, idx modulo the queue's size. The device does not look there "
		"before "
		"idx counts it."},
	[EXPLAIN_AVAILABLE_IDX] = {"2.7.13.3",
		"idx goes up last, behind a write barrier: with this store the chain becomes the "
		"device's. It may look at any moment, kicked or not."},
	[EXPLAIN_DESCRIPTORS] = {"2.7.5",
		"A descriptor is a buffer: address, length, and flags that say whether the device "
		"reads or writes it, and whether another one follows. Nobody looks yet."},
	[EXPLAIN_USED_EVENT] = {"2.7.7",
		"With used_event the driver says at which used element it wants the next "
		"interrupt."},
	[EXPLAIN_AVAILABLE_FLAGS] = {"2.7.7",
		"With the flags of the available ring the driver says whether it wants "
		"interrupts."},
	[EXPLAIN_USED_ELEMENT] = {"2.7.8",
		"The device fills in the next element of the used ring: the head of the chain, and "
		"how many bytes it has written. The driver does not look before idx counts it."},
	[EXPLAIN_USED_RING] = {"2.7.8",
		"idx of the used ring now counts what the device has used: the driver may take "
		"those buffers back."},
	[EXPLAIN_AVAIL_EVENT] = {"2.7.10",
		"With avail_event the device says at which available index it wants the next "
		"kick; others it does not need."},
	[EXPLAIN_USED_FLAGS] = {"2.7.10",
		"With the flags of the used ring the device says whether it wants kicks."},
	[EXPLAIN_PACKED_DESCRIPTOR] = {"2.8.13",
		"A descriptor is a buffer: address, length, the id of its chain, and flags. As "
		"long "
		"as the flags are as they were, it is the driver's."},
	[EXPLAIN_PACKED_AVAILABLE] = {"2.8.21",
		"The driver writes descriptors into the next places of the one ring, and the "
		"flags of the first one last: AVAIL as its wrap counter is, USED the opposite."},
	[EXPLAIN_PACKED_ELEMENT] = {"2.8.22",
		"The device overwrites the chain's first descriptor: its id, and how many bytes "
		"were written. The flags, which give it back to the driver, come last."},
	[EXPLAIN_PACKED_USED] = {"2.8.22",
		"The device has overwritten the chain's first descriptor: AVAIL and USED are "
		"both as its wrap counter is. Now the driver may take the buffers back."},
	[EXPLAIN_DRIVER_EVENT] = {"2.8.14",
		"The driver event suppression structure: always, never, or at a certain "
		"descriptor, says the driver of interrupts."},
	[EXPLAIN_DEVICE_EVENT] = {"2.8.14",
		"The device event suppression structure: always, never, or at a certain "
		"descriptor, says the device of kicks."},
	[EXPLAIN_NOT_ITS_OWN] = {"2.6",
		"This area is for the device to write, and for the driver to read."},
};

static enum explain explain_status(const struct record *record)
{
	uint64_t status = record->access.value;

	if (record->kind == CAPTURE_READ)
		return EXPLAIN_STATUS_READ;
	if (status == 0)
		return EXPLAIN_RESET;
	if (status & VIRTIO_STATUS_FAILED)
		return EXPLAIN_FAILED;
	if (status & VIRTIO_STATUS_DRIVER_OK)
		return EXPLAIN_DRIVER_OK;
	return status & VIRTIO_STATUS_FEATURES_OK ? EXPLAIN_FEATURES_OK : EXPLAIN_ACKNOWLEDGE;
}

static enum explain explain_access(const struct record *record)
{
	uint32_t offset = record->access.offset;

	if (offset >= VIRTIO_MMIO_CONFIG)
		return EXPLAIN_CONFIG;
	switch (offset & ~3u) {
	case VIRTIO_MMIO_MAGIC_VALUE:
	case VIRTIO_MMIO_VERSION:
	case VIRTIO_MMIO_DEVICE_ID:
		return EXPLAIN_IDENTIFY;
	case VIRTIO_MMIO_VENDOR_ID:
		return EXPLAIN_VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		return EXPLAIN_DEVICE_FEATURES;
	case VIRTIO_MMIO_DRIVER_FEATURES:
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		return EXPLAIN_DRIVER_FEATURES;
	case VIRTIO_MMIO_QUEUE_SEL:
		return EXPLAIN_QUEUE_SELECT;
	case VIRTIO_MMIO_QUEUE_SIZE_MAX:
	case VIRTIO_MMIO_QUEUE_SIZE:
		return EXPLAIN_QUEUE_SIZE;
	case VIRTIO_MMIO_QUEUE_READY:
		return EXPLAIN_QUEUE_READY;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		return EXPLAIN_KICK;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return EXPLAIN_INTERRUPT_STATUS;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		return EXPLAIN_INTERRUPT_ACK;
	case VIRTIO_MMIO_STATUS:
		return explain_status(record);
	case VIRTIO_MMIO_QUEUE_DESC_LOW ... VIRTIO_MMIO_QUEUE_DEVICE_HIGH:
		return EXPLAIN_QUEUE_ADDRESS;
	case VIRTIO_MMIO_SHM_SEL ... VIRTIO_MMIO_SHM_BASE_HIGH:
		return EXPLAIN_SHARED_MEMORY;
	case VIRTIO_MMIO_QUEUE_RESET:
		return EXPLAIN_QUEUE_RESET;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return EXPLAIN_GENERATION;
	default:
		return EXPLAIN_NO_REGISTER;
	}
}

static enum explain explain_chain(uint32_t device)
{
	switch (device) {
	case VIRTIO_ID_BLOCK:
		return EXPLAIN_BLOCK_CHAIN;
	case VIRTIO_ID_CONSOLE:
		return EXPLAIN_CONSOLE_CHAIN;
	case VIRTIO_ID_ENTROPY:
		return EXPLAIN_ENTROPY_CHAIN;
	default:
		return EXPLAIN_CHAIN;
	}
}

static enum explain explain_quiet(const struct record *record)
{
	if (record->flags & CAPTURE_FLAG_PACKED)
		return EXPLAIN_QUIET_PACKED;
	return record->flags & CAPTURE_FLAG_EVENT_IDX ? EXPLAIN_QUIET_EVENT : EXPLAIN_QUIET_FLAGS;
}

enum explain explain_record(const struct record *record)
{
	switch (record->kind) {
	case CAPTURE_READ:
	case CAPTURE_WRITE:
		return explain_access(record);
	case CAPTURE_STATUS:
		return EXPLAIN_STATUS_CHANGED;
	case CAPTURE_QUEUE_READY:
		return record->ready.size ? EXPLAIN_QUEUE_READY : EXPLAIN_QUEUE_STOPPED;
	case CAPTURE_SERVE:
		return EXPLAIN_SERVE;
	case CAPTURE_CHAIN:
		return explain_chain(record->device_id);
	case CAPTURE_USED:
		return record->flags & CAPTURE_FLAG_PACKED ? EXPLAIN_USED_PACKED
							   : EXPLAIN_USED_SPLIT;
	case CAPTURE_INTERRUPT:
		return record->interrupt.bit & VIRTIO_MMIO_INT_VRING ? EXPLAIN_INTERRUPT
								     : EXPLAIN_CONFIG_INTERRUPT;
	case CAPTURE_NO_INTERRUPT:
		return explain_quiet(record);
	case CAPTURE_HOST_BEGIN:
		return EXPLAIN_HOST_BEGIN;
	case CAPTURE_HOST_END:
		return EXPLAIN_HOST_END;
	case CAPTURE_REPORT:
		return EXPLAIN_REPORT;
	case CAPTURE_NAME:
	case CAPTURE_RING:
	case CAPTURE_STORE:
	case CAPTURE_MARK:
		break;
	}
	return EXPLAIN_MARK;
}
