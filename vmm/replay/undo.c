/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A range that is longer is not noted: going back ends there. */
#define LEN_MAX (UINT64_C(64) << 20)

struct undo_write {
	struct undo_write *before;
	uint64_t number; /* counted from 0 */
	struct block_backend *disk;
	uint64_t offset, len;
	uint8_t bytes[];
};

typedef ssize_t transfer(
	struct block_backend *backend, const struct iovec *iov, unsigned count, uint64_t offset);

static int transfer_all(transfer *part, struct undo_write *write, uint8_t *bytes)
{
	uint64_t done = 0;

	while (done < write->len) {
		struct iovec iov = {bytes + done, write->len - done};
		ssize_t ret = part(write->disk, &iov, 1, write->offset + done);

		if (ret <= 0)
			return ret < 0 ? (int)ret : -EIO;
		done += (uint64_t)ret;
	}
	return 0;
}

void undo_note(struct undo *undo, struct block_backend *disk, uint64_t offset, uint64_t len)
{
	struct undo_write *write = len <= LEN_MAX ? malloc(sizeof *write + len) : NULL;

	if (write) {
		*write = (struct undo_write){undo->last, undo->count, disk, offset, len};
		if (transfer_all(disk->ops->read, write, write->bytes) < 0) {
			free(write);
			write = NULL;
		}
	}
	undo->count++;
	if (!write) {
		undo->has_failed = true;
		return;
	}
	undo->last = write;
	undo->used += sizeof *write + len;
}

static void drop_last(struct undo *undo)
{
	struct undo_write *write = undo->last;

	undo->last = write->before;
	undo->used -= sizeof *write + write->len;
	free(write);
}

/* Has a range and what is kept of it change places. Returns 0, or -errno: then the range is as it
 * was, or *is_torn is set. */
static int exchange(struct undo_write *write, bool *is_torn)
{
	uint8_t *now = malloc(write->len);
	int ret = now ? transfer_all(write->disk->ops->read, write, now) : -ENOMEM;

	if (ret == 0) {
		ret = transfer_all(write->disk->ops->write, write, write->bytes);
		if (ret == 0)
			memcpy(write->bytes, now, write->len);
		else if (transfer_all(write->disk->ops->write, write, now) < 0)
			*is_torn = true;
	}
	free(now);
	return ret;
}

static void move(struct undo_write **from, struct undo_write **to)
{
	struct undo_write *write = *from;

	*from = write->before;
	write->before = *to;
	*to = write;
}

/* Does what was undone again, the last one first. */
static void redo(struct undo *undo, struct undo_write **undone, bool *is_torn)
{
	while (*undone) {
		if (exchange(*undone, is_torn) < 0)
			*is_torn = true;
		move(undone, &undo->last);
	}
}

int undo_back_to(struct undo *undo, uint64_t count, struct block_backend **failed)
{
	struct undo_write *undone = NULL;
	bool is_torn = false;
	int ret = 0;

	while (ret == 0 && undo->last && undo->last->number >= count) {
		*failed = undo->last->disk;
		ret = exchange(undo->last, &is_torn);
		if (ret == 0)
			move(&undo->last, &undone);
	}
	if (ret < 0) {
		redo(undo, &undone, &is_torn);
		undo->has_failed |= is_torn;
		return ret;
	}
	while (undone) {
		move(&undone, &undo->last);
		drop_last(undo);
	}
	undo->count = count;
	return 0;
}

void undo_forget(struct undo *undo, uint64_t count)
{
	struct undo forgotten = *undo;
	struct undo_write **place = &undo->last;

	while (*place && (*place)->number >= count)
		place = &(*place)->before;
	forgotten.last = *place;
	*place = NULL;
	while (forgotten.last)
		drop_last(&forgotten);
	undo->used = forgotten.used;
}

void undo_free(struct undo *undo)
{
	while (undo->last)
		drop_last(undo);
	*undo = (struct undo){.count = 0};
}
