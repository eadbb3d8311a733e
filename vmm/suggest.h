/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_SUGGEST_H
#define VMM_SUGGEST_H

/*
 * Returns which of some words, a list that ends with NULL, the user may have meant by one that is
 * none of them: the one that the fewest insertions, deletions, replacements and swaps of neighbours
 * make of it, if they are few for its length. NULL if there is none.
 */
const char *suggest(const char *word, const char *const *words);

#endif
