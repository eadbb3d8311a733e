/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BACKEND_H
#define VIRTIO_BACKEND_H

/*
 * The host's side of devices: one small interface per device type. vmm/ implements them with files,
 * terminals and getrandom(2); tests fill them with fakes. All functions are called with the
 * device's lock held, on the I/O thread unless said otherwise; none may call back into the device.
 *
 * A back end embeds its interface structure and finds itself by container_of().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Bytes come in and go out. */
struct console_backend {
	const struct console_backend_ops *ops;
};

struct console_backend_ops {
	/* Reads input into iov. Returns the number of bytes (1 or more), 0 at the end of input,
	 * -EAGAIN if there is none yet, or another negative errno. 0 and errors other than -EAGAIN
	 * are final. Never blocks. */
	ssize_t (*read)(struct console_backend *be, const struct iovec *iov, unsigned count);

	/* Writes output from iov. Returns the number of bytes taken (1 or more), -EAGAIN if the
	 * host accepts none now, or another negative errno: this output is lost, later output may
	 * succeed. Never blocks. Called on a vCPU's thread for an emergency write. */
	ssize_t (*write)(struct console_backend *be, const struct iovec *iov, unsigned count);

	/* Sets the events to watch. The back end calls virtio_backend_ready() while input is set
	 * and data or end-of-input is pending (the end once), and while output is set and it can
	 * accept output. Initially it watches nothing. Called when the events change; on a vCPU's
	 * thread at reset and when a queue is stopped. */
	void (*want)(struct console_backend *be, bool input, bool output);

	/* Returns whether the other end is open, so that input may come and output is not lost.
	 * The back end calls virtio_backend_ready() when that changes. Called on the I/O thread,
	 * and once before that thread exists. */
	bool (*connected)(struct console_backend *be);

	/* Sets the size of the terminal's window in characters; both are 0 if there is no window.
	 * Any thread. */
	void (*size)(struct console_backend *be, uint16_t *cols, uint16_t *rows);
};

/* Random bytes. */
struct rng_backend {
	const struct rng_backend_ops *ops;
};

struct rng_backend_ops {
	/* Fills buf with random bytes. Returns their number (1 to len), -EAGAIN if there are none
	 * yet, or another negative errno if there will be none. After -EAGAIN the back end calls
	 * virtio_backend_ready() once there may be some. Does not block. I/O thread. */
	ssize_t (*fill)(struct rng_backend *be, void *buf, size_t len);
};

/* A disk image. */
struct block_backend {
	const struct block_backend_ops *ops;
	uint64_t capacity;   /* sectors of 512 bytes */
	uint32_t block_size; /* bytes: the logical block that the guest is told; a power of two */
	uint32_t unit;       /* bytes: the physical block of the host's storage; a power of two */
	bool read_only;
	bool can_unmap;  /* discard and write zeroes can deallocate storage */
	bool one_by_one; /* each request is a call of its own, whoever watches the device */
	char id[20];     /* for GET_ID: padded with NULs, no terminator at full length */
};

struct block_backend_ops {
	/* The device has checked offset and length of all these against capacity. */

	/* Transfer data as preadv(2) and pwritev(2) do, and return the number of bytes or -errno.
	 * It may be less than was asked for, and 0 at an unexpected end of the file. */
	ssize_t (*read)(
		struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset);
	ssize_t (*write)(
		struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset);

	/* Returns 0 once everything written before is on stable storage, else -errno: also later,
	 * if a failure has lost data. */
	int (*flush)(struct block_backend *be);

	/* Makes the range read as zeroes, and with unmap may deallocate its storage. Returns 0, or
	 * -errno: then a part of the range may read as zeroes. */
	int (*write_zeroes)(struct block_backend *be, uint64_t offset, uint64_t len, bool unmap);

	/* Discards the content of the range, which may read as anything afterwards. Returns 0 or
	 * -errno. */
	int (*discard)(struct block_backend *be, uint64_t offset, uint64_t len);
};

#endif
