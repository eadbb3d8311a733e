/* SPDX-License-Identifier: BSD-2-Clause */
/* Exercise "order" of spec/learn/exercises.md: reads 20 sectors, with four requests in
 * flight at any time, and prints of each sector the number with which it begins. */

#include "notify.h"

#define SECTORS   20
#define IN_FLIGHT 4

static struct request requests[IN_FLIGHT];

/* Which of the requests this used element belongs to. Request i has the descriptors from number
 * i * CHAIN_LENGTH on. */
PART unsigned request_of(struct virtq_used_elem element)
{
	/* Your part begins here. */
	static unsigned count;

	(void)element;
	return count++ % IN_FLIGHT;
	/* Your part ends here. */
}

/* Prints the number that the sector begins with, four bytes of which the lowest comes first. */
PART void print_sector(const struct request *request)
{
	print("sector ");
	print_number((uint32_t)le64_to_cpu(request->header.sector));
	print(" begins with ");
	print_number(*(const volatile uint32_t *)request->data);
	print("\n");
}

/* Has a request read a sector. */
PART void ask(unsigned number, uint64_t sector)
{
	uint16_t old = made_available, head = (uint16_t)(number * CHAIN_LENGTH);

	prepare_read(&requests[number], sector, head);
	publish(head);
	notify(old);
}

int main(const struct start_info *info)
{
	unsigned next = 0;

	find_device(info, VIRTIO_ID_BLOCK);
	start_device(0);
	start_queue();
	want_no_interrupts();
	while (next < IN_FLIGHT) {
		ask(next, next);
		next++;
	}
	for (unsigned done = 0; done < SECTORS; done++) {
		struct virtq_used_elem element = wait_used();
		unsigned number = request_of(element) % IN_FLIGHT;

		if (!was_read(&requests[number], element))
			fail("This request has not been served yet.");
		print_sector(&requests[number]);
		if (next < SECTORS)
			ask(number, next++);
	}
	return 0;
}
