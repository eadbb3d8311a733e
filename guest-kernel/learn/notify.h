/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEARN_NOTIFY_H
#define LEARN_NOTIFY_H

/* Step 5: kick only when the device asks for it. */

#include "request.h"

/* Whether the device wants to hear of the chains made available since there were old of them. */
PART bool wants_kick(uint16_t old)
{
#if MISTAKE != 5
	atomic_thread_fence(memory_order_seq_cst);
#endif
	if (has_feature(VIRTIO_F_EVENT_IDX)) {
		le16 event = {atomic_load_explicit(&used.avail_event.raw, memory_order_relaxed)};

		return (uint16_t)(made_available - le16_to_cpu(event) - 1) <
		       (uint16_t)(made_available - old);
	}
	le16 flags = {atomic_load_explicit(&used.flags.raw, memory_order_relaxed)};

	return !(le16_to_cpu(flags) & VIRTQ_USED_F_NO_NOTIFY);
}

/* Kicks, if the device asks for it. */
PART void notify(uint16_t old)
{
	if (wants_kick(old))
		kick();
}

#endif
