/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"

#define PREFIX "unix:"

const char *unix_socket_path(const char *text)
{
	size_t len = strlen(PREFIX);

	return strncmp(text, PREFIX, len) == 0 ? text + len : NULL;
}

int unix_socket_address(struct sockaddr_un *address, const char *option, const char *path)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof address->sun_path) {
		say("%s" PREFIX "%s: the name of a socket has at most %zu bytes", option, path,
			sizeof address->sun_path - 1);
		return -ENAMETOOLONG;
	}
	memcpy(address->sun_path, path, len);
	return 0;
}
