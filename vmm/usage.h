/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_USAGE_H
#define VMM_USAGE_H

/* The text of `vole --help`: all commands, options and exit statuses; and its first lines, the
 * forms of the command line. */
extern const char usage[], usage_short[];

#endif
