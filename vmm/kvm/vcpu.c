/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/vcpu.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "exit_status.h"
#include "kvm/complete.h"
#include "kvm/crash.h"
#include "kvm/watch.h"
#include "log.h"

/* How often a thread that does not end is told again: a signal that came just before a blocking
 * system call is lost. */
#define STOP_AGAIN_NS 10000000

/* CR0 at entry: protected mode, FPU present (Intel SDM 3, 2.5). */
#define CR0_PE 0x1
#define CR0_ET 0x10

/* The first instruction after reset (Intel SDM 3, 10.1.4). */
#define RESET_VECTOR 0xfffffff0u

#define RFLAGS_IF 0x200

/* Type of a segment descriptor: code or data, accessed (Intel SDM 3, 3.4.5.1). */
#define SEGMENT_CODE 11
#define SEGMENT_DATA 3

static void on_signal(int signal)
{
	(void)signal;
}

void vcpu_init_signal(void)
{
	/* Without SA_RESTART: the point is that system calls return. */
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(VCPU_SIGNAL, &action, NULL);
}

int vcpu_init(struct vcpu *vcpu, const struct kvm *kvm, unsigned id, const struct vcpu_ops *ops,
	void *ctx)
{
	void *run;

	*vcpu = VCPU_EMPTY;
	vcpu->ops = ops;
	vcpu->ctx = ctx;
	vcpu->id = id;
	vcpu->run_size = kvm->run_size;
	vcpu->fd = kvm_create_vcpu(kvm, id);
	if (vcpu->fd < 0)
		return vcpu->fd;
	run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED) {
		int ret = -errno;

		say("mapping vCPU %u: %s", id, strerror(-ret));
		return ret;
	}
	vcpu->run = run;
	return 0;
}

void vcpu_free(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	pthread_cond_destroy(&vcpu->changed);
	pthread_mutex_destroy(&vcpu->lock);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.base = 0,
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = 0,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static void set_flat32(struct kvm_sregs *sregs, const struct vcpu_state *state)
{
	sregs->cs = flat_segment(state->code_selector, SEGMENT_CODE);
	sregs->ds = flat_segment(state->data_selector, SEGMENT_DATA);
	sregs->es = sregs->fs = sregs->gs = sregs->ss = sregs->ds;
	sregs->gdt.base = state->gdt_base;
	sregs->gdt.limit = state->gdt_limit;
	sregs->idt.base = 0;
	sregs->idt.limit = 0; /* an exception before the kernel has an IDT is a triple fault */
	sregs->cr0 = CR0_PE | CR0_ET;
	sregs->cr4 = 0;
}

/* As after a load of the selector in real mode (Intel SDM 3, 21.1.1). */
static void move_segment(struct kvm_segment *segment, uint16_t selector)
{
	segment->selector = selector;
	segment->base = 16u * selector;
}

/* As after reset, but for the segments. */
static void set_real16(struct kvm_sregs *sregs, const struct vcpu_state *state)
{
	struct kvm_segment *data[] = {&sregs->ds, &sregs->es, &sregs->fs, &sregs->gs, &sregs->ss};

	move_segment(&sregs->cs, state->code_selector);
	for (size_t i = 0; i < sizeof data / sizeof *data; i++)
		move_segment(data[i], state->data_selector);
}

uint32_t vcpu_entry(const struct vcpu_state *state)
{
	switch (state->mode) {
	case VCPU_REAL16:
		return 16u * state->code_selector + state->eip;
	case VCPU_RESET:
		return RESET_VECTOR;
	default:
		return state->eip;
	}
}

int vcpu_set_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct kvm_regs regs = {
		.rax = state->eax,
		.rbx = state->ebx,
		.rsi = state->esi,
		.rsp = state->esp,
		.rip = state->eip,
		.rflags = 0x2, /* the bit that is always set; interrupts off */
	};
	struct kvm_sregs sregs;
	int ret;

	if (state->mode == VCPU_RESET)
		return 0;
	ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret < 0)
		return ret;
	if (state->mode == VCPU_FLAT32)
		set_flat32(&sregs, state);
	else
		set_real16(&sregs, state);
	ret = kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret < 0)
		return ret;
	return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

uint64_t vcpu_rip(const struct vcpu *vcpu)
{
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs = {0};

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	return sregs.cs.base + regs.rip;
}

uint64_t vcpu_value(const uint8_t *data, unsigned len)
{
	uint64_t value = 0;

	memcpy(&value, data, len <= sizeof value ? len : sizeof value);
	return value;
}

/* --- exits ------------------------------------------------------------------------------------ */

static void exit_port(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool write = run->io.direction == KVM_EXIT_IO_OUT;

	/* String instructions come as several items at once. */
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (vcpu->ops->port(vcpu, run->io.port, write, data, run->io.size) == 0)
			continue;
		crash_port(vcpu, run->io.port, write, data, run->io.size);
		return;
	}
}

static void exit_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int ret = vcpu->ops->mmio(
		vcpu, run->mmio.phys_addr, run->mmio.is_write, run->mmio.data, run->mmio.len);

	if (ret < 0)
		crash_mmio(vcpu, run->mmio.phys_addr, run->mmio.is_write, run->mmio.data,
			run->mmio.len, ret);
}

static void exit_internal_error(struct vcpu *vcpu)
{
	int ret;

	if (vcpu->run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION) {
		vcpu->ops->end(vcpu, EXIT_STATUS_VOLE);
		say("KVM reports internal error %u on CPU %u", vcpu->run->internal.suberror,
			vcpu->id);
		return;
	}
	ret = complete_instruction(vcpu);
	if (ret == -EOPNOTSUPP)
		crash_instruction(vcpu);
	else if (ret < 0) /* the host's fault, and said */
		vcpu->ops->end(vcpu, EXIT_STATUS_VOLE);
}

static void handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit_port(vcpu);
		break;
	case KVM_EXIT_MMIO:
		exit_mmio(vcpu);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit_internal_error(vcpu);
		break;
	case KVM_EXIT_HLT: /* only without local APICs in the kernel: nothing could wake it */
		vcpu->ops->end(vcpu, 0);
		break;
	case KVM_EXIT_SHUTDOWN:
		if (vcpu->ops->triple_fault(vcpu) < 0)
			crash_triple_fault(vcpu);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_IOAPIC_EOI: /* only level-triggered pins need it, and we have none */
		break;
	case KVM_EXIT_FAIL_ENTRY:
		vcpu->ops->end(vcpu, EXIT_STATUS_VOLE);
		say("the processor refuses to run CPU %u: reason 0x%llx", vcpu->id,
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		vcpu->ops->end(vcpu, EXIT_STATUS_VOLE);
		say("KVM gave up CPU %u with exit reason %u, which vole does not know", vcpu->id,
			run->exit_reason);
		break;
	}
}

/* --- the thread ------------------------------------------------------------------------------- */

/* On the vCPU's thread: was it started meanwhile by INIT and SIPI, which KVM handles by itself? */
static bool runs_already(struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	return kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
	       state.mp_state != KVM_MP_STATE_UNINITIALIZED;
}

/* Lock held. */
static void answer(struct vcpu *vcpu, int answer)
{
	if (!vcpu->requested)
		return;
	vcpu->requested = false;
	vcpu->answer = answer;
	pthread_cond_broadcast(&vcpu->changed);
}

/* Make this vCPU run as requested. 0 or -errno. Lock held. */
static int start_as_requested(struct vcpu *vcpu)
{
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	int ret = 0;

	if (vcpu->has_frame)
		ret = vcpu->ops->write_memory(
			vcpu, vcpu->state.esp, vcpu->frame, sizeof vcpu->frame);
	if (ret == 0)
		ret = vcpu_set_state(vcpu, &vcpu->state);
	if (ret == 0)
		ret = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	return ret;
}

/* Answer a request to start. */
static void answer_request(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	if (vcpu->requested && !vcpu->started && !runs_already(vcpu) &&
		start_as_requested(vcpu) == 0) {
		vcpu->started = true;
		answer(vcpu, 0);
	}
	answer(vcpu, -EBUSY);
	pthread_mutex_unlock(&vcpu->lock);
}

/* Guest code has run here, so this vCPU was started, whatever the way. To be said before the
 * exit is handled: two that were started by INIT and SIPI would wait for each other's answer for
 * ever. */
static void note_started(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->started = true;
	answer(vcpu, -EBUSY);
	pthread_mutex_unlock(&vcpu->lock);
}

/* Answer vcpu_ask_halted(). */
static void answer_halted(struct vcpu *vcpu)
{
	struct kvm_mp_state state;
	struct kvm_regs regs;

	if (!atomic_exchange(&vcpu->halt_asked, false) ||
		kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
		kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0)
		return;
	if (state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
		(state.mp_state == KVM_MP_STATE_HALTED && !(regs.rflags & RFLAGS_IF)))
		atomic_store(&vcpu->halted, true);
}

static void note_ended(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->ended = true;
	pthread_cond_broadcast(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->lock);
}

static void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;

	/* immediate_exit is cleared before running() is asked again, so that a stop is not
	 * missed. */
	while (vcpu->ops->running(vcpu)) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			vcpu->exits++;
			if (!vcpu->started)
				note_started(vcpu);
			if (vcpu->watch)
				watch_before(vcpu->watch, vcpu);
			handle_exit(vcpu);
			if (vcpu->watch)
				watch_after(vcpu->watch, vcpu);
		} else if (errno == EINTR || errno == EAGAIN) {
			__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
			answer_request(vcpu);
			answer_halted(vcpu);
		} else {
			int error = errno;

			vcpu->ops->end(vcpu, EXIT_STATUS_VOLE);
			say("KVM_RUN on CPU %u: %s", vcpu->id, strerror(error));
			break;
		}
	}
	note_ended(vcpu);
	return NULL;
}

/* 0 or a positive errno, as the functions of pthreads. */
static int create_thread(struct vcpu *vcpu)
{
	pthread_attr_t attributes;
	int ret = pthread_attr_init(&attributes);

	if (ret != 0)
		return ret;
	/* Small, since it is touched, and all of the work is shallow. */
	ret = pthread_attr_setstacksize(&attributes, 256 << 10);
	if (ret == 0)
		ret = pthread_create(&vcpu->thread, &attributes, vcpu_thread, vcpu);
	pthread_attr_destroy(&attributes);
	return ret;
}

int vcpu_start(struct vcpu *vcpu)
{
	int ret;

	vcpu->started = vcpu->id == 0;
	ret = create_thread(vcpu);
	if (ret != 0) {
		say("thread of CPU %u: %s", vcpu->id, strerror(ret));
		return -ret;
	}
	vcpu->has_thread = true;
	return 0;
}

/* Take the thread out of KVM_RUN, or keep it from entering. */
static void kick(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vcpu->thread, VCPU_SIGNAL);
}

void vcpu_ask_halted(struct vcpu *vcpu)
{
	atomic_store(&vcpu->halt_asked, true);
	kick(vcpu);
}

bool vcpu_has_halted(struct vcpu *vcpu)
{
	return atomic_exchange(&vcpu->halted, false);
}

int vcpu_request_start(
	struct vcpu *vcpu, const struct vcpu_state *state, const uint32_t frame[VCPU_FRAME_WORDS])
{
	int ret = -EBUSY;

	pthread_mutex_lock(&vcpu->lock);
	if (!vcpu->started && !vcpu->requested) {
		vcpu->state = *state;
		vcpu->has_frame = frame;
		if (frame)
			memcpy(vcpu->frame, frame, sizeof vcpu->frame);
		vcpu->requested = true;
		kick(vcpu);
		while (vcpu->requested && vcpu->ops->running(vcpu))
			pthread_cond_wait(&vcpu->changed, &vcpu->lock);
		ret = vcpu->requested ? -EINTR : vcpu->answer;
	}
	pthread_mutex_unlock(&vcpu->lock);
	return ret;
}

void vcpu_stop(struct vcpu *vcpu)
{
	if (!vcpu->has_thread)
		return;
	/* Under the lock, so that a thread in vcpu_request_start() does not miss it. */
	pthread_mutex_lock(&vcpu->lock);
	pthread_cond_broadcast(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->lock);
	kick(vcpu);
}

/* For STOP_AGAIN_NS, whatever becomes of the time of day. 0 or ETIMEDOUT. Lock held. */
static int wait_for_change(struct vcpu *vcpu)
{
	struct timespec again;

	clock_gettime(CLOCK_MONOTONIC, &again);
	again.tv_nsec += STOP_AGAIN_NS;
	if (again.tv_nsec >= 1000000000) {
		again.tv_nsec -= 1000000000;
		again.tv_sec++;
	}
	return pthread_cond_clockwait(&vcpu->changed, &vcpu->lock, CLOCK_MONOTONIC, &again);
}

void vcpu_join(struct vcpu *vcpu)
{
	if (!vcpu->has_thread)
		return;
	pthread_mutex_lock(&vcpu->lock);
	while (!vcpu->ended) {
		if (wait_for_change(vcpu) == ETIMEDOUT)
			kick(vcpu);
	}
	pthread_mutex_unlock(&vcpu->lock);
	pthread_join(vcpu->thread, NULL);
	vcpu->has_thread = false;
}
