/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "error_text.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "log.h"

#define MAGIC      "vole record\n\0\0\0"
#define MAGIC_SIZE 16

/* Bytes of a record that is read at most: it is held in memory. */
#define RECORD_MAX (UINT64_C(4) << 30)

struct header {
	char magic[MAGIC_SIZE];
	uint32_t version, setup_len;
	uint64_t sum; /* of the fields before, and of the setup */
};

_Static_assert(sizeof MAGIC == MAGIC_SIZE, "the magic has its size");
_Static_assert(sizeof(struct header) == 32, "the header has no gaps");

/* --- the setup -------------------------------------------------------------------------------- */

static bool is_power_of_two(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max && (value & (value - 1)) == 0;
}

static void transfer_words(struct record_setup *setup, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, setup->words_len);
	snapshot_check(stream, setup->words_len <= RECORD_WORDS_MAX, "%u bytes of words",
		setup->words_len);
	if (snapshot_failed(stream))
		return;
	snapshot_bytes(stream, setup->words, setup->words_len);
	snapshot_check(stream, setup->words_len > 0 && setup->words[setup->words_len - 1] == '\0',
		"words without an end");
}

static void transfer_disk(struct record_disk *disk, struct snapshot_stream *stream)
{
	SNAPSHOT_FIELD(stream, disk->sectors);
	SNAPSHOT_FIELD(stream, disk->checksum);
	SNAPSHOT_FIELD(stream, disk->block_size);
	SNAPSHOT_FIELD(stream, disk->unit);
	snapshot_bool(stream, &disk->read_only);
	snapshot_bool(stream, &disk->can_unmap);
	snapshot_check(stream, is_power_of_two(disk->block_size, 512, 4096), "blocks of %u bytes",
		disk->block_size);
	snapshot_check(stream, is_power_of_two(disk->unit, 512, 1u << 20),
		"physical blocks of %u bytes", disk->unit);
}

void record_setup_transfer(struct record_setup *setup, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "RUN ", 0);
	snapshot_string(stream, setup->vole, sizeof setup->vole);
	transfer_words(setup, stream);
	SNAPSHOT_FIELD(stream, setup->file_count);
	snapshot_check(
		stream, setup->file_count <= RECORD_FILES_MAX, "%u files", setup->file_count);
	for (unsigned i = 0; !snapshot_failed(stream) && i < setup->file_count; i++) {
		SNAPSHOT_FIELD(stream, setup->files[i].size);
		SNAPSHOT_FIELD(stream, setup->files[i].checksum);
	}
	SNAPSHOT_FIELD(stream, setup->disk_count);
	snapshot_check(
		stream, setup->disk_count <= RECORD_DISKS_MAX, "%u disks", setup->disk_count);
	for (unsigned i = 0; !snapshot_failed(stream) && i < setup->disk_count; i++)
		transfer_disk(&setup->disks[i], stream);
	snapshot_end(stream);
}

static uint64_t sum_of(const struct header *header, const uint8_t *setup)
{
	return checksum_add(
		checksum_add(0, header, offsetof(struct header, sum)), setup, header->setup_len);
}

/* --- writing ---------------------------------------------------------------------------------- */

int record_write_setup(struct sink *sink, struct record_setup *setup)
{
	struct header header = {.magic = MAGIC, .version = RECORD_VERSION};
	struct snapshot_stream stream;
	int ret;

	snapshot_write(&stream);
	record_setup_transfer(setup, &stream);
	ret = stream.error;
	if (ret == 0) {
		header.setup_len = (uint32_t)stream.len;
		header.sum = sum_of(&header, stream.bytes);
		sink_write(sink, &header, sizeof header);
		sink_write(sink, stream.bytes, stream.len);
	}
	snapshot_free(&stream);
	return ret;
}

static int fail(const char *path, int error)
{
	say("%s: %s", path, error_text(error));
	return -error;
}

static int refuse_kind(const char *path)
{
	say("%s: not a regular file", path);
	return -EINVAL;
}

int record_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666), ret;
	struct stat st;

	if (fd < 0)
		return fail(path, errno);
	if (fstat(fd, &st) < 0) {
		ret = fail(path, errno);
	} else if (!S_ISREG(st.st_mode)) {
		ret = refuse_kind(path);
	} else {
		ret = file_lock(fd, false);
		if (ret == -EBUSY)
			file_say_in_use(fd, "", path);
		else if (ret < 0 || ftruncate(fd, 0) < 0)
			ret = fail(path, ret < 0 ? -ret : errno);
	}
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Sets *why, and returns -EBADMSG. */
static int bad(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return -EBADMSG;
}

static int parse_setup(const uint8_t *bytes, size_t len, struct record_setup *setup,
	size_t *setup_end, char *why, size_t why_size)
{
	struct snapshot_stream stream;
	struct header header;

	if (len < sizeof header || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0)
		return bad(why, why_size,
			len == 0 ? "the file is empty: a record that was never written"
				 : "not a record of vole");
	memcpy(&header, bytes, sizeof header);
	if (header.version != RECORD_VERSION) {
		snprintf(why, why_size, "a record of format %u, and this vole reads format %u",
			header.version, RECORD_VERSION);
		return -EBADMSG;
	}
	if (header.setup_len > len - sizeof header)
		return bad(why, why_size,
			"a record that cannot be used: the file is cut off before the run begins");
	if (sum_of(&header, bytes + sizeof header) != header.sum)
		return bad(why, why_size, "a record that cannot be used: its beginning is damaged");
	snapshot_read(&stream, bytes + sizeof header, header.setup_len);
	record_setup_transfer(setup, &stream);
	snapshot_check(&stream, !snapshot_has_more(&stream), "there are sections left");
	if (snapshot_failed(&stream)) {
		snprintf(why, why_size, "a record that cannot be used: %s", stream.fault);
		return stream.error;
	}
	*setup_end = sizeof header + header.setup_len;
	return 0;
}

int record_parse(uint8_t *bytes, size_t len, struct record_setup *setup, struct journal *journal,
	const char **cut, char *why, size_t why_size)
{
	size_t at = 0;
	int ret = parse_setup(bytes, len, setup, &at, why, why_size);

	*cut = NULL;
	if (ret < 0) {
		free(bytes);
		return ret;
	}
	memmove(bytes, bytes + at, len - at);
	journal_take(journal, bytes, len - at, cut);
	return 0;
}

/* Sets *bytes to all of a file, allocated. Returns 0 or -errno (said). */
static int read_all(int fd, const char *path, uint8_t **bytes, size_t *len)
{
	struct stat st;
	int ret = 0;

	*bytes = NULL;
	*len = 0;
	if (fstat(fd, &st) < 0)
		ret = fail(path, errno);
	else if (!S_ISREG(st.st_mode))
		ret = S_ISDIR(st.st_mode) ? fail(path, EISDIR) : refuse_kind(path);
	else if ((uint64_t)st.st_size > RECORD_MAX)
		ret = fail(path, EFBIG);
	*len = ret == 0 ? (size_t)st.st_size : 0;
	if (ret == 0) {
		*bytes = malloc(*len > 0 ? *len : 1);
		ret = *bytes ? file_read(fd, path, *bytes, *len, 0) : fail(path, ENOMEM);
	}
	return ret;
}

int record_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail(path, errno);
	/* A record that is still being written, or that cannot be locked, is read all the same. */
	file_lock(fd, true);
	return fd;
}

int record_read(int fd, const char *path, struct record_setup *setup, struct journal *journal,
	const char **cut)
{
	uint8_t *bytes;
	char why[200];
	size_t len;
	int ret = read_all(fd, path, &bytes, &len);

	journal_init(journal);
	*cut = NULL;
	if (ret < 0) {
		free(bytes);
		return ret;
	}
	ret = record_parse(bytes, len, setup, journal, cut, why, sizeof why);
	if (ret < 0)
		say("%s: %s", path, why);
	return ret;
}
