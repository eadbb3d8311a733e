/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_MMIO_REGISTER_H
#define VIRTIO_MMIO_REGISTER_H

/*
 * The table of the MMIO registers, for mmio.c, which looks up what an access is to and enforces the
 * rules of the table. mmio_register.c has the table and what each register does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/virtio_mmio.h>

#include "mmio_state.h"
#include "virtio.h"

struct mmio_access;

/* What a register is: how it is read and written, NULL if it is not, and when it may be written. */
struct mmio_register {
	const char *name; /* virtio 4.2.2; NULL: there is no register */
	uint32_t (*read)(const struct mmio_access *access);
	void (*write)(const struct mmio_access *access);

	uint8_t set, clear; /* a write needs these bits of Status set, and these clear */
	bool unlocked;      /* read and written without the device's lock held */
	bool stops;         /* 0 stops what may be off already: no mistake in any phase */
	bool legacy;        /* of the legacy interface (virtio 4.2.4): neither read nor written */

	/* For the functions that serve several registers. */
	uint32_t constant;
	size_t field;   /* offset of what is stored, in struct virtio_mmio or struct virtq */
	unsigned shift; /* 32 for the high half of an address */
};

/* One access to a register. */
struct mmio_access {
	const struct mmio_register *reg;
	struct virtio_mmio *mmio;
	struct virtio_device *dev;
	const void *accessor;
	uint32_t offset;
	unsigned len;
	bool is_write;
	uint64_t value; /* written; registers take 32 bits */
};

/* The registers by offset / 4. What has no name is a hole. */
extern const struct mmio_register mmio_registers[VIRTIO_MMIO_CONFIG / 4];

/* Begin and end work on the device: they take and release its lock, and in between reports name who
 * makes the access. */
static inline void access_begin(const struct mmio_access *access)
{
	pthread_mutex_lock(&access->dev->lock);
	access->dev->accessor = access->accessor;
}

static inline void access_end(const struct mmio_access *access)
{
	access->dev->accessor = NULL;
	pthread_mutex_unlock(&access->dev->lock);
}

/* Reports that a write of this value to a register breaks a rule. The lock is held. */
void mmio_write_mistake(const struct mmio_access *access, enum virtio_rule rule);

/* Reports that an access breaks a rule. The format says what the driver did. The lock is held. */
#define mmio_mistake(access, rule_, ...)                                    \
	virtio_mistake((access)->dev,                                       \
		&(const struct virtio_report){.rule = (rule_),              \
			.reg = (access)->reg->name,                         \
			.queue = REPORT_NO_QUEUE,                           \
			.value = (access)->is_write ? (access)->value : 0}, \
		__VA_ARGS__)

#endif
