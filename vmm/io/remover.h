/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REMOVER_H
#define VMM_REMOVER_H

/*
 * A helper process (io/helper.h) that removes a file when vole ends, however it does: a vole that
 * is shut in may not. It has the right to remove files in one folder, and no other.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "io/helper.h"

struct remover {
	struct helper helper;
	const char *path; /* not owned; valid until the helper is started */
	dev_t device;     /* identify the file at path, together with inode */
	ino_t inode;
	bool if_empty; /* a file that has content stays */
};

#define REMOVER_EMPTY ((struct remover){.helper = HELPER_EMPTY})

/* Has what is at path now be removed at vole's end, if it is still the same then, and, with
 * if_empty, still has no content. Called before the first thread is made. Returns 0 or -errno. The
 * caller calls remover_finish() whatever is returned. */
int remover_start(struct remover *remover, const char *path, bool if_empty);

/* Has it removed now, and waits for that; ignores an empty remover. Called while the file is open:
 * until then nothing else can have its inode number. Any thread. */
void remover_finish(struct remover *remover);

#endif
