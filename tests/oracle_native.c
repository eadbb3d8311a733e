/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's side of the oracle. Signal handlers are the way in and out: the handler of SIGUSR1
 * replaces the interrupted context by the registers of the case, and the handlers of what an
 * exception becomes (signal(7)) take the registers at the exception and put the old context back.
 * So no trampoline has to save a register, and RSP may have any value: handlers have a stack of
 * their own (sigaltstack(2)).
 */
#include "oracle.h"

#include <errno.h>

/* The address sanitizer maps its shadow from 0x7fff8000 on, beyond 4 GiB, and one page before it.
 */
#define SHADOW_BASE 0x7fff7000u
#define VECTOR_PF   14

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SHADOW true
#endif
#elif defined __SANITIZE_ADDRESS__
#define HAS_SHADOW true
#endif
#ifndef HAS_SHADOW
#define HAS_SHADOW false
#endif

bool oracle_native_permits(const struct oracle_result *soft)
{
	if (soft->vector == ORACLE_NO_END || soft->is_code_data)
		return false;
	return !HAS_SHADOW || soft->vector != VECTOR_PF || soft->cr2 < SHADOW_BASE;
}

#ifdef __x86_64__

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define SECONDS_MAX 5

/* A flag that sigreturn(2) neither sets nor clears, so it would outlive the case. */
#define EFLAGS_NT 0x4000u

/* Signals that end a case: exceptions, and the alarm of one that does not end. */
static const int ends[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM};
#define ENDS (sizeof ends / sizeof *ends)

static const int greg_of[8] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI};

/* The run under way, for the handlers. */
static struct run {
	const struct oracle_case *test;
	struct oracle_result *result;
	gregset_t outside; /* the context that the case interrupts */
	volatile bool inside;
} run;

static char *const code = (char *)(uintptr_t)ORACLE_CODE;
static char *const data = (char *)(uintptr_t)ORACLE_DATA;
static char handler_stack[64 * 1024];

static void enter_case(int signal, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	(void)info;
	memcpy(run.outside, gregs, sizeof run.outside);
	for (unsigned i = 0; i < 8; i++)
		gregs[greg_of[i]] = run.test->start.reg[i];
	gregs[REG_EFL] = run.test->start.eflags;
	gregs[REG_RIP] = ORACLE_CODE;
	run.inside = true;
}

static void leave_case(int signal, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct oracle_result *result = run.result;

	(void)info;
	if (!run.inside) {
		/* A fault of the test's own: let it have its effect once the handler returns. */
		if (signal != SIGALRM)
			sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		result->state.reg[i] = (uint32_t)gregs[greg_of[i]];
	result->state.eflags = (uint32_t)gregs[REG_EFL];
	result->eip = (uint32_t)gregs[REG_RIP];
	result->vector = signal == SIGALRM ? ORACLE_NO_END : (unsigned)gregs[REG_TRAPNO];
	result->error = (uint32_t)gregs[REG_ERR];
	result->cr2 = (uint32_t)gregs[REG_CR2];
	memcpy(gregs, run.outside, sizeof run.outside);
	run.inside = false;
}

bool oracle_native_is_there(void)
{
	return true;
}

int oracle_native_open(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	size_t data_size = ORACLE_DATA_SIZE + ORACLE_PAGE;

	if (mmap(code, ORACLE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) != code)
		return -errno;
	if (mmap(data, data_size, PROT_READ | PROT_WRITE, flags, -1, 0) != data ||
		!memset(data, ORACLE_FILL, data_size) ||
		mprotect(data + ORACLE_DATA_SIZE, ORACLE_PAGE, PROT_READ) != 0) {
		int error = -errno;

		oracle_native_close();
		return error;
	}
	return 0;
}

void oracle_native_close(void)
{
	munmap(code, ORACLE_PAGE);
	munmap(data, ORACLE_DATA_SIZE + ORACLE_PAGE);
}

/* With all handlers in place. */
static int run_case(void)
{
	struct sigaction enter = {.sa_sigaction = enter_case, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction old;
	int ret = 0;

	if (sigaction(SIGUSR1, &enter, &old) != 0)
		return -errno;
	alarm(SECONDS_MAX);
	if (raise(SIGUSR1) != 0)
		ret = -errno;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~EFLAGS_NT);
	alarm(0);
	sigaction(SIGUSR1, &old, NULL);
	return ret;
}

int oracle_native_run(const struct oracle_case *test, struct oracle_result *result)
{
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack}, old_stack;
	struct sigaction leave = {.sa_sigaction = leave_case, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction old[ENDS];
	unsigned set;
	int ret = 0;

	memset(code, 0xf4, ORACLE_PAGE);
	memcpy(code, test->native, test->native_len);
	memcpy(data, test->data, ORACLE_DATA_SIZE);
	run.test = test;
	run.result = result;
	if (sigaltstack(&stack, &old_stack) != 0)
		return -errno;
	for (set = 0; set < ENDS && ret == 0; set++)
		if (sigaction(ends[set], &leave, &old[set]) != 0)
			ret = -errno;
	if (ret == 0)
		ret = run_case();
	while (set-- > 0)
		sigaction(ends[set], &old[set], NULL);
	sigaltstack(&old_stack, NULL);
	memcpy(result->data, data, ORACLE_DATA_SIZE);
	return ret;
}

#else

bool oracle_native_is_there(void)
{
	return false;
}

int oracle_native_open(void)
{
	return -ENOSYS;
}

void oracle_native_close(void)
{
}

int oracle_native_run(const struct oracle_case *test, struct oracle_result *result)
{
	(void)test;
	(void)result;
	return -ENOSYS;
}

#endif
