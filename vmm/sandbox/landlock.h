/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SANDBOX_LANDLOCK_H
#define VMM_SANDBOX_LANDLOCK_H

/*
 * Takes away, by landlock(7), what this kernel's landlock knows: all access to files by their
 * names, network ports, abstract UNIX sockets of others, and signals to others. Descriptors that
 * are open keep what they were opened for.
 */

/* What stays permitted. */
struct landlock_grant {
	int fd; /* of what it is for */
	enum {
		LANDLOCK_GRANT_TERMINAL, /* opening this terminal to be read and written */
		LANDLOCK_GRANT_REMOVE,   /* removing files and sockets in this folder */
	} right;
};

/* Returns the version of this kernel's landlock, from 1; or -errno as landlock_enter(). */
long landlock_version(void);

/*
 * Restricts the calling thread and those that it makes later; it has no_new_privs set. Returns 0 or
 *   -ENOSYS, -EOPNOTSUPP  this kernel has no landlock, or it is off
 *   -EPERM                a filter that vole's parent has installed forbids it
 *   other                 -errno
 */
int landlock_enter(const struct landlock_grant *grants, unsigned count);

#endif
