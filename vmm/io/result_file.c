/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error_text.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "log.h"

/* Returns a descriptor or -errno. */
static int open_file(struct result_file *file)
{
	/* O_NONBLOCK: opening a FIFO must not wait. */
	int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(file->path, flags | O_CREAT | O_EXCL, 0666), ret;

	if (fd < 0 && errno == EEXIST) {
		fd = open(file->path, flags | O_CREAT, 0666);
		return fd < 0 ? -errno : fd;
	}
	if (fd < 0)
		return -errno;
	ret = remover_start(&file->remover, file->path, true);
	if (ret == 0)
		return fd;
	unlink(file->path);
	close(fd);
	return ret;
}

/* Says that the file is not used, and why: in words, or by a negative errno, which may be that of
 * the remover's fork(2). */
static void say_unused(const struct result_file *file, const char *why, int ret)
{
	say("%s %s: %s; it will not be written", file->option, file->path,
		why ? why : thread_error_text(-ret));
}

/* Returns whether the file can be used; says why not. */
static bool check_file(const struct result_file *file)
{
	char option[32];
	struct stat st;

	if (file->fd < 0 || fstat(file->fd, &st) < 0) {
		say_unused(file, NULL, file->fd < 0 ? file->fd : -errno);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		say_unused(file, "not a regular file", 0);
		return false;
	}
	if (file_lock(file->fd, false) != -EBUSY)
		return true;
	snprintf(option, sizeof option, "%s ", file->option);
	file_say_in_use(file->fd, option, file->path);
	return false;
}

void result_file_open(struct result_file *file, const char *option, const char *path)
{
	*file = (struct result_file){
		.fd = -1, .option = option, .path = path, .remover = REMOVER_EMPTY};
	if (!path)
		return;
	file->fd = open_file(file);
	if (check_file(file))
		return;
	result_file_close(file);
	file->fd = -1;
}

void result_file_close(struct result_file *file)
{
	remover_finish(&file->remover);
	file_close(&file->fd);
}

bool result_file_written(struct result_file *file, int ret)
{
	if (ret == 0)
		return true;
	(void)!ftruncate(file->fd, 0);
	say("%s %s: %s; the file is empty", file->option, file->path, error_text(-ret));
	return false;
}
