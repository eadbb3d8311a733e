/* SPDX-License-Identifier: BSD-2-Clause */
/* The check for what vole needs of KVM, against an ioctl() of our own. Clauses: KVM API. */
#include "kvm/kvm_caps.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <linux/kvm.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

#define KVM_FD 77

/* The faked KVM, and what it lacks. */
static struct {
	int version; /* or -errno */
	int lacks;   /* number of a capability, -1: none */
	unsigned asked;
} host;

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	if (fd == KVM_FD && request == KVM_CHECK_EXTENSION) {
		host.asked++;
		return (intptr_t)argument != host.lacks;
	}
	if (fd == KVM_FD && request == KVM_GET_API_VERSION && host.version > 0)
		return host.version;
	errno = fd == KVM_FD ? -host.version : ENOTTY;
	return -1;
}

/* kvm_check() or the like, and what it said. */
static int check(int (*function)(int), const char **text)
{
	int err;

	capture_begin();
	err = function(KVM_FD);
	*text = capture_end();
	return err;
}

/* Without this capability. */
static void test_missing(const struct kvm_capability *capability, int (*function)(int),
	enum kvm_need need, const char *name)
{
	bool needed = capability->need == need;
	const char *text;
	int err;

	host.lacks = capability->number;
	err = check(function, &text);
	ok(err == (needed ? -ENOTSUP : 0) && capture_lines(text) == needed &&
			(!needed || strstr(text, capability->name)),
		"4.4 without %s: %s %s", capability->name, name,
		needed ? "refused by name" : "goes on");
	host.lacks = -1;
}

int main(void)
{
	const char *text;
	size_t count;
	const struct kvm_capability *capability = kvm_capabilities(&count);

	host.version = 12;
	host.lacks = -1;
	ok(check(kvm_check, &text) == 0 && text[0] == '\0', "4.4 all is there: nothing is said");
	ok(host.asked <= count, "4.4 each capability is asked for once");
	ok(check(kvm_check_pc, &text) == 0 && text[0] == '\0', "4.4 so for a PC");

	for (; count > 0; count--, capability++) {
		test_missing(capability, kvm_check, KVM_NEEDED, "any board");
		test_missing(capability, kvm_check_pc, KVM_NEEDED_BY_PC, "a PC");
	}

	host.version = 11;
	ok(check(kvm_check, &text) == -ENOTSUP && strstr(text, "11") && capture_lines(text) == 1,
		"4.1 another API version is refused");
	host.version = -EBADF;
	ok(check(kvm_check, &text) == -EBADF && strstr(text, "KVM_GET_API_VERSION") &&
			capture_lines(text) == 1,
		"4.1 an error is named and passed on");
	return tap_done();
}
