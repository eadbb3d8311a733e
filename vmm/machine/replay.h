/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REPLAY_H
#define VMM_REPLAY_H

/* vole replay: a machine that is made as a record says, does what the record has, and ends where it
 * ends. What recording.h does for runs of either kind calls these functions. */

#include <stdbool.h>
#include <stdint.h>

struct engine_position;
struct journal_entry;
struct recording;
struct vm;

/* Turns after a record's end at which a guest that ended there itself is surely another one. */
#define REPLAY_BEYOND 2

/* Reads the record, and completes vm->options from it. Returns 0 or -errno (said). */
int replay_open(struct vm *vm);

/* Returns engine_position.done of a JOURNAL_STOP. */
int64_t replay_done(const struct journal_entry *stop);

/* Returns whether a record that lacks its end has been repeated as far as it goes: the run was
 * ended less than JOURNAL_MARK_TURNS after that. */
bool replay_is_at_cut(const struct recording *recording);

/* Returns whether the machine has come to the end of its record, or to where that is cut. */
bool replay_has_ended(const struct recording *recording);

/* Between two turns, at this position: ends the machine where the record ends, or where the run is
 * not that of the record any more. Returns whether it has. */
bool replay_look(struct vm *vm, const struct engine_position *now);

/* No guest code is executed any more: is this the record's end? */
void replay_stopped(struct vm *vm, const struct engine_position *now);

/* The machine has ended: sets its status to the recorded one, and says what became of the run. */
void replay_end(struct vm *vm);

#endif
