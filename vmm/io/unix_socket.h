/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_UNIX_SOCKET_H
#define VMM_UNIX_SOCKET_H

/*
 * Names of UNIX sockets (unix(7)), which a command line gives as "unix:PATH". Any thread.
 */

#include <sys/un.h>

/* Returns PATH if text is "unix:PATH", else NULL. It may be empty, and points into text. */
const char *unix_socket_path(const char *text);

/* Sets *address to that of the socket at path. Returns 0, or -ENAMETOOLONG, which it reports;
 * option precedes the name there, "--NAME ", or "" for none. */
int unix_socket_address(struct sockaddr_un *address, const char *option, const char *path);

#endif
