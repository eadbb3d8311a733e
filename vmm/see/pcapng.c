/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/pcapng.h"

#include <string.h>

#include "see/capture_format.h"
#include "see/pcapng_format.h"
#include "version.h"

/* Where an enhanced packet block's own fields end. */
#define PACKET_OFFSET 28

/* --- blocks ----------------------------------------------------------------------------------- */

static void begin_block(struct bytes *block, uint32_t type)
{
	bytes_begin(block);
	bytes_u32(block, type);
	bytes_u32(block, 0); /* its length, once that is known */
}

/* Adds the lengths of a block. Returns false if there was no room for all of it. */
static bool close_block(struct pcapng *file)
{
	struct bytes *block = &file->block;
	uint32_t len = (uint32_t)block->len + 4;

	bytes_u32(block, len);
	if (block->full)
		return false;
	bytes_set_u32(block, 4, len);
	return true;
}

/* Returns false if the block is lost. */
static bool end_block(struct pcapng *file)
{
	return close_block(file) && sink_write(&file->sink, file->block.data, file->block.len);
}

static void add_option(struct bytes *block, uint16_t code, const void *value, size_t len)
{
	bytes_u16(block, code);
	bytes_u16(block, (uint16_t)len);
	bytes_add(block, value, len);
	bytes_pad(block);
}

static void add_u32_option(struct bytes *block, uint16_t code, uint32_t value)
{
	bytes_u16(block, code);
	bytes_u16(block, sizeof value);
	bytes_u32(block, value);
}

static void add_u64_option(struct bytes *block, uint16_t code, uint64_t value)
{
	bytes_u16(block, code);
	bytes_u16(block, sizeof value);
	bytes_u64(block, value);
}

/* --- the file --------------------------------------------------------------------------------- */

static void write_header(struct pcapng *file)
{
	static const char program[] = "vole " VOLE_VERSION;
	struct bytes *block = &file->block;

	begin_block(block, PCAPNG_SECTION_HEADER);
	bytes_u32(block, PCAPNG_BYTE_ORDER_MAGIC);
	bytes_u16(block, 1); /* version 1.0 */
	bytes_u16(block, 0);
	bytes_u64(block, UINT64_MAX); /* length of the section: not known */
	add_option(block, PCAPNG_SHB_USERAPPL, program, sizeof program - 1);
	add_option(block, PCAPNG_OPT_END, NULL, 0);
	end_block(file);
}

int pcapng_open(struct pcapng *file, const char *path, struct sink_wait wait, int fd)
{
	int ret = path ? sink_open(&file->sink, path, wait) : sink_open_fd(&file->sink, fd, true);

	if (ret < 0)
		return ret;
	ret = bytes_init(&file->block, PCAPNG_BLOCK_MAX);
	if (ret < 0) {
		sink_close(&file->sink);
		return ret;
	}
	file->interfaces = 0;
	file->lost = 0;
	write_header(file);
	return 0;
}

struct sink_end pcapng_close(struct pcapng *file)
{
	struct sink_end end = sink_close(&file->sink);

	bytes_free(&file->block);
	return end;
}

/* A description that is lost would make all that follows unreadable: it has to wait for the
 * reader. */
unsigned pcapng_interface(struct pcapng *file, const char *name)
{
	static const uint8_t nanoseconds = 9;
	struct bytes *block = &file->block;

	begin_block(block, PCAPNG_INTERFACE_DESCRIPTION);
	bytes_u16(block, CAPTURE_LINKTYPE);
	bytes_u16(block, 0);
	bytes_u32(block, 0); /* packets are not cut by their length */
	add_option(block, PCAPNG_IF_NAME, name, strlen(name));
	add_option(block, PCAPNG_IF_TSRESOL, &nanoseconds, sizeof nanoseconds);
	add_option(block, PCAPNG_OPT_END, NULL, 0);
	if (close_block(file))
		sink_write_patiently(&file->sink, block->data, block->len);
	return file->interfaces++;
}

/* --- packets ---------------------------------------------------------------------------------- */

struct bytes *pcapng_begin(struct pcapng *file)
{
	struct bytes *block = &file->block;

	begin_block(block, PCAPNG_ENHANCED_PACKET);
	for (size_t i = block->len; i < PACKET_OFFSET; i += 4)
		bytes_u32(block, 0);
	return block;
}

static void add_options(struct bytes *block, const struct pcapng_packet *packet, uint32_t lost)
{
	add_u32_option(block, PCAPNG_EPB_FLAGS, packet->flags);
	if (lost)
		add_u64_option(block, PCAPNG_EPB_DROPCOUNT, lost);
	if (packet->id)
		add_u64_option(block, PCAPNG_EPB_PACKETID, packet->id);
	if (packet->queue >= 0)
		add_u32_option(block, PCAPNG_EPB_QUEUE, (uint32_t)packet->queue);
	if (packet->comment)
		add_option(block, PCAPNG_OPT_COMMENT, packet->comment, strlen(packet->comment));
	add_option(block, PCAPNG_OPT_END, NULL, 0);
}

void pcapng_end(struct pcapng *file, const struct pcapng_packet *packet)
{
	struct bytes *block = &file->block;
	uint64_t captured = block->len - PACKET_OFFSET, whole = captured + packet->uncut;

	bytes_set_u32(block, 8, packet->interface);
	bytes_set_u32(block, 12, (uint32_t)(packet->ns >> 32));
	bytes_set_u32(block, 16, (uint32_t)packet->ns);
	bytes_set_u32(block, 20, (uint32_t)captured);
	bytes_set_u32(block, 24, whole < UINT32_MAX ? (uint32_t)whole : UINT32_MAX);
	bytes_pad(block);
	add_options(block, packet, file->lost);
	if (end_block(file))
		file->lost = 0;
	else
		file->lost++;
}
