/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_SANDBOX_HOLE_H
#define TESTS_GUEST_SANDBOX_HOLE_H

/*
 * A hole in vole, for tests/sandbox.t alone: tests/hole/hole.c is linked into a vole of its own,
 * which has one more port. A guest writes the name of a system call to it, byte by byte, and then
 * reads four bytes: vole makes the call, as an attacker would who has taken it over, and the guest
 * gets its errno, 0 if it succeeded.
 */

#define HOLE_PORT 0x5ec

#endif
