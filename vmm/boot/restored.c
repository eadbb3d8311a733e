/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/restored.h"

#include <errno.h>
#include <stdlib.h>

#include "container.h"

struct restored {
	struct boot boot;
	struct boot_protocol protocol; /* with the board of another one */
};

static void restored_close_files(struct boot *boot)
{
	(void)boot;
}

static void restored_free(struct boot *boot)
{
	free(container_of(boot, struct restored, boot));
}

int boot_restored(struct boot **boot, const struct options *options, unsigned protocol_number)
{
	const struct boot_protocol *protocol = boot_protocol_find(protocol_number);
	struct restored *restored = calloc(1, sizeof *restored);

	if (!restored)
		return -ENOMEM;
	restored->protocol = (struct boot_protocol){
		.name = protocol->name,
		.takes = protocol->takes,
		.board = protocol->board,
		.close_files = restored_close_files,
		.wants_reset = protocol->wants_reset,
		.free = restored_free,
	};
	restored->boot.protocol = &restored->protocol;
	restored->boot.protocol_number = protocol_number;
	restored->boot.options = options;
	*boot = &restored->boot;
	return 0;
}
