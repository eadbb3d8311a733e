/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/cpu_timer.h"

#include <errno.h>
#include <unistd.h>

#include "error_text.h"
#include "log.h"

#ifndef sigev_notify_thread_id /* of timer_create(2), missing in glibc before 2.38 */
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void on_signal(int signal)
{
	(void)signal;
}

void cpu_timer_init_signal(void)
{
	/* With SA_RESTART, which KVM_RUN alone does not care for. */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigaction(CPU_TIMER_SIGNAL, &action, NULL);
}

int cpu_timer_start(timer_t *timer)
{
	const struct timespec period = {.tv_nsec = CPU_TIMER_PERIOD_MS * 1000000};
	const struct itimerspec times = {.it_interval = period, .it_value = period};
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = CPU_TIMER_SIGNAL,
	};
	int ret;

	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, timer) < 0) {
		ret = -errno;
		say("timer_create: %s", error_text(-ret));
		return ret;
	}
	if (timer_settime(*timer, 0, &times, NULL) == 0)
		return 0;
	ret = -errno;
	say("timer_settime: %s", error_text(-ret));
	timer_delete(*timer);
	return ret;
}

void cpu_timer_stop(timer_t timer)
{
	timer_delete(timer);
}
