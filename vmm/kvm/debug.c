/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/debug.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "exit_status.h"
#include "kvm/probe.h"
#include "log.h"
#include "report.h"

#define OPCODE_OUT   0xee /* OUT DX, AL (Intel SDM 2, OUT) */
#define EXCEPTION_DB 1    /* Intel SDM 3, 6.15 */

void kvm_debug_find_out(struct kvm_debug *debug, int vm)
{
	int controls = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2);
	struct probe probe;

	debug->can_block_interrupts = controls > 0 && controls & KVM_GUESTDBG_BLOCKIRQ;
	if (probe_init(&probe) == 0) {
		debug->has_breakpoints = probe_breakpoint(&probe) == 0;
		debug->has_watchpoints = probe_watchpoint(&probe) == 0;
	}
	probe_free(&probe);
}

/* --- breakpoints ------------------------------------------------------------------------------ */

static bool find(const struct kvm_debug *debug, gpa_t gpa, unsigned *index)
{
	for (*index = 0; *index < debug->count; (*index)++)
		if (debug->points[*index].gpa == gpa)
			return true;
	return false;
}

static int set_breakpoint(struct kvm_debug *debug, const struct debug_point *point, bool set)
{
	unsigned index;
	bool is_set = find(debug, point->gpa, &index);

	if (is_set == set)
		return 0;
	if (!set) {
		debug->points[index] = debug->points[--debug->count];
		return 0;
	}
	if (debug->count == KVM_BREAKPOINTS_MAX)
		return -ENOSPC;
	debug->points[debug->count++].gpa = point->gpa;
	return 0;
}

static bool has_kind(const struct kvm_debug *debug, enum debug_point_kind kind)
{
	return kind == DEBUG_HARDWARE_BREAKPOINT ? debug->has_breakpoints : debug->has_watchpoints;
}

static void say_no_kind(enum debug_point_kind kind)
{
	if (kind == DEBUG_HARDWARE_BREAKPOINT)
		say("this host's KVM does not stop at hardware breakpoints: use \"break\", or "
		    "--engine soft");
	else
		say("this host's KVM does not stop at watchpoints: \"set can-use-hw-watchpoints "
		    "0\" has gdb step and compare; or use --engine soft");
}

static void say_no_room(const struct debug_registers *registers, const struct debug_point *point)
{
	unsigned needed = debug_registers_needed(point);
	bool is_more = needed > DEBUG_REGISTERS_MAX;

	if (point->kind == DEBUG_HARDWARE_BREAKPOINT)
		say("all %u debug registers are in use: none is left for the breakpoint at "
		    "0x%08" PRIx64,
			DEBUG_REGISTERS_MAX, point->linear);
	else
		say("the watchpoint of %" PRIu32 " byte%s at 0x%08" PRIx64
		    " needs %s%u debug register%s, of up to 4 aligned bytes each; free: %u of %u",
			point->len, PLURAL(point->len), point->linear, is_more ? "more than " : "",
			is_more ? DEBUG_REGISTERS_MAX : needed, PLURAL(needed),
			debug_registers_free(registers), DEBUG_REGISTERS_MAX);
}

static int set_in_registers(struct kvm_debug *debug, const struct debug_point *point, bool set)
{
	int ret = debug_registers_set(&debug->registers, point, set);

	if (ret == -ENOSPC)
		say_no_room(&debug->registers, point);
	return ret;
}

/* The processor has no watchpoints for reads alone: gdb takes one for each access then, and
 * compares. */
int kvm_debug_set_point(struct kvm_debug *debug, const struct debug_point *point, bool set)
{
	if (point->kind == DEBUG_BREAKPOINT)
		return set_breakpoint(debug, point, set);
	if (point->kind == DEBUG_WATCH_READ)
		return -ENOTSUP;
	if (has_kind(debug, point->kind))
		return set_in_registers(debug, point, set);
	if (set)
		say_no_kind(point->kind);
	return -ENOTSUP;
}

void kvm_debug_insert(struct kvm_debug *debug, bool insert)
{
	if (insert == debug->is_inserted)
		return;
	for (unsigned i = 0; i < debug->count; i++) {
		uint8_t *place = debug->host + debug->points[i].gpa;

		if (insert)
			debug->points[i].byte = *place;
		*place = insert ? OPCODE_OUT : debug->points[i].byte;
	}
	debug->is_inserted = insert;
}

/* --- stopping --------------------------------------------------------------------------------- */

static void stop(struct vcpu *vcpu, const struct debug_event *event)
{
	vcpu->has_stopped = true;
	/* Until resume(), whoever asks for a pause when. */
	pthread_mutex_lock(&vcpu->lock);
	vcpu->pause_asked = true;
	pthread_mutex_unlock(&vcpu->lock);
	vcpu->cpu.host->debug(&vcpu->cpu, event);
}

/* Has KVM complete the instruction whose exit was handled, and execute no further one. Returns true
 * if it has ended a step with that. */
static bool complete_exit(struct vcpu *vcpu)
{
	int ret;

	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	ret = ioctl(vcpu->fd, KVM_RUN, 0);
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	return ret == 0 && vcpu->run->exit_reason == KVM_EXIT_DEBUG;
}

/* The guest-physical address of the instruction at an offset from RIP. */
static bool locate(struct vcpu *vcpu, uint64_t rip, gpa_t *gpa)
{
	struct kvm_sregs sregs;

	return ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) == 0 &&
	       vcpu->cpu.ops->translate(&vcpu->cpu, sregs.cs.base + rip, gpa) == 0;
}

static bool has_breakpoint(struct vcpu *vcpu, uint64_t rip)
{
	unsigned index;
	gpa_t gpa;

	return locate(vcpu, rip, &gpa) && find(vcpu->debug, gpa, &index);
}

/*
 * Some hosts leave RIP at the instruction until KVM_RUN is called again, others do not. So KVM
 * completes the instruction first: then RIP is behind it everywhere, and is set back.
 */
bool kvm_debug_is_breakpoint(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	struct kvm_regs regs;

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 1 || run->io.count != 1 ||
		ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
		(!has_breakpoint(vcpu, regs.rip) && !has_breakpoint(vcpu, regs.rip - 1)))
		return false;
	complete_exit(vcpu);
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 || !has_breakpoint(vcpu, regs.rip - 1))
		return false;
	regs.rip--;
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return false;
	stop(vcpu, &(struct debug_event){.kind = DEBUG_EVENT_BREAKPOINT});
	return true;
}

/* While debug registers are a debugger's, KVM hands over each debug exception, also one of the
 * guest's trap flag. Its INT1 comes here as well, and on Intel's processors before it has ended, so
 * that it is met again when the handler returns. Returns 0 or -errno (said). */
static int raise_in_guest(struct vcpu *vcpu, uint64_t dr6)
{
	struct kvm_debugregs registers;
	struct kvm_vcpu_events events;
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &registers);

	if (ret < 0)
		return ret;
	registers.dr6 = dr6 & ~(uint64_t)DR6_CONDITIONS;
	ret = kvm_ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &registers);
	if (ret == 0)
		ret = kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	if (ret < 0)
		return ret;
	events.exception.injected = 1;
	events.exception.nr = EXCEPTION_DB;
	events.exception.has_error_code = 0;
	return kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

void kvm_debug_exited(struct vcpu *vcpu)
{
	const struct kvm_debug_exit_arch *exit = &vcpu->run->debug.arch;
	struct debug_event event = {.kind = DEBUG_EVENT_STEP};

	if (debug_registers_event(&vcpu->debug->registers, exit, &event) || vcpu->go == CPU_STEP)
		stop(vcpu, &event);
	else if (raise_in_guest(vcpu, exit->dr6) < 0)
		vcpu->cpu.host->end(&vcpu->cpu, EXIT_STATUS_VOLE);
}

void kvm_debug_handled(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	if (vcpu->go != CPU_STEP || vcpu->has_stopped || !vcpu->cpu.host->running(&vcpu->cpu))
		return;
	/* A repeated string instruction has not ended yet. */
	if (complete_exit(vcpu))
		kvm_debug_exited(vcpu);
	else if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0 && regs.rip != vcpu->step_rip)
		stop(vcpu, &(struct debug_event){.kind = DEBUG_EVENT_STEP});
}

/* --- going on --------------------------------------------------------------------------------- */

static bool has_halted(struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	return ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) == 0 &&
	       state.mp_state == KVM_MP_STATE_HALTED;
}

int kvm_debug_prepare(struct vcpu *vcpu)
{
	struct kvm_guest_debug guest_debug = {.control = 0};
	struct kvm_regs regs;

	if (debug_registers_load(&vcpu->debug->registers, &guest_debug))
		guest_debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	if (vcpu->go == CPU_STEP) {
		guest_debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
		if (vcpu->debug->can_block_interrupts && !has_halted(vcpu))
			guest_debug.control |= KVM_GUESTDBG_BLOCKIRQ;
		if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0)
			vcpu->step_rip = regs.rip;
	}
	if (guest_debug.control == 0 && !vcpu->has_guest_debug)
		return 0;
	vcpu->has_guest_debug = guest_debug.control != 0;
	return kvm_ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &guest_debug);
}

/* --- registers -------------------------------------------------------------------------------- */

int kvm_debug_set_registers(struct vcpu *vcpu, const struct cpu_registers *registers)
{
	const uint64_t *g = registers->general;
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	struct kvm_regs before, regs = {
					.rax = g[CPU_RAX],
					.rcx = g[CPU_RCX],
					.rdx = g[CPU_RDX],
					.rbx = g[CPU_RBX],
					.rsp = g[CPU_RSP],
					.rbp = g[CPU_RBP],
					.rsi = g[CPU_RSI],
					.rdi = g[CPU_RDI],
					.rip = registers->rip,
					.rflags = registers->rflags,
				};

	memcpy(&regs.r8, &g[CPU_R8], 8 * sizeof *g);
	if (ioctl(vcpu->fd, KVM_GET_REGS, &before) < 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return -errno;
	if (before.rip != regs.rip && has_halted(vcpu) &&
		ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable) < 0)
		return -errno;
	return 0;
}
