/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error_text.h"
#include "finding.h"
#include "log.h"
#include "sandbox/arch.h"
#include "sandbox/filter.h"
#include "sandbox/inherited.h"
#include "sandbox/violation.h"

#ifdef SANDBOX_ARCH
#define IS_BUILT true
#else
#define IS_BUILT false
#endif

#ifdef SANITIZED
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

bool sandbox_parse(const char *text, enum sandbox_mode *mode)
{
	static const struct {
		const char *word;
		enum sandbox_mode mode;
	} words[] = {{"on", SANDBOX_ON}, {"off", SANDBOX_OFF}, {"log", SANDBOX_LOG}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i].word) != 0)
			continue;
		*mode = words[i].mode;
		return true;
	}
	return false;
}

/* With one arena malloc() neither maps memory for each thread nor reads files of the kernel's to
 * count CPUs. Threads allocate too seldom to wait for each other. */
static void keep_malloc_quiet(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1);
#endif
}

/* Returns 0 or -errno. */
static int install(const struct filter *filter)
{
	const struct sock_fprog program = {
		.len = (unsigned short)filter->len,
		.filter = (struct sock_filter *)filter->code,
	};

	long ret =
		syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);

	if (ret > 0)
		return -EBUSY; /* a thread that could not be shut in */
	return ret < 0 ? -errno : 0;
}

static int forbid_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* EPERM is the answer of a filter that vole's parent has installed, as containers do: with what was
 * asked for here it has no other cause. */
static bool is_absent(int error)
{
	return error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

/* Returns 0, also if this host has no seccomp (said), or -errno (said). */
static int enter_filter(const struct rules *rules, bool is_logged, bool has_landlock)
{
	struct filter filter;
	int ret = violation_catch(is_logged);

	if (ret == 0) {
		filter_assemble(
			&filter, rules, SECCOMP_RET_TRAP, is_logged ? violation_exempt : NULL);
		ret = install(&filter);
	}
	if (ret == 0)
		return 0;
	/* A kernel that was built without filters answers EINVAL. */
	if (!is_absent(-ret) && ret != -EINVAL) {
		say("seccomp: %s", error_text(-ret));
		return ret;
	}
	say("this host has no seccomp (%s): a broken vole could make any system call; it gains no "
	    "privileges%s",
		error_text(-ret), has_landlock ? ", and landlock keeps it from files" : "");
	return 0;
}

/* Returns 0 or -errno (said). Sets *entered to whether this host has landlock; what it lacks is
 * said. */
static int enter_landlock(const struct landlock_grant *grants, unsigned count, bool *entered)
{
	int ret = landlock_enter(grants, count);

	*entered = ret == 0;
	if (ret == 0)
		return 0;
	if (!is_absent(-ret)) {
		say("landlock: %s", error_text(-ret));
		return ret;
	}
	say("this host has no landlock (%s): the list of system calls alone keeps vole from files",
		error_text(-ret));
	return 0;
}

static int enter(const struct rules *rules, bool is_logged, const struct landlock_grant *grants,
	unsigned grant_count)
{
	bool has_landlock = false;
	int ret = inherited_close();

	if (ret == 0)
		ret = forbid_privileges();
	if (ret < 0) {
		say("the sandbox: %s", error_text(-ret));
		return ret;
	}
	if (!is_logged)
		ret = enter_landlock(grants, grant_count, &has_landlock);
	return ret < 0 ? ret : enter_filter(rules, is_logged, has_landlock);
}

int sandbox_enter(enum sandbox_mode mode, const struct rules *rules,
	const struct landlock_grant *grants, unsigned grant_count)
{
	if (mode == SANDBOX_OFF) {
		say("--sandbox off: a broken vole has all rights of its user");
		return 0;
	}
	if (!IS_BUILT && (mode != SANDBOX_DEFAULT || !IS_SANITIZED))
		say("this build has no sandbox (spec/security.md): a broken vole has all rights of "
		    "its user");
	if (!IS_BUILT)
		return 0;
	keep_malloc_quiet();
	return enter(rules, mode == SANDBOX_LOG, grants, grant_count);
}

void sandbox_enter_helper(
	const struct rules *rules, const struct landlock_grant *grants, unsigned grant_count)
{
	struct filter filter;

	if (!IS_BUILT || forbid_privileges() < 0)
		return;
	(void)landlock_enter(grants, grant_count);
	filter_assemble(&filter, rules, SECCOMP_RET_KILL_PROCESS, NULL);
	(void)install(&filter);
}

void sandbox_doctor(void)
{
	const uint32_t trap = SECCOMP_RET_TRAP;
	long version = landlock_version();

	if (!IS_BUILT)
		finding(FINDING_MISSING, "sandbox", "this build has none");
	else if (syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) < 0)
		finding(FINDING_MISSING, "sandbox", "seccomp: %s", error_text(errno));
	else
		finding(FINDING_OK, "sandbox", "system calls can be filtered");
	if (version < 0)
		finding(FINDING_MISSING, "landlock", "%s; the sandbox does without",
			error_text((int)-version));
	else
		finding(FINDING_OK, "landlock", "version %ld: the sandbox keeps vole from files",
			version);
}
