/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/vcpu_thread.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "error_text.h"
#include "exit_status.h"
#include "kvm/cpu_timer.h"
#include "kvm/debug.h"
#include "kvm/exits.h"
#include "kvm/own_writes.h"
#include "kvm/vcpu_state.h"
#include "log.h"
#include "monotonic.h"

/* How often a thread that does not end is told again: a signal that came just before a blocking
 * system call is lost. */
#define STOP_AGAIN_NS 10000000

static void on_signal(int signal)
{
	(void)signal;
}

void vcpu_init_signal(void)
{
	/* Without SA_RESTART: the point is that system calls return. */
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(VCPU_SIGNAL, &action, NULL);
	cpu_timer_init_signal();
}

/* On the vCPU's thread: was it started meanwhile by INIT and SIPI, which KVM handles by itself? */
static bool runs_already(struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	return kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
	       state.mp_state != KVM_MP_STATE_UNINITIALIZED;
}

/* Lock held. */
static void reply_to_start(struct vcpu *vcpu, int result)
{
	if (!vcpu->requested)
		return;
	vcpu->requested = false;
	vcpu->start_result = result;
	pthread_cond_broadcast(&vcpu->changed);
}

/* Make this vCPU run as requested. 0 or -errno. Lock held. */
static int start_as_requested(struct vcpu *vcpu)
{
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	int ret = 0;

	if (vcpu->has_frame)
		ret = gmem_write(vcpu->cpu.gmem, vcpu->state.esp, vcpu->frame, sizeof vcpu->frame);
	if (ret == 0)
		ret = vcpu_set_state(vcpu, &vcpu->state);
	if (ret == 0)
		ret = kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	return ret;
}

/* Answer a request to start. Lock held. */
static void answer_request(struct vcpu *vcpu)
{
	if (vcpu->requested && !vcpu->started && !runs_already(vcpu) &&
		start_as_requested(vcpu) == 0) {
		vcpu->started = true;
		reply_to_start(vcpu, 0);
	}
	reply_to_start(vcpu, -EBUSY);
}

/* Waits while the machine is paused. Requests to start are answered all the same, since a vCPU that
 * waits for its answer is to come here too. Lock held. */
static void wait_while_paused(struct vcpu *vcpu)
{
	while (vcpu->pause_asked && vcpu->cpu.host->running(&vcpu->cpu)) {
		answer_request(vcpu);
		if (!vcpu->paused) {
			vcpu->paused = true;
			pthread_cond_broadcast(&vcpu->changed);
		}
		pthread_cond_wait(&vcpu->changed, &vcpu->lock);
	}
	vcpu->paused = false;
}

/* What others ask of this thread, between two instructions: KVM has completed the last one, or
 * KVM_RUN would not have returned with EINTR (KVM API 5, immediate_exit). */
static void serve_others(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	answer_request(vcpu);
	wait_while_paused(vcpu);
	pthread_mutex_unlock(&vcpu->lock);
}

/* Guest code has run here, so this vCPU was started, whatever the way. To be said before the
 * exit is handled: two that were started by INIT and SIPI would wait for each other's answer for
 * ever. */
static void note_started(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->started = true;
	reply_to_start(vcpu, -EBUSY);
	pthread_mutex_unlock(&vcpu->lock);
}

/* Replies to vcpu_activity(). */
static void note_activity(struct vcpu *vcpu)
{
	if (atomic_exchange(&vcpu->activity_asked, false))
		atomic_store(&vcpu->activity, vcpu_activity_now(vcpu));
}

static void note_ended(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->ended = true;
	pthread_cond_broadcast(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->lock);
}

/* KVM_RUN returns EAGAIN on a vCPU that waits to be started, after each kick. On one that is
 * started, Linux could not make a thread that the VM needs (seen with Linux 6.18). */
static bool is_interrupted(const struct vcpu *vcpu, int error)
{
	return error == EINTR || (error == EAGAIN && !vcpu->started);
}

/* Waits if the debugger has stopped this vCPU at the exit that was just handled. */
static void stop_for_debugger(struct vcpu *vcpu)
{
	kvm_debug_handled(vcpu);
	if (!vcpu->has_stopped)
		return;
	vcpu->has_stopped = false;
	serve_others(vcpu);
}

/* A guest's access to a page that the host cannot give is an error of KVM_RUN, and not the signal
 * that vole's own accesses get (snapshot/file.h). */
#define LOST                                                                                    \
	": the host has no memory for a page of the guest; if this is a clone, its checkpoint " \
	"has become shorter, or cannot be read"

static void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;
	timer_t timer;
	bool has_timer = cpu_timer_start(&timer) == 0;

	if (!has_timer)
		vcpu->cpu.host->end(&vcpu->cpu, EXIT_STATUS_VOLE);
	if (vcpu->debug)
		serve_others(vcpu);
	if (vcpu->cpu.id == 0 && vcpu->cpu.host->begins)
		vcpu->cpu.host->begins(&vcpu->cpu);
	/* immediate_exit is cleared before running() is asked again, so that a stop is not
	 * missed. */
	while (vcpu->cpu.host->running(&vcpu->cpu)) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			if (!vcpu->started)
				note_started(vcpu);
			handle_exit(vcpu);
			if (vcpu->debug)
				stop_for_debugger(vcpu);
		} else if (is_interrupted(vcpu, errno)) {
			__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
			own_writes_complete(vcpu);
			note_activity(vcpu);
			serve_others(vcpu);
		} else {
			int error = errno;

			vcpu->cpu.host->end(&vcpu->cpu, EXIT_STATUS_VOLE);
			say("KVM_RUN on CPU %u: %s%s", vcpu->cpu.id, thread_error_text(error),
				error == EFAULT ? LOST : "");
			break;
		}
	}
	if (has_timer)
		cpu_timer_stop(timer);
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

	vcpu->started |= vcpu->cpu.id == 0;
	ret = create_thread(vcpu);
	if (ret != 0) {
		say("thread of CPU %u: %s", vcpu->cpu.id, thread_error_text(ret));
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

enum cpu_activity vcpu_activity(struct vcpu *vcpu)
{
	enum cpu_activity activity = atomic_exchange(&vcpu->activity, CPU_UNKNOWN);

	atomic_store(&vcpu->activity_asked, true);
	kick(vcpu);
	return activity;
}

int vcpu_request_start(
	struct vcpu *vcpu, const struct entry_state *state, const uint32_t frame[CPU_FRAME_WORDS])
{
	int ret = -EBUSY;

	pthread_mutex_lock(&vcpu->lock);
	if (!vcpu->started && !vcpu->requested) {
		vcpu->state = *state;
		vcpu->has_frame = frame;
		if (frame)
			memcpy(vcpu->frame, frame, sizeof vcpu->frame);
		vcpu->requested = true;
		pthread_cond_broadcast(&vcpu->changed); /* it may be paused */
		kick(vcpu);
		while (vcpu->requested && vcpu->cpu.host->running(&vcpu->cpu))
			pthread_cond_wait(&vcpu->changed, &vcpu->lock);
		ret = vcpu->requested ? -EINTR : vcpu->start_result;
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
	struct timespec again = monotonic_in(STOP_AGAIN_NS);

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

/* --- pausing ---------------------------------------------------------------------------------- */

void vcpu_ask_pause(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->pause_asked = true;
	pthread_mutex_unlock(&vcpu->lock);
	if (vcpu->has_thread)
		kick(vcpu);
}

static bool is_before(const struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec != until->tv_sec ? now.tv_sec < until->tv_sec
					   : now.tv_nsec < until->tv_nsec;
}

bool vcpu_await_pause(struct vcpu *vcpu, const struct timespec *until)
{
	bool stopped = true;

	if (!vcpu->has_thread)
		return true;
	pthread_mutex_lock(&vcpu->lock);
	while (!(stopped = vcpu->paused || vcpu->ended) && is_before(until)) {
		if (wait_for_change(vcpu) == ETIMEDOUT)
			kick(vcpu);
	}
	pthread_mutex_unlock(&vcpu->lock);
	return stopped;
}

void vcpu_resume(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->pause_asked = false;
	pthread_cond_broadcast(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->lock);
}

bool vcpu_is_stopped(struct vcpu *vcpu)
{
	bool is_stopped;

	pthread_mutex_lock(&vcpu->lock);
	is_stopped = !vcpu->has_thread || vcpu->paused || vcpu->ended;
	pthread_mutex_unlock(&vcpu->lock);
	return is_stopped;
}
