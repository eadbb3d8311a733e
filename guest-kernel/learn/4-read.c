/* SPDX-License-Identifier: BSD-2-Clause */
/* Step 4: reads sector 0 and prints its first line. */

#include "request.h"

static struct request request;

/* Prints text up to the end of its first line. */
PART void print_line(const char *text)
{
	for (; *text && *text != '\n'; text++)
		print((char[2]){*text, '\0'});
	print("\n");
}

int main(const struct start_info *info)
{
	struct virtq_used_elem element;

	find_device(info, VIRTIO_ID_BLOCK);
	start_device(0);
	start_queue();
	want_no_interrupts();
	prepare_read(&request, 0, 0);
	publish(0);
	kick();
	element = wait_used();
	if (!was_read(&request, element))
		fail("The sector was not read.");
	print_line(request.data);
	return 0;
}
