/* SPDX-License-Identifier: BSD-2-Clause */
/* The check for what vole needs of KVM, against an ioctl() of our own. Clauses: KVM API. */
#include "kvm/kvm_caps.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "../capture.h"
#include "../tap.h"

#define KVM_FD 77

/* What the faked KVM has. */
static struct {
	int version; /* or -errno */
	int lacks;   /* number of a capability, 0: none */
	unsigned asked;
} host;

/* Takes the place of libc's in this program. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, request);
	argument = va_arg(arguments, long);
	va_end(arguments);
	if (fd == KVM_FD && request == KVM_CHECK_EXTENSION) {
		host.asked++;
		return argument != host.lacks;
	}
	if (fd == KVM_FD && request == KVM_GET_API_VERSION && host.version > 0)
		return host.version;
	errno = fd == KVM_FD ? -host.version : ENOTTY;
	return -1;
}

/* kvm_check(), and what it said. */
static int check(const char **text)
{
	int err;

	capture_begin();
	err = kvm_check(KVM_FD);
	*text = capture_end();
	return err;
}

int main(void)
{
	const char *text;
	size_t count;
	const struct kvm_capability *capability = kvm_capabilities(&count);

	host.version = 12;
	ok(check(&text) == 0 && text[0] == '\0', "4.4 all is there: nothing is said");
	ok(host.asked <= count, "4.4 each capability is asked for once");

	for (; count > 0; count--, capability++) {
		int expected = capability->needed ? -ENOTSUP : 0;
		int err;

		host.lacks = capability->number;
		err = check(&text);
		ok(err == expected && capture_lines(text) == capability->needed &&
				(!capability->needed || strstr(text, capability->name)),
			"4.4 without %s: %s", capability->name,
			capability->needed ? "refused by name" : "goes on");
	}
	host.lacks = 0;

	host.version = 11;
	ok(check(&text) == -ENOTSUP && strstr(text, "11") && capture_lines(text) == 1,
		"4.1 another API version is refused");
	host.version = -EBADF;
	ok(check(&text) == -EBADF && strstr(text, "KVM_GET_API_VERSION") &&
			capture_lines(text) == 1,
		"4.1 an error is named and passed on");
	return tap_done();
}
