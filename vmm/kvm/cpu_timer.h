/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPU_TIMER_H
#define VMM_CPU_TIMER_H

/*
 * A timer that takes a vCPU's thread out of KVM_RUN after each CPU_TIMER_PERIOD_MS of CPU time that
 * the thread has used, guest code included. It costs nothing while the guest is idle.
 */

#include <signal.h>
#include <time.h>

#define CPU_TIMER_PERIOD_MS 20

/* The timer's signal. */
#define CPU_TIMER_SIGNAL SIGVTALRM

/* Gives CPU_TIMER_SIGNAL its handler, which does nothing. Before the first thread. */
void cpu_timer_init_signal(void);

/* Starts the timer of the calling thread, a vCPU's, and stops it. Returns 0 or -errno (said). */
int cpu_timer_start(timer_t *timer);
void cpu_timer_stop(timer_t timer);

#endif
