/* SPDX-License-Identifier: BSD-2-Clause */
/* Exercise "write" of spec/learn/exercises.md: copies sector 0 to sector 7. */

#include "request.h"

static struct request request;

/* Describes a write of the request's data to a sector (VIRTIO_BLK_T_OUT), as prepare_read() of
 * request.h describes a read: a chain of three descriptors, of which head is the first. */
PART void prepare_write(struct request *to_write, uint64_t sector, uint16_t head)
{
	/* Your part begins here. */
	(void)to_write;
	(void)sector;
	(void)head;
	/* Your part ends here. */
}

PART struct virtq_used_elem serve(void)
{
	publish(0);
	kick();
	return wait_used();
}

int main(const struct start_info *info)
{
	find_device(info, VIRTIO_ID_BLOCK);
	start_device(0);
	start_queue();
	want_no_interrupts();
	prepare_read(&request, 0, 0);
	if (!was_read(&request, serve()))
		fail("Sector 0 was not read.");
	prepare_write(&request, 7, 0);
	/* The device writes one byte to a chain that writes a sector: the status. */
	if (le32_to_cpu(serve().len) != 1 || request.status != VIRTIO_BLK_S_OK)
		fail("Sector 7 was not written.");
	return 0;
}
