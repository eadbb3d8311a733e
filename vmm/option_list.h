/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OPTION_LIST_H
#define VMM_OPTION_LIST_H

/*
 * The words of an option's argument, with commas between them: FILE,ro,serial=ID. A comma that is
 * part of a word is written twice, as QEMU has it. An option that takes no list takes a file's name
 * as it is.
 */

/* Cuts the next word off at its comma, and returns it; NULL if there is none. Two commas are one of
 * the word's own. */
char *next_word(char **rest);

/* Says how a name is written in a list, if an argument that was refused has the name of a file or
 * folder that is there, with a comma in it. given is the argument, not cut. */
void say_comma(const char *given);

/* Sets *path, NULL before, to text, the name of the file that is the whole argument of an option
 * or its first word. name is the option's, which may be given once. Returns 0, or -EINVAL, which it
 * has said. */
int parse_path(const char *name, const char *text, const char **path);

/* Refuses "-", by which other programs mean standard output, as the name of a file that is to be
 * written. prefix is the option as it was given up to that name. Returns 0, or -EINVAL, which it
 * has said. */
int check_output(const char *prefix, const char *path);

/* parse_path() and check_output(), for an option whose file is written. */
int parse_output(const char *name, const char *text, const char **path);

#endif
