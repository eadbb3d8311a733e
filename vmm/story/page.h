/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_STORY_PAGE_H
#define VMM_STORY_PAGE_H

/* The page, which vmm/story/page.html, page.css and the scripts beside it are put together to. */

#include <stdio.h>

/* Writes the page up to where its data are to be ... */
void page_begin(FILE *file);

/* ... and what comes after them. */
void page_end(FILE *file);

#endif
