/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * without-call NUMBER[:ERRNO] COMMAND...: runs a command on a host that lacks a system call: to it,
 * and to all that it starts, the call fails with this error, or ENOSYS.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *rest = NULL;
	unsigned number = argc > 2 ? (unsigned)strtoul(argv[1], &rest, 10) : 0;
	unsigned error = rest && *rest == ':' ? (unsigned)strtoul(rest + 1, NULL, 10) : ENOSYS;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof code / sizeof *code, code};

	if (argc < 3)
		errx(2, "usage: without-call NUMBER[:ERRNO] COMMAND...");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		err(1, "seccomp");
	execvp(argv[2], argv + 2);
	err(1, "%s", argv[2]);
}
