/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_HOST_IOCTL_H
#define TESTS_HOST_IOCTL_H

/*
 * For a program of one source file whose ioctl(2) is not the host's: this takes the place of
 * libc's, and the program says in host_ioctl() what happens, with the third argument as the kernel
 * gets it.
 */

#include <stdarg.h>
#include <sys/ioctl.h>

static int host_ioctl(int fd, unsigned long request, void *argument);

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return host_ioctl(fd, request, argument);
}

#endif
