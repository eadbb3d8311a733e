/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/violation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "exit_status.h"
#include "leave.h"
#include "line.h"
#include "sandbox/arch.h"
#include "sandbox/names.h"

/* --- registers -------------------------------------------------------------------------------- */

#define ARGUMENTS 6

/* The registers of a system call: that of its result, and those of its arguments. And the function
 * that makes any call, by an instruction that the filter knows. */
#ifndef SANDBOX_ARCH
#elif defined(__x86_64__)

static greg_t *result_of(ucontext_t *context)
{
	return &context->uc_mcontext.gregs[REG_RAX];
}

static uint64_t argument_of(const ucontext_t *context, unsigned argument)
{
	static const int registers[ARGUMENTS] = {
		REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};

	return (uint64_t)context->uc_mcontext.gregs[registers[argument]];
}

__asm__(".text\n"
	"violation_call:\n"
	"	mov	%rdi, %rax\n"
	"	mov	%rsi, %r11\n"
	"	mov	(%r11), %rdi\n"
	"	mov	8(%r11), %rsi\n"
	"	mov	16(%r11), %rdx\n"
	"	mov	24(%r11), %r10\n"
	"	mov	32(%r11), %r8\n"
	"	mov	40(%r11), %r9\n"
	"	syscall\n"
	"	.globl	violation_exempt\n"
	"violation_exempt:\n"
	"	ret\n");

#elif defined(__aarch64__)

static unsigned long long *result_of(ucontext_t *context)
{
	return &context->uc_mcontext.regs[0];
}

static uint64_t argument_of(const ucontext_t *context, unsigned argument)
{
	return context->uc_mcontext.regs[argument];
}

__asm__(".text\n"
	"violation_call:\n"
	"	mov	x8, x0\n"
	"	mov	x9, x1\n"
	"	ldp	x0, x1, [x9]\n"
	"	ldp	x2, x3, [x9, #16]\n"
	"	ldp	x4, x5, [x9, #32]\n"
	"	svc	#0\n"
	"	.globl	violation_exempt\n"
	"violation_exempt:\n"
	"	ret\n");

#endif

#ifdef SANDBOX_ARCH

/* Makes a system call as the kernel knows it. Returns its result, or -errno. */
long violation_call(unsigned long number, const uint64_t arguments[ARGUMENTS]);

/* --- the line --------------------------------------------------------------------------------- */

/* A line that is composed without the C library's help: a signal handler may interrupt it. What
 * does not fit is left out. */
struct line {
	size_t len;
	char text[400];
};

static void put(struct line *line, const char *text)
{
	while (*text && line->len < sizeof line->text)
		line->text[line->len++] = *text++;
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[32], *at = digits + sizeof digits - 1;

	*at = '\0';
	do
		*--at = "0123456789abcdef"[value % base];
	while ((value /= base) > 0);
	put(line, base == 16 ? "0x" : "");
	put(line, at);
}

static void put_call(struct line *line, const siginfo_t *info, const ucontext_t *context)
{
	const char *name = call_name((unsigned)info->si_syscall);

	if (info->si_arch != SANDBOX_ARCH) {
		put(line, "system call ");
		put_number(line, (unsigned)info->si_syscall, 10);
		put(line, " of another architecture (");
		put_number(line, info->si_arch, 16);
		put(line, ")");
		return;
	}
	put(line, "system call ");
	put(line, name ? name : "");
	put(line, name ? " (" : "");
	put_number(line, (unsigned)info->si_syscall, 10);
	put(line, name ? ")" : "");
	put(line, ", arguments");
	for (unsigned i = 0; i < 4; i++) {
		put(line, " ");
		put_number(line, argument_of(context, i), 16);
	}
}

/* --- the handlers ----------------------------------------------------------------------------- */

/* Returns whether this was fstat(3), which was then done. Preserves errno. */
static bool is_fstat(const siginfo_t *info, ucontext_t *context)
{
	const char *path = (const char *)argument_of(context, 1);
	int saved = errno;
	long result;

	if (info->si_arch != SANDBOX_ARCH || info->si_syscall != __NR_newfstatat ||
		argument_of(context, 3) != AT_EMPTY_PATH || *path)
		return false;
	result = syscall(__NR_fstat, argument_of(context, 0), argument_of(context, 2));
	*result_of(context) = (uint64_t)(result < 0 ? -errno : result);
	errno = saved;
	return true;
}

static void end_vole(int signal, siginfo_t *info, void *context)
{
	struct line line = {0};

	(void)signal;
	if (is_fstat(info, context))
		return;
	put(&line, "vole: the sandbox forbids ");
	put_call(&line, info, context);
	put(&line, ": vole ends here. Either its guest has broken it, or its list lacks a call "
		   "that it needs (--sandbox log, spec/security.md)\n");
	leave_at_once(line.text, line.len, EXIT_STATUS_SANDBOX);
}

static void log_call(int signal, siginfo_t *info, void *context)
{
	uint64_t arguments[ARGUMENTS];
	struct line line = {0};
	int saved = errno;

	(void)signal;
	if (is_fstat(info, context))
		return;
	put(&line, "vole: --sandbox log: ");
	put_call(&line, info, context);
	put(&line, " is none that the sandbox permits\n");
	line_write_last(line.text, line.len);
	for (unsigned i = 0; i < ARGUMENTS; i++)
		arguments[i] = argument_of(context, i);
	*result_of(context) = info->si_arch == SANDBOX_ARCH
				      ? violation_call((unsigned)info->si_syscall, arguments)
				      : -ENOSYS;
	errno = saved;
}

int violation_catch(bool is_logged)
{
	struct sigaction action = {
		.sa_sigaction = is_logged ? log_call : end_vole,
		.sa_flags = SA_SIGINFO,
	};

	sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

#else

const char violation_exempt[1];

int violation_catch(bool is_logged)
{
	(void)is_logged;
	return -ENOSYS;
}

#endif
