/* SPDX-License-Identifier: BSD-2-Clause */
/* How a vCPU's thread begins, pauses and ends, without a KVM: a few lines here take its place. What
 * needs one is tested with guests. */
#include "kvm/vcpu_thread.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "exit_status.h"
#include "monotonic.h"

#include "../capture.h"
#include "../tap.h"

/* The system's clock is set back by this while somebody waits for a time that he took from it. */
static time_t step;

/* Takes the place of libc's in this program. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, time);

	if (clock == CLOCK_REALTIME)
		time->tv_sec += step;
	return ret;
}

/* The errno that pthread_attr_init() returns; 0: the real one is called. */
static int attributes_errno;

int __real_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes);

int __wrap_pthread_attr_init(pthread_attr_t *attributes)
{
	return attributes_errno ? attributes_errno : __real_pthread_attr_init(attributes);
}

/* --- KVM_RUN ---------------------------------------------------------------------------------- */

/* A vCPU with the machine around it. */
struct fixture {
	struct vcpu vcpu;
	atomic_bool stopping; /* running() is false */
	atomic_bool blocked;  /* its callback does not return */
	atomic_bool asks;     /* its callback asks for the other one's start ... */
	struct fixture *other;
	atomic_int answer; /* ... and is told this; 1: not yet */
	atomic_uint runs;  /* times that guest code was executed */
	atomic_int error;  /* KVM_RUN fails with this errno; 0: it does not */
	atomic_int status; /* with which this CPU has ended the machine; 0: it has not */
};

/* Of a file descriptor that stands for a vCPU's. */
#define FIRST_FD 1000
static struct fixture fixtures[2];

/* The names by which the linker has calls come here first. */
#define REAL(name) __real_##name
#define WRAP(name) __wrap_##name

int REAL(ioctl)(int fd, unsigned long request, void *argument);
int WRAP(ioctl)(int fd, unsigned long request, void *argument);

/* Executes guest code until a signal comes: all of it are OUT instructions, each of which returns
 * to vole, if there is something to do in a callback. */
static int run(struct fixture *f)
{
	const struct timespec tick = {.tv_nsec = 1000000};

	for (;;) {
		if (__atomic_load_n(&f->vcpu.run->immediate_exit, __ATOMIC_SEQ_CST)) {
			errno = EINTR;
			return -1;
		}
		if (f->error) {
			errno = f->error;
			return -1;
		}
		atomic_fetch_add(&f->runs, 1);
		if (f->blocked || f->asks) {
			f->vcpu.run->exit_reason = KVM_EXIT_IO;
			return 0;
		}
		nanosleep(&tick, NULL);
	}
}

int WRAP(ioctl)(int fd, unsigned long request, void *argument)
{
	if (fd < FIRST_FD)
		return REAL(ioctl)(fd, request, argument);
	if (request == KVM_RUN)
		return run(&fixtures[fd - FIRST_FD]);
	memset(argument, 0, _IOC_SIZE(request));
	if (request == KVM_GET_MP_STATE)
		((struct kvm_mp_state *)argument)->mp_state = KVM_MP_STATE_UNINITIALIZED;
	return 0;
}

static bool fixture_running(struct cpu *cpu)
{
	return !((struct fixture *)cpu->ctx)->stopping;
}

static void fixture_end(struct cpu *cpu, int status)
{
	((struct fixture *)cpu->ctx)->status = status;
}

/* The callback. */
static int fixture_port(struct cpu *cpu, uint16_t port, bool is_write, uint8_t *data, unsigned len)
{
	static const struct entry_state state = {.mode = ENTRY_RESET};
	struct fixture *f = cpu->ctx;

	(void)port;
	(void)is_write;
	(void)data;
	(void)len;
	if (atomic_exchange(&f->asks, false))
		f->answer = vcpu_request_start(&f->other->vcpu, &state, NULL);
	while (f->blocked && !f->stopping)
		sched_yield();
	return 0;
}

static void setup(void)
{
	static const struct cpu_host host = {
		.running = fixture_running, .port = fixture_port, .end = fixture_end};
	struct kvm kvm = {.vm = -1, .run_size = 4096};

	vcpu_init_signal();
	for (unsigned i = 0; i < 2; i++) {
		struct fixture *f = &fixtures[i];

		memset(f, 0, sizeof *f);
		capture_begin();
		vcpu_init(&f->vcpu, &kvm, i);
		capture_end();
		f->vcpu.fd = FIRST_FD + (int)i;
		f->vcpu.cpu.host = &host;
		f->vcpu.cpu.ctx = f;
		f->vcpu.run = mmap(NULL, kvm.run_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		f->vcpu.run->io.size = f->vcpu.run->io.count = 1;
		f->vcpu.run->io.data_offset = 2048;
		f->other = &fixtures[1 - i];
		f->answer = 1;
	}
	for (unsigned i = 2; i-- > 0;)
		vcpu_start(&fixtures[i].vcpu);
}

static void end_both(void)
{
	for (unsigned i = 0; i < 2; i++) {
		fixtures[i].stopping = true;
		vcpu_stop(&fixtures[i].vcpu);
	}
	for (unsigned i = 0; i < 2; i++)
		vcpu_join(&fixtures[i].vcpu);
}

static void free_both(void)
{
	for (unsigned i = 0; i < 2; i++) {
		fixtures[i].vcpu.fd = fixtures[i].vcpu.counters = -1;
		vcpu_free(&fixtures[i].vcpu);
	}
}

static void teardown(void)
{
	end_both();
	free_both();
}

/* Whether both are paused within this time. */
static bool pause_both(long ms)
{
	struct timespec until = monotonic_in((uint64_t)ms * 1000000);
	bool paused = true;

	for (unsigned i = 0; i < 2; i++)
		vcpu_ask_pause(&fixtures[i].vcpu);
	for (unsigned i = 0; i < 2; i++)
		paused &= vcpu_await_pause(&fixtures[i].vcpu, &until);
	return paused;
}

static void resume_both(void)
{
	for (unsigned i = 0; i < 2; i++)
		vcpu_resume(&fixtures[i].vcpu);
}

static void wait_for_runs(struct fixture *f)
{
	unsigned before = f->runs;

	while (f->runs == before)
		sched_yield();
}

#define PATIENCE 30000 /* milliseconds: as good as for ever */

static void test_pause(void)
{
	const struct timespec while_paused = {.tv_nsec = 20000000};
	unsigned runs;

	setup();
	wait_for_runs(&fixtures[0]);
	ok(pause_both(PATIENCE), "two CPUs that execute are paused");
	ok(vcpu_is_stopped(&fixtures[0].vcpu), "and known to be");
	runs = fixtures[0].runs + fixtures[1].runs;
	nanosleep(&while_paused, NULL);
	is(fixtures[0].runs + fixtures[1].runs, runs, "nothing is executed then");
	resume_both();
	wait_for_runs(&fixtures[0]);
	wait_for_runs(&fixtures[1]);
	ok(true, "both go on");
	for (unsigned i = 0; i < 100; i++) {
		pause_both(PATIENCE);
		resume_both();
	}
	ok(pause_both(PATIENCE), "a hundred pauses in a row");
	end_both();
	ok(true, "a machine ends while it is paused");
	ok(pause_both(0), "CPUs that have ended count as paused");
	free_both();
}

static void test_pause_in_callbacks(void)
{
	setup();
	fixtures[0].asks = true;
	ok(pause_both(PATIENCE), "a CPU that asks for another one's start is paused");
	resume_both();
	while (fixtures[0].answer == 1)
		sched_yield();
	teardown();

	setup();
	fixtures[0].blocked = true;
	wait_for_runs(&fixtures[0]);
	ok(!pause_both(50), "one whose callback does not return is waited for so long");
	ok(!vcpu_is_stopped(&fixtures[0].vcpu) && vcpu_is_stopped(&fixtures[1].vcpu),
		"and is told from the others");
	fixtures[0].blocked = false;
	ok(pause_both(PATIENCE), "when it returns it is paused, as was asked for");
	teardown();
}

/* --- errors ----------------------------------------------------------------------------------- */

static void test_no_host_thread(void)
{
	const char *text;

	setup();
	fixtures[1].error = EAGAIN;
	pause_both(PATIENCE);
	resume_both();
	is(fixtures[1].status, 0, "EAGAIN of a CPU that is not started: it waits on");
	capture_begin();
	fixtures[0].error = EAGAIN;
	while (!fixtures[0].status)
		sched_yield();
	teardown();
	text = capture_end();
	is(fixtures[0].status, EXIT_STATUS_VOLE, "of one that is started: the machine ends");
	ok(capture_lines(text) == 1 && strstr(text, "KVM_RUN on CPU 0") &&
			strstr(text, "ulimit -u"),
		"which is said once, with the limit");
}

/* --- beginning and ending --------------------------------------------------------------------- */

static void test_start(void)
{
	struct vcpu vcpu = VCPU_EMPTY;
	const char *text;

	attributes_errno = ENOMEM;
	capture_begin();
	is(vcpu_start(&vcpu), -ENOMEM, "no memory for a thread's attributes: no thread");
	text = capture_end();
	ok(capture_lines(text) == 1 && strstr(text, "thread of CPU 0"), "which is said once");
	attributes_errno = 0;
	vcpu_free(&vcpu);
}

/* In a blocking system call when it is asked to stop; and the first signal came too early. */
static bool running_until_told_twice(struct cpu *cpu)
{
	unsigned *told = cpu->ctx;

	while (*told < 2) {
		pause();
		++*told;
	}
	return false;
}

static void test_join(void)
{
	static const struct cpu_host host = {.running = running_until_told_twice};
	struct kvm kvm = {.vm = -1, .run_size = 4096};
	struct vcpu vcpu;
	unsigned told = 0;

	capture_begin();
	is(vcpu_init(&vcpu, &kvm, 1), -EBADF, "there is no KVM");
	capture_end();
	vcpu.cpu.host = &host;
	vcpu.cpu.ctx = &told;
	vcpu.run = mmap(
		NULL, kvm.run_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vcpu_init_signal();

	alarm(60);
	step = 3600;
	is(vcpu_start(&vcpu), 0, "a thread starts");
	vcpu_stop(&vcpu);
	vcpu_join(&vcpu);
	alarm(0);
	is(told, 2, "a thread that misses the signal is told again, whatever becomes of the clock");
	vcpu_free(&vcpu);
}

int main(void)
{
	test_start();
	test_join();
	alarm(120);
	test_pause();
	test_pause_in_callbacks();
	test_no_host_thread();
	return tap_done();
}
