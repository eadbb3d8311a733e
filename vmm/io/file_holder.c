/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/file_holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

/* Returns whether a process's descriptor holds a lock, as proc(5) says it in fdinfo. */
static bool is_locked(const char *pid, const char *fd)
{
	char path[64], line[128];
	bool found = false;
	FILE *info;

	snprintf(path, sizeof path, "/proc/%.20s/fdinfo/%.20s", pid, fd);
	info = fopen(path, "re");
	if (!info)
		return false;
	while (!found && fgets(line, sizeof line, info))
		found = strncmp(line, "lock:", 5) == 0;
	fclose(info);
	return found;
}

/* Returns whether a process has the file open and locked. */
static bool has_locked(const char *pid, const struct stat *file)
{
	char path[64];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = isdigit((unsigned char)*entry->d_name) &&
			fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			st.st_dev == file->st_dev && st.st_ino == file->st_ino &&
			is_locked(pid, entry->d_name);
	closedir(dir);
	return found;
}

/* Sets pid to the first process but this one that has locked the file; "" if none is seen. */
static void find_process(const struct stat *file, char pid[21])
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	*pid = '\0';
	if (!dir)
		return;
	while (!*pid && (entry = readdir(dir))) {
		if (isdigit((unsigned char)*entry->d_name) && atoi(entry->d_name) != getpid() &&
			has_locked(entry->d_name, file))
			snprintf(pid, 21, "%.20s", entry->d_name);
	}
	closedir(dir);
}

static void read_name(const char *pid, char name[32])
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, 32, file))
		strcpy(name, "of unknown name");
	name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
}

void file_say_in_use(int fd, const char *option, const char *path)
{
	struct stat file;
	char pid[21] = "", process[32];

	if (fstat(fd, &file) == 0) {
		if (has_locked("self", &file)) {
			say("%s%s: in use by this machine already: the file is named twice", option,
				path);
			return;
		}
		find_process(&file, pid);
	}
	if (!*pid) {
		say("%s%s: in use by a process of another user", option, path);
		return;
	}
	read_name(pid, process);
	say("%s%s: in use by process %s (%s)", option, path, pid, process);
}
