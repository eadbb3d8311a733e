/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error_text.h"
#include "see/capture_format.h"
#include "see/pcapng_format.h"
#include "story/cursor.h"

/* Bytes of the longest block that is read: a packet of vole's is at most PCAPNG_BLOCK_MAX, but
 * tools that edit captures add comments. */
#define BLOCK_MAX (16u << 20)

#define BLOCK_FRAME 12 /* bytes of a block that are not its body */

#define INTERFACE_FOREIGN    0xff
#define RESOLUTION_DEFAULT   6 /* microseconds */
#define RESOLUTION_MAX       9
#define RESOLUTION_IS_BINARY 0x80

/* What classic pcap files begin with, in both byte orders and with both resolutions. */
static const uint32_t old_magics[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1};

int reader_init(struct reader *reader, FILE *file)
{
	*reader = (struct reader){
		.file = file,
		.block_size = 4096,
		.resolutions = malloc(READER_INTERFACES_MAX),
	};
	reader->block = malloc(reader->block_size);
	if (reader->block && reader->resolutions)
		return 0;
	reader_free(reader);
	return -ENOMEM;
}

void reader_free(struct reader *reader)
{
	free(reader->block);
	free(reader->resolutions);
	reader->block = reader->resolutions = NULL;
}

#define problem(reader, ...) \
	((void)snprintf((reader)->problem, sizeof(reader)->problem, __VA_ARGS__), false)

/* --- blocks ----------------------------------------------------------------------------------- */

static bool cut_off(struct reader *reader)
{
	if (ferror(reader->file))
		return problem(reader, "it cannot be read: %s", error_text(errno));
	return problem(reader, "it is cut off in the block at byte %" PRIu64, reader->read);
}

static bool make_room(struct reader *reader, size_t size)
{
	uint8_t *block;

	if (size <= reader->block_size)
		return true;
	block = realloc(reader->block, size);
	if (!block)
		return problem(reader, "%s", error_text(ENOMEM));
	reader->block = block;
	reader->block_size = size;
	return true;
}

static bool refuse_start(struct reader *reader, uint32_t type)
{
	for (size_t i = 0; i < sizeof old_magics / sizeof *old_magics; i++)
		if (type == old_magics[i])
			return problem(reader, "it is a pcap file, not pcapng as vole writes it");
	return problem(reader, "it is no pcapng file");
}

/* Reads a block. *body is what lies between its lengths. Returns false at the end. */
static bool read_block(struct reader *reader, uint32_t *type, struct cursor *body)
{
	uint8_t frame[8];
	struct cursor head = cursor_of(frame, sizeof frame);
	size_t got = fread(frame, 1, sizeof frame, reader->file);
	uint32_t len, again;

	if (got == 0 && !ferror(reader->file))
		return reader->read > 0 ? false : problem(reader, "it is empty");
	if (got < sizeof frame)
		return reader->read > 0 || ferror(reader->file) ? cut_off(reader)
								: refuse_start(reader, 0);
	*type = take_u32(&head);
	len = take_u32(&head);
	if (reader->read == 0 && *type != PCAPNG_SECTION_HEADER)
		return refuse_start(reader, *type);
	if (*type == PCAPNG_SECTION_HEADER && len > BLOCK_MAX)
		return problem(reader, "its numbers are not little-endian, as vole's are");
	if (len < BLOCK_FRAME || len % 4 != 0)
		return problem(reader,
			"the block at byte %" PRIu64 " has a length of %" PRIu32 " bytes",
			reader->read, len);
	if (len > BLOCK_MAX)
		return problem(reader,
			"the block at byte %" PRIu64 " has %" PRIu32
			" bytes, and the largest one that is read %u",
			reader->read, len, BLOCK_MAX);
	if (!make_room(reader, len))
		return false;
	if (fread(reader->block, 1, len - sizeof frame, reader->file) < len - sizeof frame)
		return cut_off(reader);
	*body = cursor_of(reader->block, len - BLOCK_FRAME);
	head = cursor_of(reader->block + len - BLOCK_FRAME, 4);
	again = take_u32(&head);
	if (again != len)
		return problem(reader,
			"the block at byte %" PRIu64 " has two lengths, %" PRIu32 " and %" PRIu32
			" bytes",
			reader->read, len, again);
	reader->read += len;
	return true;
}

/* Takes the next option of a block. Returns false after the last. */
static bool take_option(struct cursor *body, unsigned *code, struct cursor *value)
{
	const uint8_t *bytes;
	size_t len;

	*code = take_u16(body);
	len = take_u16(body);
	bytes = *code == PCAPNG_OPT_END ? NULL : take_bytes(body, len);
	if (!bytes)
		return false;
	*value = cursor_of(bytes, len);
	take_bytes(body, -len & 3);
	return true;
}

/* --- sections and interfaces ------------------------------------------------------------------ */

static bool read_section(struct reader *reader, struct cursor body)
{
	uint32_t magic = take_u32(&body);
	uint16_t major = take_u16(&body);
	struct cursor value;
	unsigned code;

	if (magic != PCAPNG_BYTE_ORDER_MAGIC)
		return problem(reader, "its numbers are not little-endian, as vole's are");
	if (major != PCAPNG_VERSION_MAJOR)
		return problem(
			reader, "it is of version %u of pcapng, and this vole knows 1", major);
	reader->interfaces = 0;
	take_bytes(
		&body, 10); /* minor version, and the section's length, which need not be there */
	while (take_option(&body, &code, &value))
		if (code == PCAPNG_SHB_USERAPPL && !reader->application[0])
			snprintf(reader->application, sizeof reader->application, "%.*s",
				(int)cursor_left(&value), (const char *)value.next);
	return true;
}

static bool read_interface(struct reader *reader, struct cursor body)
{
	uint16_t link = take_u16(&body);
	uint8_t resolution = RESOLUTION_DEFAULT;
	struct cursor value;
	unsigned code;

	take_bytes(&body, 6);
	while (take_option(&body, &code, &value))
		if (code == PCAPNG_IF_TSRESOL)
			resolution = take_u8(&value);
	if (link != CAPTURE_LINKTYPE || resolution > RESOLUTION_MAX)
		resolution = INTERFACE_FOREIGN;
	if (reader->interfaces == READER_INTERFACES_MAX)
		return problem(
			reader, "a section has more than %d interfaces", READER_INTERFACES_MAX);
	reader->resolutions[reader->interfaces++] = resolution;
	return true;
}

/* --- packets ---------------------------------------------------------------------------------- */

static uint64_t nanoseconds(uint64_t stamp, uint8_t resolution)
{
	for (; resolution < RESOLUTION_MAX; resolution++)
		stamp *= 10;
	return stamp;
}

/* Returns false if the packet is not one of vole's. */
static bool read_packet(struct reader *reader, struct cursor body, struct packet *packet)
{
	uint32_t interface = take_u32(&body);
	uint64_t high = take_u32(&body), low = take_u32(&body);
	uint32_t captured = take_u32(&body), len = take_u32(&body);
	struct cursor value;
	unsigned code;

	*packet = (struct packet){.bytes = take_bytes(&body, captured)};
	if (!packet->bytes || interface >= reader->interfaces ||
		reader->resolutions[interface] == INTERFACE_FOREIGN) {
		reader->foreign++;
		return false;
	}
	packet->len = captured;
	packet->uncut = len > captured ? len - captured : 0;
	packet->ns = nanoseconds(high << 32 | low, reader->resolutions[interface]);
	take_bytes(&body, -captured & 3);
	while (take_option(&body, &code, &value)) {
		if (code == PCAPNG_EPB_PACKETID)
			packet->id = take_u64(&value);
		else if (code == PCAPNG_EPB_DROPCOUNT)
			packet->lost = take_u64(&value);
	}
	return true;
}

bool reader_next(struct reader *reader, struct packet *packet)
{
	struct cursor body;
	uint32_t type;

	while (read_block(reader, &type, &body)) {
		switch (type) {
		case PCAPNG_SECTION_HEADER:
			if (!read_section(reader, body))
				return false;
			break;
		case PCAPNG_INTERFACE_DESCRIPTION:
			if (!read_interface(reader, body))
				return false;
			break;
		case PCAPNG_ENHANCED_PACKET:
			if (read_packet(reader, body, packet))
				return true;
			break;
		default:
			/* Tools add blocks of other types, names and statistics. */
			break;
		}
	}
	return false;
}
