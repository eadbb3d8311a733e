/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger's points and steps with KVM, without a KVM: an ioctl() of our own takes its place.
 * debug_registers.c tests what is in the registers. */
#include "kvm/debug.h"

#include <errno.h>
#include <string.h>

#include "exit_status.h"
#include "kvm/exits.h"

#include "../capture.h"
#include "../host_ioctl.h"
#include "../tap.h"

#define VCPU_FD 1077 /* no descriptor */

#define CODE 0x100040
#define DATA 0x204000

#define DR6_B0    0x1u
#define DR6_B1    0x2u
#define DR6_BS    0x4000u
#define DR6_FIXED 0xffff0ff0u

/* The faked KVM, and the machine around the vCPU. */
static struct {
	unsigned long fails; /* a request; 0: none */
	struct kvm_guest_debug guest_debug;
	unsigned set; /* times that it was set */
	struct kvm_debugregs registers;
	struct kvm_vcpu_events events;
	struct debug_event event;
	unsigned stops;
	int status;
} host;

static int host_ioctl(int fd, unsigned long request, void *argument)
{
	errno = EIO;
	if (fd != VCPU_FD || request == host.fails)
		return -1;
	switch (request) {
	case KVM_SET_GUEST_DEBUG:
		host.guest_debug = *(struct kvm_guest_debug *)argument;
		host.set++;
		return 0;
	case KVM_GET_REGS:
		*(struct kvm_regs *)argument = (struct kvm_regs){.rip = CODE};
		return 0;
	case KVM_GET_MP_STATE:
		*(struct kvm_mp_state *)argument = (struct kvm_mp_state){KVM_MP_STATE_RUNNABLE};
		return 0;
	case KVM_GET_DEBUGREGS:
		*(struct kvm_debugregs *)argument = host.registers;
		return 0;
	case KVM_SET_DEBUGREGS:
		host.registers = *(struct kvm_debugregs *)argument;
		return 0;
	case KVM_GET_VCPU_EVENTS:
		*(struct kvm_vcpu_events *)argument = host.events;
		return 0;
	case KVM_SET_VCPU_EVENTS:
		host.events = *(struct kvm_vcpu_events *)argument;
		return 0;
	}
	return -1;
}

static void debug(struct cpu *cpu, const struct debug_event *event)
{
	(void)cpu;
	host.event = *event;
	host.stops++;
}

static void end(struct cpu *cpu, int status)
{
	(void)cpu;
	host.status = status;
}

static const struct cpu_host cpu_host = {.debug = debug, .end = end};

/* --- a vCPU ----------------------------------------------------------------------------------- */

struct fixture {
	struct kvm_debug debug;
	struct kvm_run run;
	struct vcpu vcpu;
};

/* With a KVM that stops at both kinds of points. */
static void begin(struct fixture *f)
{
	memset(&host, 0, sizeof host);
	memset(f, 0, sizeof *f);
	f->debug.has_breakpoints = f->debug.has_watchpoints = true;
	f->vcpu = VCPU_EMPTY;
	f->vcpu.fd = VCPU_FD;
	f->vcpu.run = &f->run;
	f->vcpu.debug = &f->debug;
	f->vcpu.cpu.host = &cpu_host;
}

static struct debug_point point(enum debug_point_kind kind, uint64_t linear, uint32_t len)
{
	return (struct debug_point){
		.kind = kind, .linear = linear, .gpa = linear + 0x10000000, .len = len};
}

static int change(
	struct fixture *f, enum debug_point_kind kind, uint64_t linear, uint32_t len, bool set)
{
	const struct debug_point changed = point(kind, linear, len);

	return kvm_debug_set_point(&f->debug, &changed, set);
}

/* KVM_RUN has returned so. */
static void exit_with(struct fixture *f, uint64_t pc, uint64_t dr6)
{
	f->run.exit_reason = KVM_EXIT_DEBUG;
	f->run.debug.arch = (struct kvm_debug_exit_arch){.exception = 1, .pc = pc, .dr6 = dr6};
	handle_exit(&f->vcpu);
}

/* --- setting ---------------------------------------------------------------------------------- */

static void test_refused(void)
{
	struct fixture f;
	const char *text;
	int ret;

	begin(&f);
	f.debug.has_breakpoints = f.debug.has_watchpoints = false;
	capture_begin();
	ret = change(&f, DEBUG_HARDWARE_BREAKPOINT, CODE, 1, true);
	text = capture_end();
	ok(ret == -ENOTSUP && strstr(text, "hardware breakpoints: use \"break\""),
		"a KVM without hardware breakpoints: refused, and what to do instead");
	capture_begin();
	ret = change(&f, DEBUG_WATCH_ACCESS, DATA, 4, true);
	text = capture_end();
	ok(ret == -ENOTSUP && strstr(text, "set can-use-hw-watchpoints 0"),
		"a KVM without watchpoints: refused, and what to do instead");
	capture_begin();
	ret = change(&f, DEBUG_WATCH_READ, DATA, 4, true);
	text = capture_end();
	ok(ret == -ENOTSUP && *text == '\0', "watchpoints for reads: gdb knows what to do");
	capture_begin();
	ret = change(&f, DEBUG_WATCH_WRITE, DATA, 4, false);
	text = capture_end();
	ok(ret == -ENOTSUP && *text == '\0', "removing what cannot be there says nothing");
	is(change(&f, DEBUG_BREAKPOINT, CODE, 1, true), 0, "other breakpoints are there");
	is(f.debug.count, 1, "... without a debug register");
}

static void test_full(void)
{
	struct fixture f;
	const char *text;
	int ret;

	begin(&f);
	capture_begin();
	ret = change(&f, DEBUG_WATCH_WRITE, DATA, 17, true);
	text = capture_end();
	ok(ret == -ENOSPC && strstr(text, "17 bytes at 0x00204000 needs more than 4 debug regi") &&
			strstr(text, "free: 4 of 4"),
		"a watchpoint that is too long for all registers");
	is(change(&f, DEBUG_WATCH_WRITE, DATA, 12, true), 0, "12 bytes take three");
	capture_begin();
	ret = change(&f, DEBUG_WATCH_ACCESS, DATA + 2, 4, true);
	text = capture_end();
	ok(ret == -ENOSPC && strstr(text, "4 bytes at 0x00204002 needs 2 debug registers,") &&
			strstr(text, "free: 1 of 4"),
		"4 bytes that are not aligned do not fit");
	is(change(&f, DEBUG_HARDWARE_BREAKPOINT, CODE, 1, true), 0, "a breakpoint does");
	capture_begin();
	ret = change(&f, DEBUG_WATCH_WRITE, DATA + 64, 1, true);
	text = capture_end();
	ok(ret == -ENOSPC && strstr(text, "1 byte at 0x00204040 needs 1 debug register,"),
		"nor does 1 byte fit now");
	capture_begin();
	ret = change(&f, DEBUG_HARDWARE_BREAKPOINT, CODE + 1, 1, true);
	text = capture_end();
	ok(ret == -ENOSPC && strstr(text, "all 4 debug registers are in use"),
		"nor does a breakpoint");
}

static void test_prepare(void)
{
	struct fixture f;

	begin(&f);
	ok(kvm_debug_prepare(&f.vcpu) == 0 && host.set == 0, "4.87 without points KVM is not told");
	change(&f, DEBUG_WATCH_WRITE, DATA, 4, true);
	ok(kvm_debug_prepare(&f.vcpu) == 0 &&
			host.guest_debug.control ==
				(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP) &&
			host.guest_debug.arch.debugreg[0] == DATA &&
			host.guest_debug.arch.debugreg[7] == 0xd0602,
		"4.87 KVM has the registers");
	f.vcpu.go = CPU_STEP;
	ok(kvm_debug_prepare(&f.vcpu) == 0 &&
			host.guest_debug.control == (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP |
							    KVM_GUESTDBG_SINGLESTEP) &&
			host.guest_debug.arch.debugreg[0] == DATA,
		"4.87 ... during a step, too");
	f.vcpu.go = CPU_GO;
	change(&f, DEBUG_WATCH_WRITE, DATA, 4, false);
	ok(kvm_debug_prepare(&f.vcpu) == 0 && host.guest_debug.control == 0 && host.set == 3,
		"4.87 after the last point they are the guest's own");
	ok(kvm_debug_prepare(&f.vcpu) == 0 && host.set == 3, "4.87 ... of which KVM is told once");
}

/* --- stopping --------------------------------------------------------------------------------- */

static void test_stops(void)
{
	struct fixture f;

	begin(&f);
	change(&f, DEBUG_HARDWARE_BREAKPOINT, CODE, 1, true);
	change(&f, DEBUG_WATCH_WRITE, DATA, 4, true);
	exit_with(&f, CODE + 7, DR6_FIXED | DR6_B1);
	ok(host.stops == 1 && host.event.kind == DEBUG_EVENT_WATCH &&
			host.event.gpa == DATA + 0x10000000 && f.vcpu.has_stopped &&
			f.vcpu.pause_asked,
		"a store to what is watched stops the vCPU");
	exit_with(&f, CODE, DR6_FIXED | DR6_B0);
	ok(host.stops == 2 && host.event.kind == DEBUG_EVENT_BREAKPOINT,
		"an instruction breakpoint does");
	f.vcpu.go = CPU_STEP;
	exit_with(&f, CODE + 1, DR6_FIXED | DR6_BS);
	ok(host.stops == 3 && host.event.kind == DEBUG_EVENT_STEP, "the end of a step does");
	exit_with(&f, CODE + 1, DR6_FIXED | DR6_BS | DR6_B1);
	ok(host.stops == 4 && host.event.kind == DEBUG_EVENT_WATCH,
		"a step over a store to what is watched is that store");
	ok(host.events.exception.injected == 0, "and the guest has seen nothing of it");
}

static void test_own(void)
{
	struct fixture f;

	begin(&f);
	change(&f, DEBUG_WATCH_WRITE, DATA, 4, true);
	host.registers.dr7 = 0x400;
	exit_with(&f, CODE, DR6_FIXED | DR6_BS | DR6_B1);
	ok(host.stops == 0 && !f.vcpu.has_stopped, "the guest's own step does not stop the vCPU");
	ok(host.events.exception.injected == 1 && host.events.exception.nr == 1 &&
			host.events.exception.has_error_code == 0,
		"18.3.1.4 ... the guest gets its debug exception");
	ok(host.registers.dr6 == (DR6_FIXED | DR6_BS) && host.registers.dr7 == 0x400,
		"18.2.3 ... and DR6 says why, without registers that are not its own");
}

static void test_failures(void)
{
	static const unsigned long requests[] = {
		KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS};

	for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct fixture f;
		const char *text;

		begin(&f);
		host.fails = requests[i];
		capture_begin();
		exit_with(&f, CODE, DR6_FIXED | DR6_BS);
		text = capture_end();
		ok(host.status == EXIT_STATUS_VOLE && capture_lines(text) == 1 &&
				strstr(text, "Input/output error"),
			"a call that KVM refuses ends the machine, %u", i);
	}
}

int main(void)
{
	test_refused();
	test_full();
	test_prepare();
	test_stops();
	test_own();
	test_failures();
	return tap_done();
}
