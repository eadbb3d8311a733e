/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LOG_EXITS_H
#define VMM_LOG_EXITS_H

/*
 * The view of --log pio|mmio|exits,file=PATH: the line about each exit that --log has on standard
 * error (cpu/exit_log.h), in a file, for whose reader no CPU waits.
 */

struct views;
struct exit_log_word;

/* Makes the view and adds it to views. path is the file for the lines about these exits, which is
 * truncated. Returns 0 or -errno (said). */
int log_exits_open(struct views *views, const struct exit_log_word *word, const char *path);

#endif
