/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STREAM_H
#define VMM_STREAM_H

/*
 * Terminals and pipes that vole shares with other processes. These functions report nothing, so
 * that log.c can use them for standard error itself. Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Returns whether fd is the controlling terminal of this process. */
bool stream_controls_us(int fd);

/*
 * Reopens a terminal or pipe as a new non-blocking descriptor, because O_NONBLOCK on fd itself
 * would affect every process that shares it. access is O_RDONLY or O_WRONLY. Returns the new
 * descriptor, which the caller closes, or -1 if fd is something else or cannot be opened again:
 * then the caller has to use fd itself.
 */
int stream_reopen(int fd, int access);

/* Returns how many bytes one write(2) can take without blocking when poll(2) finds fd writable. */
size_t stream_step(int fd);

/* Writes a part of *iov, at most step bytes, if fd is ready for it. Returns how many bytes were
 * written, -EAGAIN if none can be now, or another -errno. Never blocks. */
ssize_t stream_write_some(int fd, const struct iovec *iov, size_t step);

/* Rings a terminal's bell, as a terminal does itself when its input queue is full (termios(3),
 * IMAXBEL). If fd is no terminal, or not ready, there is no bell. */
void stream_ring_bell(int fd);

#endif
