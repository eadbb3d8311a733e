/* SPDX-License-Identifier: BSD-2-Clause */
/* How a vCPU's thread begins and ends, without a KVM: the thread never gets as far as to need it.
 * What needs one is tested with guests. */
#include "kvm/vcpu_thread.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

/* What pthread_attr_init() returns; 0: what the real one does. */
static int attributes_errno;

int __real_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes);

int __wrap_pthread_attr_init(pthread_attr_t *attributes)
{
	return attributes_errno ? attributes_errno : __real_pthread_attr_init(attributes);
}

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
	return tap_done();
}
