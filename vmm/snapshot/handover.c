/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error_text.h"
#include "io/file.h"
#include "io/unix_socket.h"
#include "log.h"

/* One message: a byte, since one without content carries no descriptor, and the descriptor. */
struct parcel {
	char byte;
	struct iovec iov;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static int fail(const char *name, int error)
{
	say("%s: %s", name, error_text(error));
	return -error;
}

static void prepare(struct parcel *parcel)
{
	memset(parcel, 0, sizeof *parcel);
	parcel->iov = (struct iovec){&parcel->byte, sizeof parcel->byte};
	parcel->message = (struct msghdr){
		.msg_iov = &parcel->iov,
		.msg_iovlen = 1,
		.msg_control = parcel->control,
		.msg_controllen = sizeof parcel->control,
	};
}

/* --- the one who has the checkpoint ----------------------------------------------------------- */

int handover_make(const char *name)
{
	int fd = memfd_create("vole checkpoint", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? fail(name, errno) : fd;
}

int handover_seal(int fd, const char *name)
{
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	return fcntl(fd, F_ADD_SEALS, seals) < 0 ? fail(name, errno) : 0;
}

int handover_send(int client, int fd)
{
	struct parcel parcel;
	struct cmsghdr *header;

	prepare(&parcel);
	header = CMSG_FIRSTHDR(&parcel.message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return sendmsg(client, &parcel.message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- the one who wants it --------------------------------------------------------------------- */

/* Returns a descriptor of the connection, or -errno (said). */
static int connect_to(const char *name)
{
	const char *path = unix_socket_path(name);
	struct sockaddr_un address;
	int fd, error = 0, ret;

	if (!*path) {
		say("%s: no socket is named", name);
		return -EINVAL;
	}
	ret = unix_socket_address(&address, "", path);
	if (ret < 0)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(name, errno);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		error = errno;
	if (error == ECONNREFUSED)
		say("%s: nobody hands a checkpoint over here any more", name);
	else if (error)
		fail(name, error);
	if (error)
		file_close(&fd);
	return error ? -error : fd;
}

/* Returns the descriptor in a message that came, or -errno (said). */
static int unpack(struct parcel *parcel, const char *name, ssize_t len)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(&parcel->message);
	int fd;

	if (len == 0) {
		say("%s: no checkpoint came: the machine has ended without one, or its vole could "
		    "not send it",
			name);
		return -EPIPE;
	}
	/* The message had a descriptor, for which this process has no room. */
	if (!header && (parcel->message.msg_flags & MSG_CTRUNC))
		return fail(name, EMFILE);
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		header->cmsg_len != CMSG_LEN(sizeof fd)) {
		say("%s: what came is no checkpoint", name);
		return -EBADMSG;
	}
	memcpy(&fd, CMSG_DATA(header), sizeof fd);
	return fd;
}

int handover_receive(const char *name)
{
	struct parcel parcel;
	int server = connect_to(name), ret;
	ssize_t len;

	if (server < 0)
		return server;
	prepare(&parcel);
	len = TEMP_FAILURE_RETRY(recvmsg(server, &parcel.message, MSG_CMSG_CLOEXEC));
	/* Whoever ended with clients waiting has reset their connections. */
	if (len < 0 && errno == ECONNRESET)
		len = 0;
	ret = len < 0 ? fail(name, errno) : unpack(&parcel, name, len);
	file_close(&server);
	return ret;
}
