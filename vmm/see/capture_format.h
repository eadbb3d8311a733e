/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CAPTURE_FORMAT_H
#define VMM_CAPTURE_FORMAT_H

/* The records of a capture, for who writes and who reads them: spec/capture.md. */

#define CAPTURE_VERSION  1
#define CAPTURE_LINKTYPE 147 /* USER0 */
#define CAPTURE_HEAD     16  /* bytes of a record's head */

enum capture_kind {
	CAPTURE_READ = 1,
	CAPTURE_WRITE,
	CAPTURE_STATUS,
	CAPTURE_QUEUE_READY,
	CAPTURE_SERVE,
	CAPTURE_CHAIN,
	CAPTURE_USED,
	CAPTURE_INTERRUPT,
	CAPTURE_NO_INTERRUPT,
	CAPTURE_HOST_BEGIN,
	CAPTURE_HOST_END,
	CAPTURE_REPORT,
	CAPTURE_RING,
	CAPTURE_MARK,
	CAPTURE_STORE,
};

#define CAPTURE_FLAG_PACKED    1
#define CAPTURE_FLAG_EVENT_IDX 2

#define CAPTURE_NO_DEVICE UINT16_MAX
#define CAPTURE_NO_QUEUE  UINT16_MAX
#define CAPTURE_NO_CPU    UINT16_MAX
#define CAPTURE_NOT_KNOWN UINT32_MAX /* an interrupt's vector */

#endif
