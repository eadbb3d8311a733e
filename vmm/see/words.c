/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/words.h"

#include <inttypes.h>
#include <string.h>

#include <vole/virtio_blk.h>
#include <vole/virtio_config.h>
#include <vole/virtio_console.h>
#include <vole/virtio_mmio.h>

#include "virtio.h"

struct name {
	unsigned number;
	const char *name;
};

/* A table of names ends with an entry without one. Returns NULL if the number has no name. */
static const char *find_name(const struct name *names, unsigned number)
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	return NULL;
}

/* Adds the names of bits, with commas between them. */
static void add_bits(
	struct text *text, const struct name *names, const struct name *more, uint64_t bits)
{
	const char *between = "";

	for (; bits; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);
		const char *name = find_name(names, bit);

		if (!name && more)
			name = find_name(more, bit);
		if (name)
			text_add(text, "%s%s", between, name);
		else
			text_add(text, "%sbit %u", between, bit);
		between = ", ";
	}
}

/* --- Status and features ---------------------------------------------------------------------- */

void words_status(struct text *text, uint8_t status)
{
	/* In the order in which a driver sets them (virtio 3.1.1). */
	static const struct name names[] = {
		{VIRTIO_STATUS_ACKNOWLEDGE, "ACKNOWLEDGE"},
		{VIRTIO_STATUS_DRIVER, "DRIVER"},
		{VIRTIO_STATUS_FEATURES_OK, "FEATURES_OK"},
		{VIRTIO_STATUS_DRIVER_OK, "DRIVER_OK"},
		{VIRTIO_STATUS_DEVICE_NEEDS_RESET, "DEVICE_NEEDS_RESET"},
		{VIRTIO_STATUS_FAILED, "FAILED"},
		{0, NULL},
	};
	const char *between = " (";

	text_add(text, "0x%02x", status);
	for (const struct name *name = names; name->name; name++) {
		if (!(status & name->number))
			continue;
		text_add(text, "%s%s", between, name->name);
		between = ", ";
	}
	text_add(text, *between == ',' ? ")" : "");
}

static const struct name *features_of(uint32_t id)
{
	static const struct name none[] = {{0, NULL}};
	static const struct name block[] = {
		/* virtio 5.2.3 */
		{VIRTIO_BLK_F_SIZE_MAX, "SIZE_MAX"},
		{VIRTIO_BLK_F_SEG_MAX, "SEG_MAX"},
		{VIRTIO_BLK_F_GEOMETRY, "GEOMETRY"},
		{VIRTIO_BLK_F_RO, "RO"},
		{VIRTIO_BLK_F_BLK_SIZE, "BLK_SIZE"},
		{VIRTIO_BLK_F_FLUSH, "FLUSH"},
		{VIRTIO_BLK_F_TOPOLOGY, "TOPOLOGY"},
		{VIRTIO_BLK_F_CONFIG_WCE, "CONFIG_WCE"},
		{VIRTIO_BLK_F_MQ, "MQ"},
		{VIRTIO_BLK_F_DISCARD, "DISCARD"},
		{VIRTIO_BLK_F_WRITE_ZEROES, "WRITE_ZEROES"},
		{VIRTIO_BLK_F_LIFETIME, "LIFETIME"},
		{VIRTIO_BLK_F_SECURE_ERASE, "SECURE_ERASE"},
		{VIRTIO_BLK_F_ZONED, "ZONED"},
		{0, NULL},
	};
	static const struct name console[] = {
		/* virtio 5.3.3 */
		{VIRTIO_CONSOLE_F_SIZE, "SIZE"},
		{VIRTIO_CONSOLE_F_MULTIPORT, "MULTIPORT"},
		{VIRTIO_CONSOLE_F_EMERG_WRITE, "EMERG_WRITE"},
		{0, NULL},
	};

	if (id == VIRTIO_ID_BLOCK)
		return block;
	return id == VIRTIO_ID_CONSOLE ? console : none;
}

void words_features(struct text *text, uint32_t id, uint64_t features)
{
	static const struct name common[] = {
		/* virtio 6 */
		{VIRTIO_F_INDIRECT_DESC, "INDIRECT_DESC"},
		{VIRTIO_F_EVENT_IDX, "EVENT_IDX"},
		{VIRTIO_F_VERSION_1, "VERSION_1"},
		{VIRTIO_F_ACCESS_PLATFORM, "ACCESS_PLATFORM"},
		{VIRTIO_F_RING_PACKED, "RING_PACKED"},
		{VIRTIO_F_IN_ORDER, "IN_ORDER"},
		{VIRTIO_F_ORDER_PLATFORM, "ORDER_PLATFORM"},
		{VIRTIO_F_SR_IOV, "SR_IOV"},
		{VIRTIO_F_NOTIFICATION_DATA, "NOTIFICATION_DATA"},
		{VIRTIO_F_NOTIF_CONFIG_DATA, "NOTIF_CONFIG_DATA"},
		{VIRTIO_F_RING_RESET, "RING_RESET"},
		{VIRTIO_F_ADMIN_VQ, "ADMIN_VQ"},
		{0, NULL},
	};

	if (features)
		add_bits(text, common, features_of(id), features);
	else
		text_add(text, "none");
}

/* --- registers -------------------------------------------------------------------------------- */

static void add_feature_word(struct text *text, uint32_t id, const struct virtio_event *access)
{
	text_add(text, ", word %u: ", access->selected);
	if (access->selected < 2)
		words_features(text, id, access->value << 32 * access->selected);
	else
		text_add(text, "no word has this number");
}

static void add_interrupt_bits(struct text *text, uint64_t bits)
{
	static const struct name names[] = {
		{0, "used buffer"},
		{1, "configuration change"},
		{0, NULL},
	};

	text_add(text, " (");
	if (bits)
		add_bits(text, names, NULL, bits);
	else
		text_add(text, "none");
	text_add(text, ")");
}

const char *words_device(uint64_t id)
{
	static const struct name names[] = {
		{VIRTIO_ID_NONE, "none"},
		{VIRTIO_ID_NET, "network"},
		{VIRTIO_ID_BLOCK, "block"},
		{VIRTIO_ID_CONSOLE, "console"},
		{VIRTIO_ID_ENTROPY, "entropy"},
		{0, NULL},
	};

	return id <= UINT32_MAX ? find_name(names, (unsigned)id) : NULL;
}

static void add_device_id(struct text *text, uint64_t id)
{
	const char *name = words_device(id);

	text_add(text, " = %" PRIu64, id);
	if (name)
		text_add(text, " (%s)", name);
}

/* Adds four bytes as characters, as MagicValue and VendorID are meant. */
static void add_characters(struct text *text, uint64_t value)
{
	text_add(text, " (\"");
	for (unsigned i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)(value >> 8 * i);

		text_add(text, "%c", c >= ' ' && c < 0x7f ? c : '.');
	}
	text_add(text, "\")");
}

static void add_value(struct text *text, uint32_t id, const struct virtio_event *access)
{
	uint64_t value = access->value;

	switch (access->offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
	case VIRTIO_MMIO_VENDOR_ID:
		text_add(text, " = 0x%08" PRIx64, value);
		add_characters(text, value);
		break;
	case VIRTIO_MMIO_DEVICE_ID:
		add_device_id(text, value);
		break;
	case VIRTIO_MMIO_DEVICE_FEATURES:
	case VIRTIO_MMIO_DRIVER_FEATURES:
		text_add(text, " = 0x%08" PRIx64, value);
		add_feature_word(text, id, access);
		break;
	case VIRTIO_MMIO_STATUS:
		text_add(text, " = ");
		if (value > 0 && value <= UINT8_MAX)
			words_status(text, (uint8_t)value);
		else if (value == 0)
			text_add(text, "0x00 (%s)",
				access->kind == VIRTIO_EVENT_WRITE ? "reset" : "none");
		else
			text_add(text, "0x%" PRIx64, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
	case VIRTIO_MMIO_INTERRUPT_ACK:
		text_add(text, " = 0x%" PRIx64, value);
		add_interrupt_bits(text, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW ... VIRTIO_MMIO_QUEUE_DEVICE_HIGH:
		text_add(text, " = 0x%08" PRIx64, value);
		break;
	default:
		text_add(text, value < 4096 ? " = %" PRIu64 : " = 0x%" PRIx64, value);
		break;
	}
}

void words_access(struct text *text, uint32_t id, const struct virtio_event *access)
{
	if (access->offset >= VIRTIO_MMIO_CONFIG) {
		text_add(text, "configuration, %u byte%s at 0x%x = 0x%0*" PRIx64, access->len,
			PLURAL(access->len), access->offset - VIRTIO_MMIO_CONFIG,
			2 * (int)access->len, access->value);
		return;
	}
	if (access->reg)
		text_add(text, "%s", access->reg);
	else
		text_add(text, "offset 0x%03x", access->offset);
	if (access->len != 4 || access->offset % 4 != 0)
		text_add(text, " (%u byte%s at +%u)", access->len, PLURAL(access->len),
			access->offset % 4);
	add_value(text, id, access);
}

/* --- requests --------------------------------------------------------------------------------- */

static void add_block_request(struct text *text, const struct request_words *request)
{
	static const struct name types[] = {
		/* virtio 5.2.6 */
		{VIRTIO_BLK_T_IN, "read"},
		{VIRTIO_BLK_T_OUT, "write"},
		{VIRTIO_BLK_T_FLUSH, "flush"},
		{VIRTIO_BLK_T_GET_ID, "request for the serial number"},
		{VIRTIO_BLK_T_GET_LIFETIME, "request for the lifetime"},
		{VIRTIO_BLK_T_DISCARD, "discard"},
		{VIRTIO_BLK_T_WRITE_ZEROES, "write of zeroes"},
		{VIRTIO_BLK_T_SECURE_ERASE, "secure erase"},
		{0, NULL},
	};
	struct virtio_blk_req header;
	uint64_t data;
	const char *name;
	uint32_t type;

	/* A capture could claim bytes of a header and none that the device may read. */
	if (request->header_len < sizeof header || request->readable_len < sizeof header) {
		text_add(text, "no whole header");
		return;
	}
	memcpy(&header, request->header, sizeof header);
	type = le32_to_cpu(header.type);
	name = find_name(types, type);
	if (name)
		text_add(text, "%s", name);
	else
		text_add(text, "request of type %u", type);
	if (type != VIRTIO_BLK_T_IN && type != VIRTIO_BLK_T_OUT)
		return;
	data = type == VIRTIO_BLK_T_OUT    ? request->readable_len - sizeof header
	       : request->writable_len > 0 ? request->writable_len - 1
					   : 0;
	text_add(text, " of sector %" PRIu64 ", %" PRIu64 " byte%s", le64_to_cpu(header.sector),
		data, PLURAL(data));
}

/* The queues that are seen from a console's driver as receiving have even numbers. */
static bool is_receive_queue(unsigned queue)
{
	return queue % 2 == 0;
}

static void add_console_buffer(struct text *text, const struct request_words *request)
{
	unsigned queue = request->queue;
	bool is_control =
		request->is_multiport && (queue == VIRTIO_CONSOLE_QUEUE_CONTROL_RECEIVE ||
						 queue == VIRTIO_CONSOLE_QUEUE_CONTROL_TRANSMIT);
	uint64_t len = is_receive_queue(queue) ? request->writable_len : request->readable_len;

	if (is_receive_queue(queue))
		text_add(text, "buffer for %s%" PRIu64 " byte%s of input",
			is_control ? "a control message, " : "", len, PLURAL(len));
	else if (is_control)
		text_add(text, "control message of %" PRIu64 " byte%s", len, PLURAL(len));
	else
		text_add(text, "%" PRIu64 " byte%s of output", len, PLURAL(len));
}

void words_request(struct text *text, const struct request_words *request)
{
	switch (request->device) {
	case VIRTIO_ID_BLOCK:
		add_block_request(text, request);
		break;
	case VIRTIO_ID_CONSOLE:
		add_console_buffer(text, request);
		break;
	case VIRTIO_ID_ENTROPY:
		text_add(text, "request for %" PRIu64 " random byte%s", request->writable_len,
			PLURAL(request->writable_len));
		break;
	default:
		break;
	}
}

void words_chain(struct text *text, const struct virtio_device *dev, unsigned queue,
	const struct chain *chain)
{
	struct request_words request = {
		.device = dev->ops->id,
		.queue = queue,
		.is_multiport = virtio_has_feature(dev, VIRTIO_CONSOLE_F_MULTIPORT),
		.readable_len = chain->readable_len,
		.writable_len = chain->writable_len,
	};

	request.header_len = chain_read(chain, 0, request.header, sizeof request.header);
	words_request(text, &request);
}

/* Returns the last byte of what the device wrote, -1 if the chain has no place for it. */
static int last_byte(const struct chain *chain)
{
	for (unsigned i = chain->writable_count; i-- > 0;) {
		const struct iovec *segment = &chain->writable[i];
		uint8_t byte;

		if (segment->iov_len == 0)
			continue;
		gmem_copy_in(&byte, (const uint8_t *)segment->iov_base + segment->iov_len - 1, 1);
		return byte;
	}
	return -1;
}

const char *words_block_status(unsigned status)
{
	static const struct name names[] = {
		/* virtio 5.2.6 */
		{VIRTIO_BLK_S_OK, "OK"},
		{VIRTIO_BLK_S_IOERR, "IOERR"},
		{VIRTIO_BLK_S_UNSUPP, "UNSUPP"},
		{0, NULL},
	};

	return find_name(names, status);
}

void words_suppression(struct text *text, bool is_packed, bool has_event_idx, uint32_t word)
{
	if (!is_packed)
		text_add(text,
			has_event_idx ? "used_event is %" PRIu32
				      : "the available ring's flags are %" PRIu32,
			word);
	else if ((word >> 16 & 3) == VIRTQ_EVENT_DISABLE)
		text_add(text, "the driver has disabled them");
	else
		text_add(text, "the driver asked for descriptor %" PRIu32 ", wrap counter %" PRIu32,
			word & 0x7fff, word >> 15 & 1);
}

void words_result(struct text *text, const struct virtio_device *dev, const struct chain *chain)
{
	int status = dev->ops->id == VIRTIO_ID_BLOCK ? last_byte(chain) : -1;
	const char *name = status >= 0 ? words_block_status((unsigned)status) : NULL;

	if (name)
		text_add(text, ", %s", name);
}
