/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_RULES_H
#define VMM_SANDBOX_RULES_H

/*
 * Which system calls a process may make: a list of rules, from which filter.h assembles a program
 * for seccomp(2). A call that no rule permits is forbidden.
 */

#include <stdint.h>
#include <sys/syscall.h>

/* The largest number of rules in a list, and of checks in a rule. */
#define RULES_MAX       192
#define RULE_CHECKS_MAX 3

enum rule_check_kind {
	CHECK_END = 0, /* no further checks */
	CHECK_IS,      /* the argument is a */
	CHECK_WITHIN,  /* the argument is from a to b, as an unsigned number */
	CHECK_HAS,     /* all bits of a are set */
	CHECK_LACKS,   /* no bit of a is set */
	CHECK_NULL,    /* all 64 bits are 0; the other kinds look at the low 32, as the kernel does
			* with an int */
};

struct rule_check {
	enum rule_check_kind kind;
	unsigned argument; /* from 0 */
	uint32_t a, b;
};

/* Permits a system call whose arguments pass all checks. Several rules for one call are
 * alternatives. With an error, the call is not made and fails with it, whatever the arguments are:
 * that is for calls whose callers then do without. */
struct rule {
	uint32_t number; /* __NR_... */
	int error;       /* an errno, 0: none */
	struct rule_check checks[RULE_CHECKS_MAX];
};

struct rules {
	unsigned count;
	struct rule list[RULES_MAX];
};

/* Adds a copy of so many rules. A list that would become longer than RULES_MAX ends the process:
 * lists are constants of this program, and a shorter one would be another sandbox. */
void rules_add(struct rules *rules, const struct rule *added, unsigned count);

/* Permits an ioctl(2) request on the descriptors from first to last. */
struct rule rule_ioctl(unsigned long request, int first, int last);

/* Permits an ioctl(2) request on any descriptor. */
#define RULE_IOCTL(request)                                                               \
	{                                                                                 \
		.number = __NR_ioctl, .checks = { {CHECK_IS, 1, (uint32_t)(request), 0} } \
	}

/* The requests by which newer C libraries get and set terminals. Where <termios.h> is included,
 * TCGETS2 and TCSETS2 lack the structure that they are made of. */
#define RULE_TCGETS2 0x802c542a
#define RULE_TCSETS2 0x402c542b

#endif
