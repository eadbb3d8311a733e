/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SUGGEST_H
#define VMM_SUGGEST_H

/*
 * Finds what a user may have meant by a mistyped word. Two words are alike if few insertions,
 * deletions, replacements and swaps of neighbours make one of the other, few for their length.
 */

/* Returns the word of words, a list that ends with NULL, that is most alike to word; NULL if none
 * is. */
const char *suggest(const char *word, const char *const *words);

struct suggestion {
	char text[80];
};

/*
 * Writes what to add to a message that refuses word, which stands for one of list: "; WORD?", or ""
 * if nothing in the list is alike. list is as the message has it: words separated by ", ", "; " and
 * " or ". In "serial=ID" and "file:PATH" only the part before the "=" or ":" is compared, and what
 * the user wrote after it is kept. Returns suggestion->text.
 */
const char *suggestion_write(struct suggestion *suggestion, const char *word, const char *list);

/* The same for an argument of say(), with a buffer that is valid until the end of the block. */
#define suggestion(word, list) suggestion_write(&(struct suggestion){{0}}, word, list)

#endif
