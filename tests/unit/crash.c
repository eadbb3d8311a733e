/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a crash, of a vCPU whose registers and pages an ioctl() of our own makes up. What a
 * whole one says is judged with guests. */
#include "kvm/crash.h"

#include <errno.h>
#include <string.h>

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

#define VCPU_FD 77
#define PAGE    4096u
#define RIP     0x400ff8u /* the last 8 bytes of a page */

/* Linear pages 0x400 and 0x401 are 2 and 0 of these, or the second is absent; without paging
 * nothing is where RIP is. */
static struct {
	uint8_t ram[4 * PAGE];
	bool paging, second_absent;
	int status;
} host;

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	if (fd == VCPU_FD && request == KVM_GET_REGS) {
		*(struct kvm_regs *)argument = (struct kvm_regs){.rip = RIP};
		return 0;
	}
	if (fd == VCPU_FD && request == KVM_GET_SREGS) {
		*(struct kvm_sregs *)argument =
			(struct kvm_sregs){.cr0 = host.paging ? 0x80000011 : 0x11};
		return 0;
	}
	if (fd == VCPU_FD && request == KVM_TRANSLATE) {
		struct kvm_translation *t = argument;
		uint64_t page = t->linear_address / PAGE;

		t->valid = page == RIP / PAGE || !host.second_absent;
		t->physical_address =
			t->linear_address % PAGE + (page == RIP / PAGE ? 2 * PAGE : 0);
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

static int on_read_memory(struct vcpu *vcpu, uint64_t gpa, void *dst, size_t len)
{
	(void)vcpu;
	if (gpa > sizeof host.ram || len > sizeof host.ram - gpa)
		return -EFAULT;
	memcpy(dst, host.ram + gpa, len);
	return 0;
}

static bool on_begin_report(struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

static void on_end_report(struct vcpu *vcpu)
{
	(void)vcpu;
}

static const char *on_symbol(struct vcpu *vcpu, uint64_t address, uint32_t *offset)
{
	(void)vcpu;
	(void)address;
	(void)offset;
	return NULL;
}

static void on_end(struct vcpu *vcpu, int status)
{
	(void)vcpu;
	host.status = status;
}

/* What is said of the code. */
static const char *report(void)
{
	static const struct vcpu_ops ops = {
		.read_memory = on_read_memory,
		.begin_report = on_begin_report,
		.end_report = on_end_report,
		.symbol = on_symbol,
		.end = on_end,
	};
	struct vcpu vcpu = VCPU_EMPTY;
	const char *code;

	vcpu.ops = &ops;
	vcpu.fd = VCPU_FD;
	capture_begin();
	crash_instruction(&vcpu);
	code = strstr(capture_end(), "code at EIP:");
	return code ? code : "";
}

int main(void)
{
	for (unsigned i = 0; i < 8; i++) {
		host.ram[3 * PAGE - 8 + i] = (uint8_t)(0xa0 + i);
		host.ram[i] = (uint8_t)(0xb0 + i);
	}
	host.paging = true;
	ok(strcmp(report(), "code at EIP: a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7\n") == 0,
		"code goes on where the next linear page is");
	is(host.status, 126, "the machine ends");

	host.second_absent = true;
	ok(strcmp(report(), "code at EIP: a0 a1 a2 a3 a4 a5 a6 a7\n") == 0,
		"code ends where there is no next linear page");

	host.paging = false;
	ok(strncmp(report(), "code at EIP: none", 17) == 0, "there is no code where no memory is");
	return tap_done();
}
