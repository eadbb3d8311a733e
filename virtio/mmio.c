/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmio.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <vole/le.h>

#include "mmio_register.h"

/* --- registers -------------------------------------------------------------------------------- */

/* Writes the name of what the access was to. */
static void name_target(const struct mmio_access *access, char *name, size_t size)
{
	unsigned byte = access->offset % 4;

	if (!access->reg->name)
		snprintf(name, size, "offset 0x%03x", access->offset);
	else if (byte)
		snprintf(name, size, "%s+%u", access->reg->name, byte);
	else
		snprintf(name, size, "%s", access->reg->name);
}

/* Reports an access to a register that does not permit it at any time. The lock is not held. */
static void refuse(const struct mmio_access *access, enum virtio_rule rule)
{
	char name[32];

	name_target(access, name, sizeof name);
	access_begin(access);
	if (access->is_write)
		mmio_mistake(access, rule,
			"write of 0x%" PRIx64 " (%u byte%s) to %s:", access->value, access->len,
			PLURAL(access->len), name);
	else
		mmio_mistake(access, rule, "read of %u byte%s from %s:", access->len,
			PLURAL(access->len), name);
	access_end(access);
}

/* Returns the rule that an access in this direction breaks in any phase: registers are accessed
 * whole, 32 bits at a time (virtio 4.2.2.2). */
static enum virtio_rule access_rule(const struct mmio_access *access)
{
	const struct mmio_register *reg = access->reg;

	if (access->offset % 4 != 0 || access->len != 4)
		return RULE_WIDTH;
	if (access->is_write ? reg->write != NULL : reg->read != NULL)
		return RULE_NONE;
	if (!reg->name)
		return RULE_NO_REGISTER;
	if (reg->legacy)
		return RULE_LEGACY;
	return access->is_write ? RULE_READ_ONLY : RULE_WRITE_ONLY;
}

static bool phase_permits(const struct mmio_access *access)
{
	uint8_t set = access->reg->set, clear = access->reg->clear;

	return (access->dev->status & (set | clear)) == set;
}

/* Returns the rule that a write breaks in a phase that does not permit it, or RULE_NONE: a device
 * that needs a reset said why when it failed, and a driver that cleans up after a reset may stop
 * queues that are off already, as Linux does. */
static enum virtio_rule phase_rule(const struct mmio_access *access)
{
	const struct mmio_register *reg = access->reg;
	uint8_t status = access->dev->status;

	if (status & VIRTIO_STATUS_DEVICE_NEEDS_RESET || (reg->stops && access->value == 0))
		return RULE_NONE;
	if (status & reg->clear & VIRTIO_STATUS_FAILED)
		return RULE_FAILED;
	if (status & reg->clear)
		return RULE_FEATURES_FIXED;
	switch (reg->set) {
	case VIRTIO_STATUS_DRIVER:
		return RULE_DRIVER;
	case VIRTIO_STATUS_FEATURES_OK:
		return RULE_FEATURES_OK;
	default:
		return RULE_DRIVER_OK;
	}
}

static uint32_t register_read(const struct mmio_access *access)
{
	uint32_t value;

	if (access->reg->unlocked)
		return access->reg->read(access);
	pthread_mutex_lock(&access->dev->lock);
	value = access->reg->read(access);
	pthread_mutex_unlock(&access->dev->lock);
	return value;
}

static void register_write(const struct mmio_access *access)
{
	if (access->reg->unlocked) {
		access->reg->write(access);
		return;
	}
	access_begin(access);
	if (phase_permits(access))
		access->reg->write(access);
	else
		mmio_write_mistake(access, phase_rule(access));
	access_end(access);
}

/* --- configuration space ---------------------------------------------------------------------- */

/* Returns how many bytes of an access to configuration space lie within it, and reports an access
 * beyond its end, or of a width that no field has: 64-bit fields are accessed by halves (virtio
 * 4.2.2.2). written is NULL for a read. The lock is held. */
static unsigned config_part(
	const struct mmio_access *access, uint32_t offset, const uint8_t *written)
{
	size_t config_len = access->dev->ops->config_len;
	unsigned len = access->len;

	if (len > 4) {
		virtio_config_mistake(access->dev, RULE_CONFIG_WIDTH, offset, written, len);
		return 0;
	}
	if (offset < config_len && len <= config_len - offset)
		return len;
	virtio_config_mistake(access->dev, RULE_CONFIG_END, offset, written, len);
	return offset < config_len ? config_len - offset : 0;
}

static void config_read(const struct mmio_access *access, uint8_t *data)
{
	uint32_t offset = access->offset - VIRTIO_MMIO_CONFIG;
	uint8_t config[VIRTIO_CONFIG_MAX];
	unsigned len;

	access_begin(access);
	len = config_part(access, offset, NULL);
	if (len > 0)
		access->dev->ops->config_read(access->dev, config);
	access_end(access);
	if (len > 0)
		memcpy(data, config + offset, len);
}

/* Writes configuration space in any phase. The device type checks the phase, because one field, the
 * console's emergency write, works at any time (virtio 5.3.5.1). */
static void config_write(const struct mmio_access *access, const uint8_t *data)
{
	uint32_t offset = access->offset - VIRTIO_MMIO_CONFIG;
	unsigned len;

	access_begin(access);
	len = config_part(access, offset, data);
	if (len > 0 && access->dev->ops->config_write)
		access->dev->ops->config_write(access->dev, offset, data, len);
	else if (len > 0)
		virtio_config_mistake(access->dev, RULE_CONFIG_READ_ONLY, offset, data, len);
	access_end(access);
}

/* --- accesses --------------------------------------------------------------------------------- */

void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio_device *dev)
{
	*mmio = (struct virtio_mmio){.dev = dev};
}

static struct mmio_access access_of(struct virtio_mmio *mmio, uint32_t offset, unsigned len,
	bool is_write, const void *accessor)
{
	return (struct mmio_access){
		.reg = offset < VIRTIO_MMIO_CONFIG ? &mmio_registers[offset / 4] : NULL,
		.mmio = mmio,
		.dev = mmio->dev,
		.accessor = accessor,
		.offset = offset,
		.len = len,
		.is_write = is_write,
	};
}

/* Returns the selector that what is accessed depends on; 0: none. Lock held. */
static uint32_t selector_of(const struct mmio_access *access)
{
	switch (access->offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return access->mmio->device_features_sel;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		return access->mmio->driver_features_sel;
	case VIRTIO_MMIO_QUEUE_SIZE_MAX:
	case VIRTIO_MMIO_QUEUE_SIZE:
	case VIRTIO_MMIO_QUEUE_READY:
	case VIRTIO_MMIO_QUEUE_DESC_LOW ... VIRTIO_MMIO_QUEUE_DEVICE_HIGH:
	case VIRTIO_MMIO_QUEUE_RESET:
		return access->mmio->queue_sel;
	default:
		return 0;
	}
}

/* Tells whoever watches of an access; data is what was read or will be written. The lock is not
 * held. */
static void tell_of_access(const struct mmio_access *access, const uint8_t *data)
{
	le64 word = {0};

	if (!virtio_is_watched(access->dev))
		return;
	memcpy(&word, data, access->len < sizeof word ? access->len : sizeof word);
	pthread_mutex_lock(&access->dev->lock);
	virtio_tell(access->dev,
		&(const struct virtio_event){
			.kind = access->is_write ? VIRTIO_EVENT_WRITE : VIRTIO_EVENT_READ,
			.queue = EVENT_NO_QUEUE,
			.value = le64_to_cpu(word),
			.reg = access->reg ? access->reg->name : NULL,
			.offset = access->offset,
			.selected = selector_of(access),
			.len = access->len,
			.accessor = access->accessor,
		});
	pthread_mutex_unlock(&access->dev->lock);
}

void virtio_mmio_read(struct virtio_mmio *mmio, uint32_t offset, uint8_t *data, unsigned len,
	const void *accessor)
{
	struct mmio_access access = access_of(mmio, offset, len, false, accessor);
	enum virtio_rule rule;
	le32 word;

	memset(data, 0, len);
	if (!access.reg) {
		config_read(&access, data);
	} else if ((rule = access_rule(&access)) == RULE_NONE) {
		word = cpu_to_le32(register_read(&access));
		memcpy(data, &word, sizeof word);
	} else {
		refuse(&access, rule);
	}
	tell_of_access(&access, data);
}

void virtio_mmio_write(struct virtio_mmio *mmio, uint32_t offset, const uint8_t *data, unsigned len,
	const void *accessor)
{
	struct mmio_access access = access_of(mmio, offset, len, true, accessor);
	enum virtio_rule rule;
	le64 word = {0};

	tell_of_access(&access, data);
	if (!access.reg) {
		config_write(&access, data);
		return;
	}
	memcpy(&word, data, len);
	access.value = le64_to_cpu(word);
	rule = access_rule(&access);
	if (rule == RULE_NONE)
		register_write(&access);
	else
		refuse(&access, rule);
}
