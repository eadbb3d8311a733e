/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_FILE_HOLDER_H
#define VMM_FILE_HOLDER_H

/*
 * Says that a file cannot be locked, file_lock() having returned -EBUSY, and which process holds
 * its lock, as far as /proc shows this user. fd is open on the file, which the user named with an
 * option and a path, as in "--rng file=" and "bytes"; the option may be "".
 */
void file_say_in_use(int fd, const char *option, const char *path);

#endif
