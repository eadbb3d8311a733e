/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RESULT_FILE_H
#define VMM_RESULT_FILE_H

/*
 * A file that a run leaves behind, if it gets that far: opened before the guest's first
 * instruction, written later. What goes wrong with it is said once, and is no error of the run.
 */

#include <stdbool.h>

#include "io/remover.h"

struct result_file {
	int fd;             /* -1: none is wanted, or it could not be opened */
	const char *option; /* that names it: "--core". Not owned, nor is path */
	const char *path;
	struct remover remover; /* of a file that this run has made, if nothing was written */
};

#define RESULT_FILE_EMPTY ((struct result_file){.fd = -1, .remover = REMOVER_EMPTY})

/* Opens and locks a regular file without changing it, or says why it is not used. path NULL: none
 * is wanted. Before the first thread is made. result_file_close() undoes it in any state, and
 * removes a file that this run has made and not written. */
void result_file_open(struct result_file *file, const char *option, const char *path);
void result_file_close(struct result_file *file);

/* Ends the writing of a file: ret is 0, or why it could not be written, a negative errno. Then the
 * file is emptied, and that is said. Returns whether it is written. */
bool result_file_written(struct result_file *file, int ret);

#endif
