/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/page.h"

#include <string.h>

/* The files become part of the program when it is assembled, in the project's folder. GNUmakefile
 * has this file depend on them. */
#define EMBED(name, path)                                                    \
	extern const char name[] __attribute__((visibility("hidden")));      \
	__asm__(".pushsection .rodata\n" #name ": .incbin \"vmm/story/" path \
		"\"\n.byte 0\n.popsection\n")

EMBED(page_html, "page.html");
EMBED(page_css, "page.css");
EMBED(page_state, "state.js");
EMBED(page_draw, "draw.js");
EMBED(page_timeline, "timeline.js");
EMBED(page_player, "player.js");

/* Lines of page.html that stand for what is written there. */
#define STYLE  "@style@\n"
#define DATA   "@data@\n"
#define SCRIPT "@script@\n"

/* Writes what lies between a line of the page and another one; NULL: its beginning, its end. */
static void write_part(FILE *file, const char *after, const char *before)
{
	const char *start = after ? strstr(page_html, after) + strlen(after) : page_html;
	const char *end = before ? strstr(start, before) : start + strlen(start);

	fwrite(start, 1, (size_t)(end - start), file);
}

void page_begin(FILE *file)
{
	write_part(file, NULL, STYLE);
	fputs(page_css, file);
	write_part(file, STYLE, DATA);
}

void page_end(FILE *file)
{
	write_part(file, DATA, SCRIPT);
	fputs(page_state, file);
	fputs(page_draw, file);
	fputs(page_timeline, file);
	fputs(page_player, file);
	write_part(file, SCRIPT, NULL);
}
