/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SNAPSHOT_HANDOVER_H
#define VMM_SNAPSHOT_HANDOVER_H

/*
 * A checkpoint that is in no folder: a file in memory (memfd_create(2)), whose descriptor goes
 * through a UNIX socket to whoever connects (unix(7), SCM_RIGHTS). Any thread.
 */

/* Makes an empty file in memory, for the option that names the socket "unix:PATH". Returns a
 * descriptor that the caller closes, or -errno (said). */
int handover_make(const char *name);

/* Seals the file, so that whoever has its descriptor can neither write nor resize it. Returns 0 or
 * -errno (said with that name). */
int handover_seal(int fd, const char *name);

/* Sends the descriptor to a client, which has not been sent anything yet, so this does not wait.
 * Returns 0, or -errno (not said): -EPIPE or -ECONNRESET if the client has gone,
 * -ETOOMANYREFS if too many descriptors that this user has sent are still to be taken. */
int handover_send(int client, int fd);

/* Connects to the socket of a name "unix:PATH", and waits until a descriptor comes. Nothing is
 * known of what it is open for. Returns it, which the caller closes, or -errno (said). */
int handover_receive(const char *name);

#endif
