/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols of an image in a stream: they are found as before, and damaged ones do no harm. */
#include "boot/image_state.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "snapshot/stream.h"

static Elf32_Sym table[] = {
	{0},
	{.st_name = 1,
		.st_value = 0x101000,
		.st_size = 16,
		.st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = 1},
	{.st_name = 6,
		.st_value = 0x101010,
		.st_info = ELF32_ST_INFO(STB_LOCAL, STT_NOTYPE),
		.st_shndx = 1},
};
static char names[] = "\0main\0inner";

static void write_sample(struct snapshot_stream *stream)
{
	struct image image = IMAGE_EMPTY;

	image.segment_count = 1;
	image.segments[0] =
		(struct image_segment){.paddr = 0x101000, .vaddr = 0x101000, .memory_size = 0x1000};
	image.symbols = (struct symbols){
		(uint8_t *)table, sizeof *table, sizeof table / sizeof *table, names, sizeof names};
	snapshot_write(stream);
	image_transfer(&image, stream);
}

/* Reads the stream with some bits changed. Returns the error. */
static int read_damaged(const struct snapshot_stream *written, unsigned bits, uint64_t *seed)
{
	struct image image = IMAGE_EMPTY;
	struct snapshot_stream stream;
	uint8_t *copy = malloc(written->len);
	uint32_t offset;

	memcpy(copy, written->bytes, written->len);
	while (bits-- > 0) {
		*seed = *seed * UINT64_C(6364136223846793005) + 1;
		copy[(*seed >> 33) % written->len] ^= (uint8_t)(1 << (*seed >> 60) % 8);
	}
	snapshot_read(&stream, copy, written->len);
	image_transfer(&image, &stream);
	image_symbol(&image, 0x101004, &offset);
	image_symbol(&image, UINT64_MAX, &offset);
	image_free(&image);
	free(copy);
	return stream.error;
}

static void test_round_trip(void)
{
	struct snapshot_stream stream, input;
	struct image image = IMAGE_EMPTY;
	uint32_t offset = 0;
	const char *name;

	write_sample(&stream);
	snapshot_read(&input, stream.bytes, stream.len);
	image_transfer(&image, &input);
	is(input.error, 0, "an image is read");
	name = image_symbol(&image, 0x101014, &offset);
	ok(name && strcmp(name, "inner") == 0 && offset == 4, "its symbols are found");
	ok(!image_symbol(&image, 0x200000, &offset), "and no others");
	image_free(&image);
	snapshot_free(&stream);
}

static void test_damage(void)
{
	struct snapshot_stream stream;
	unsigned refused = 0, used = 0;
	uint64_t seed = 1;

	write_sample(&stream);
	for (unsigned i = 0; i < 3000; i++) {
		if (read_damaged(&stream, 1 + i % 5, &seed) == -EBADMSG)
			refused++;
		else
			used++;
	}
	ok(refused > 300 && used > 300, "of damaged images %u were refused and %u harmless",
		refused, used);
	snapshot_free(&stream);
}

int main(void)
{
	test_round_trip();
	test_damage();
	return tap_done();
}
