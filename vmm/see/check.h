/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CHECK_H
#define VMM_CHECK_H

/*
 * The view of --check virtio, a referee: it tells what devices have to bear, but drivers must not
 * do (check_rules.h). What devices refuse they report themselves; the referee counts it.
 */

#include <stdbool.h>

struct views;

/* Makes the view and adds it to views. sees_stores: views are shown the stores of CPUs
 * (EVENT_STORE), so that the rules about them are watched too. fatal: the first rule that is broken
 * ends the machine with EXIT_STATUS_CHECK. Returns 0, or -ENOMEM (said). */
int check_open(struct views *views, bool sees_stores, bool fatal);

#endif
