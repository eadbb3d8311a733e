/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTION_LIST_H
#define VMM_OPTION_LIST_H

/*
 * The words of an option's argument, with commas between them: FILE,ro,serial=ID.
 */

/* Cuts the next word off at its comma, and returns it; NULL if there is none. Two commas are one of
 * the word's own. */
char *next_word(char **rest);

#endif
