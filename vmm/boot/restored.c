/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/restored.h"

#include <errno.h>
#include <stdlib.h>

#include "boot/elf.h"
#include "container.h"

struct restored {
	struct boot boot;
	struct boot_protocol protocol; /* with the board of another one */
	struct image image;
};

static void restored_close_files(struct boot *boot)
{
	(void)boot;
}

static const char *restored_symbol(struct boot *boot, uint64_t address, uint32_t *offset)
{
	const char *name = NULL;

	if (boot->protocol->own_name)
		name = boot->protocol->own_name(boot, address, offset);
	return name ? name : image_symbol(boot->image, address, offset);
}

static void restored_free(struct boot *boot)
{
	image_free(boot->image);
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
		.symbol = restored_symbol,
		.own_name = protocol->own_name,
		.free = restored_free,
	};
	restored->image = IMAGE_EMPTY;
	restored->boot.image = &restored->image;
	restored->boot.protocol = &restored->protocol;
	restored->boot.protocol_number = protocol_number;
	restored->boot.options = options;
	*boot = &restored->boot;
	return 0;
}
