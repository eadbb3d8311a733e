/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/remover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

/* The child. */
static void remove_file(void *ctx, int pipe)
{
	const struct remover *remover = ctx;
	struct stat st;
	char byte;

	while (read(pipe, &byte, 1) < 0 && errno == EINTR)
		;
	/* Somebody may have put something else there meanwhile. */
	if (lstat(remover->path, &st) < 0 || st.st_dev != remover->device ||
		st.st_ino != remover->inode)
		return;
	if (!remover->if_empty || st.st_size == 0)
		unlink(remover->path);
}

/* Opens the folder of a path. Returns a descriptor or -errno. */
static int open_folder(const char *path)
{
	const char *end = strrchr(path, '/');
	size_t len = end == path ? 1 : end ? (size_t)(end - path) : 0;
	char folder[PATH_MAX];
	int fd;

	if (len >= sizeof folder)
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open(len > 0 ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int start(struct remover *remover, int folder)
{
	/* The C library has several ways. */
	static const struct rule rules[] = {
		{.number = __NR_newfstatat},
		{.number = __NR_unlinkat, .checks = {{CHECK_IS, 2, 0, 0}}},
#ifdef __NR_lstat
		{.number = __NR_lstat},
#endif
#ifdef __NR_unlink
		{.number = __NR_unlink},
#endif
	};
	const struct landlock_grant grant = {folder, LANDLOCK_GRANT_REMOVE};
	const struct helper_work work = {
		.name = "vole remover",
		.rules = rules,
		.rule_count = sizeof rules / sizeof *rules,
		.run = remove_file,
		.ctx = remover,
		.fd = folder,
		.grants = &grant,
		.grant_count = 1,
	};

	return helper_start(&remover->helper, &work);
}

int remover_start(struct remover *remover, const char *path, bool if_empty)
{
	struct stat st;
	int folder, ret;

	*remover = REMOVER_EMPTY;
	if (lstat(path, &st) < 0)
		return -errno;
	remover->path = path;
	remover->device = st.st_dev;
	remover->inode = st.st_ino;
	remover->if_empty = if_empty;
	folder = open_folder(path);
	if (folder < 0)
		return folder;
	ret = start(remover, folder);
	close(folder);
	return ret;
}

void remover_finish(struct remover *remover)
{
	helper_finish(&remover->helper);
}
