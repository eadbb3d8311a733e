/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checkpoint that is handed over: nobody who has got it can change it for the others
 * (spec/snapshot.md, 5).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../capture.h"
#include "../tap.h"
#include "io/file.h"
#include "snapshot/handover.h"

#define SIZE 8192

static char name[80];

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
		listen(fd, 1) < 0)
		exit(1);
	return fd;
}

/* Has a process of its own hand the file over to one client. Returns what the client got. */
static int hand_over(int server, int file)
{
	pid_t child = fork();
	int client, got;

	if (child == 0) {
		client = accept(server, NULL, NULL);
		_exit(client < 0 || handover_send(client, file) < 0);
	}
	got = handover_receive(name);
	waitpid(child, NULL, 0);
	return got;
}

static void test_sealed(int server)
{
	int file = handover_make(name), got;
	char byte = 'a';
	void *page;

	ok(ftruncate(file, SIZE) == 0 && pwrite(file, &byte, 1, 0) == 1,
		"whoever makes the file can write it");
	is(handover_seal(file, name), 0, "until it is sealed");
	got = hand_over(server, file);
	ok(got >= 0 && got != file && fcntl(got, F_GETFD) == FD_CLOEXEC,
		"another process gets it, and no program that it starts");
	ok(pread(got, &byte, 1, 0) == 1 && byte == 'a', "and can read it");
	ok(pwrite(got, &byte, 1, 0) < 0 && errno == EPERM, "but not write it");
	ok(ftruncate(got, SIZE / 2) < 0 && ftruncate(got, 2 * SIZE) < 0, "or make it another size");
	ok(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, got, 0) == MAP_FAILED,
		"or write what others map");
	page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, got, 0);
	ok(page != MAP_FAILED, "a copy of its own it can");
	munmap(page, SIZE);
	file_close(&got);
	file_close(&file);
}

/* A descriptor that is no file is the receiver's to judge. */
static void test_not_a_file(int server)
{
	uint64_t size;
	int pipes[2], got;

	if (pipe(pipes) < 0)
		exit(1);
	capture_begin();
	got = file_adopt(hand_over(server, pipes[0]), name, &size);
	is(got, -ENOEXEC, "a pipe is no checkpoint");
	ok(strstr(capture_end(), "not a regular file") != NULL, "and that is said");
	close(pipes[0]);
	close(pipes[1]);
}

static void test_gone(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		exit(1);
	close(ends[1]);
	is(handover_send(ends[0], STDOUT_FILENO), -EPIPE, "a client that has gone ends nothing");
	close(ends[0]);
}

int main(void)
{
	char folder[] = "/tmp/vole-test-XXXXXX", path[64];
	int server;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/socket", folder);
	snprintf(name, sizeof name, "unix:%s", path);
	server = listen_at(path);
	test_sealed(server);
	test_not_a_file(server);
	test_gone();
	close(server);
	unlink(path);
	rmdir(folder);
	return tap_done();
}
