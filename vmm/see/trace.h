/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TRACE_H
#define VMM_TRACE_H

/*
 * The view of --trace: a timeline for Perfetto. Tracks: each CPU (guest code, and exits by name),
 * each device (when it serves a queue, and when the host works for it), and the requests of each
 * queue, as many side by side as are in flight. Flows lead from a kick to the device, to the used
 * chains, to the interrupt and to its acknowledgement.
 */

struct views;

/* Makes the view and adds it to views. kernel names the process. Returns 0 or -errno (said). */
int trace_open(struct views *views, const char *path, const char *kernel);

#endif
