/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/image_state.h"

#include <errno.h>
#include <stdlib.h>

#include "snapshot/stream.h"

static void transfer_segment(struct image_segment *segment, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, segment->paddr);
	SNAPSHOT_FIELD(stream, segment->vaddr);
	SNAPSHOT_FIELD(stream, segment->memory_size);
}

/* Allocates tables of these sizes, which are validated. */
static void make_tables(struct symbols *symbols, struct snapshot_stream *stream)
{
	symbols->table = malloc(symbols->count * symbols->entry_size);
	symbols->names = malloc(symbols->names_size);
	if (symbols->table && symbols->names)
		return;
	symbols_free(symbols);
	snapshot_fail(stream, -ENOMEM, "no memory");
}

static void transfer_tables(struct symbols *symbols, struct snapshot_stream *stream)
{
	uint32_t entry_size = (uint32_t)symbols->entry_size;
	uint64_t count = symbols->count, names_size = symbols->names_size;
	bool has_size;

	SNAPSHOT_FIELD(stream, entry_size);
	SNAPSHOT_FIELD(stream, count);
	SNAPSHOT_FIELD(stream, names_size);
	has_size = count > 0 && count <= SYMBOLS_SAVED_MAX && names_size > 0 &&
		   names_size <= SYMBOLS_SAVED_MAX;
	snapshot_check(
		stream, symbols_entry_is_valid(entry_size), "symbols of %u bytes", entry_size);
	snapshot_check(stream, has_size, "tables of symbols that are empty or too large");
	if (!has_size || snapshot_failed(stream))
		return;
	if (stream->is_reading) {
		*symbols = (struct symbols){
			.entry_size = entry_size, .count = count, .names_size = names_size};
		make_tables(symbols, stream);
	}
	if (!symbols->table)
		return;
	snapshot_bytes(stream, symbols->table, symbols->count * symbols->entry_size);
	snapshot_bytes(stream, symbols->names, symbols->names_size);
	if (stream->is_reading)
		symbols_clean(symbols);
}

void image_transfer(struct image *image, struct snapshot_stream *stream)
{
	struct symbols *symbols = &image->symbols;
	bool has_symbols =
		symbols->table &&
		symbols->count * symbols->entry_size + symbols->names_size <= SYMBOLS_SAVED_MAX;
	uint32_t count = image->segment_count;

	if (stream->is_reading)
		symbols_free(symbols);
	snapshot_begin(stream, "IMAG", 0);
	SNAPSHOT_FIELD(stream, count);
	snapshot_check(stream, count <= IMAGE_SEGMENTS_MAX, "%u segments", count);
	image->segment_count = snapshot_failed(stream) ? 0 : count;
	for (unsigned i = 0; i < image->segment_count; i++)
		transfer_segment(&image->segments[i], stream);
	snapshot_bool(stream, &has_symbols);
	if (has_symbols)
		transfer_tables(symbols, stream);
	image->has_symbols = true;
	snapshot_end(stream);
}
