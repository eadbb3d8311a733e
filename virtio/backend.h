/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_BACKEND_H
#define VIRTIO_BACKEND_H

/*
 * What devices need of the host: one small interface per device type. vmm/ fills them with files,
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
	/* Bytes read into iov (1 or more), 0 at the end of input, which is final, or -EAGAIN if
	 * nothing is there yet, or another negative errno, final too. Never blocks. */
	ssize_t (*read)(struct console_backend *be, const struct iovec *iov, unsigned count);

	/* Bytes taken from iov (1 or more), or -EAGAIN if nothing can be taken now, or another
	 * negative errno: this output is lost, later output may succeed. Never blocks. On a vCPU's
	 * thread for an emergency write. */
	ssize_t (*write)(struct console_backend *be, const struct iovec *iov, unsigned count);

	/* What the device waits for from now on. While input is true and there is input (or its
	 * end, once), or output is true and output can be taken, virtio_backend_ready() is to be
	 * called. Nothing is wanted at first. Called when that changes; on a vCPU's thread at
	 * reset and when a queue is stopped. */
	void (*want)(struct console_backend *be, bool input, bool output);

	/* Somebody is at the other end: input may come, and output is not lost.
	 * virtio_backend_ready() is to be called when that changes. On the I/O thread, and at first
	 * before there is one. */
	bool (*connected)(struct console_backend *be);

	/* The window's size in characters; both 0 where there is no window. Any thread. */
	void (*size)(struct console_backend *be, uint16_t *cols, uint16_t *rows);
};

/* Random bytes. */
struct rng_backend {
	const struct rng_backend_ops *ops;
};

struct rng_backend_ops {
	/* Bytes placed at buf (1 to len), or -EAGAIN if there are none yet: then
	 * virtio_backend_ready() is to be called once there may be some; or another negative errno:
	 * there will be none. Does not block. I/O thread. */
	ssize_t (*fill)(struct rng_backend *be, void *buf, size_t len);
};

/* A disk image. */
struct block_backend {
	const struct block_backend_ops *ops;
	uint64_t capacity;   /* sectors of 512 bytes */
	uint32_t block_size; /* bytes: the logical block that the guest is told; a power of two */
	uint32_t unit;       /* bytes that the host's storage handles as a whole; a power of two */
	bool read_only;
	bool can_unmap; /* storage can be given back */
	char id[20];    /* for GET_ID: padded with NULs, no terminator at full length */
};

struct block_backend_ops {
	/* Offset and length of all these were checked against capacity. */

	/* Like preadv(2) and pwritev(2), with -errno. May transfer less than asked for, 0 at an
	 * unexpected end of the file. */
	ssize_t (*read)(
		struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset);
	ssize_t (*write)(
		struct block_backend *be, const struct iovec *iov, unsigned count, uint64_t offset);

	/* Everything written before is on stable storage when it returns 0; else -errno. */
	int (*flush)(struct block_backend *be);

	/* The range reads as zeroes when it returns 0; else -errno, and it may do so in part. With
	 * unmap, its storage may be given back. */
	int (*write_zeroes)(struct block_backend *be, uint64_t offset, uint64_t len, bool unmap);

	/* Nobody needs what is there any more: it may read as anything. 0, or -errno. */
	int (*discard)(struct block_backend *be, uint64_t offset, uint64_t len);
};

#endif
