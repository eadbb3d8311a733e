/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ERROR_TEXT_H
#define VMM_ERROR_TEXT_H

/*
 * The texts of errors of system calls. Where an error means that a limit of the host was met
 * (getrlimit(2)), the text also names the limit, its value, and what vole needs instead.
 */

struct error_text {
	char text[384];
};

/* Writes what error, an errno value, means. Returns error_text->text, which has no newline.
 * Preserves errno. Any thread. */
const char *error_text_write(struct error_text *error_text, int error);

/* Returns ENOMEM instead of EAGAIN if that is what pthread_create(3) or fork(2) has just failed
 * with and the address space has no room for a stack; else error. Who reports a failure later asks
 * at once, since memory may be free by then. Preserves errno. Any thread. */
int thread_error(int error);

/* Writes what error means, where it is what pthread_create(3) or fork(2) failed with: EAGAIN is
 * then a limit of threads or of memory. Else as error_text_write(). */
const char *thread_error_text_write(struct error_text *error_text, int error);

/* The same for an argument of say(), with a buffer that is valid until the end of the block. */
#define error_text(error)        error_text_write(&(struct error_text){{0}}, error)
#define thread_error_text(error) thread_error_text_write(&(struct error_text){{0}}, error)

#endif
