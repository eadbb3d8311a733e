/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/landlock.h> is younger than some hosts' headers, and knows only what was there when it was
 * made. The numbers are the same for all architectures. */
#define CREATE_RULESET 444
#define ADD_RULE       445
#define RESTRICT_SELF  446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1u

#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_FIRST       ((UINT64_C(1) << 13) - 1) /* all of version 1 */
#define FS_REFER       (UINT64_C(1) << 13)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_IOCTL_DEV   (UINT64_C(1) << 15)
#define NET_TCP        UINT64_C(3) /* bind and connect */
#define SCOPE          UINT64_C(3) /* abstract sockets and signals */

struct ruleset {
	uint64_t fs, net, scope;
};

struct path_beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* Returns all that a version can take away. Versions from 7 on add logging, which is not for us. */
static struct ruleset all_of(long version)
{
	return (struct ruleset){
		.fs = FS_FIRST | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0) |
		      (version >= 5 ? FS_IOCTL_DEV : 0),
		.net = version >= 4 ? NET_TCP : 0,
		.scope = version >= 6 ? SCOPE : 0,
	};
}

/* Returns 0 or -errno. */
static int add(int set, const struct ruleset *handled, const struct landlock_grant *grant)
{
	uint64_t access = grant->right == LANDLOCK_GRANT_TERMINAL
				  ? FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEV
				  : FS_REMOVE_FILE;
	const struct path_beneath rule = {access & handled->fs, grant->fd};

	return syscall(ADD_RULE, set, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

long landlock_version(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

	return version < 0 ? -errno : version;
}

int landlock_enter(const struct landlock_grant *grants, unsigned count)
{
	long version = landlock_version();
	struct ruleset all = all_of(version);
	int set, ret = 0;

	if (version < 0)
		return (int)version;
	set = (int)syscall(CREATE_RULESET, &all, sizeof all, 0);
	if (set < 0)
		return -errno;
	for (unsigned i = 0; ret == 0 && i < count; i++)
		ret = add(set, &all, &grants[i]);
	if (ret == 0 && syscall(RESTRICT_SELF, set, 0) < 0)
		ret = -errno;
	close(set);
	return ret;
}
