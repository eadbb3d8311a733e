/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LINUX_SYS_H
#define LINUX_SYS_H

/*
 * System calls, and the few functions of libc that these programs need; there is no libc, so that
 * one source serves 32- and 64-bit kernels and needs no FPU. What can fail returns a negative
 * errno, as the kernel does.
 */

#include <asm/fcntl.h>
#include <asm/unistd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

long system_call(long number, long a, long b, long c, long d, long e);

#define SYS5(n, a, b, c, d, e) \
	system_call((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define SYS3(n, a, b, c) SYS5(n, a, b, c, 0, 0)

/* 32 bits: how the C library would enter the kernel, by AT_SYSINFO of the auxiliary vector. */
void system_call_init(const long *auxiliary);

static inline int sys_open(const char *path, int flags)
{
	return (int)SYS3(__NR_open, path, flags, 0);
}

static inline void sys_close(int fd)
{
	SYS3(__NR_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *to, size_t n)
{
	return SYS3(__NR_read, fd, to, n);
}

static inline long sys_write(int fd, const void *from, size_t n)
{
	return SYS3(__NR_write, fd, from, n);
}

static inline long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return SYS3(__NR_ioctl, fd, request, argument);
}

static inline bool exists(const char *path)
{
	return SYS3(__NR_access, path, 0, 0) == 0;
}

long sys_pread(int fd, void *to, size_t n, uint64_t offset);
long sys_pwrite(int fd, const void *from, size_t n, uint64_t offset);

/* All of it, however many calls that takes. */
bool read_all(int fd, void *to, size_t n);
bool write_all(int fd, const void *from, size_t n);

/* Is there something to read within this time? */
bool readable(int fd, int milliseconds);

/* First line of a file, without its end; empty where it cannot be read. Valid until
 * the next call. */
const char *line_of(const char *path);

/* Write text to a file, as to those of sysfs. 0 or a negative errno. */
long write_file(const char *path, const char *text);

/* --- memory and text -------------------------------------------------------------------------- */

void *memset(void *to, int byte, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
bool same(const void *a, const void *b, size_t n);
size_t length(const char *text);

/* %s, %d, %u and %x. The length without the NUL. */
size_t format_list(char *to, size_t size, const char *form, va_list list);
size_t format(char *to, size_t size, const char *form, ...) __attribute__((format(printf, 3, 4)));

#endif
