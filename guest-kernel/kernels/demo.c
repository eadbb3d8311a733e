/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows all there is: what the VMM says about the machine, every device and every CPU at work, and
 * then a small prompt, if somebody sits at the console. Without, it powers off with exit code 0, or
 * 1 if something did not work.
 */

#include "console.h"
#include "demo_machine.h"
#include "demo_prompt.h"
#include "printf.h"
#include "start.h"

int main(const struct start_info *info)
{
	unsigned cols, rows;

	demo.boot = info;
	printf("vole demo kernel\n\n");
	demo_show_info();
	demo_show_memory();
	demo_show_devices();
	printf("\n");

	demo_start_devices();
	demo_start_cpus();
	demo_show_cpus();
	if (demo.boot->dev_size)
		demo_show_interrupts();

	if (demo.have_console) {
		console_size(&demo.console, &cols, &rows);
		if (cols)
			demo_prompt();
	}
	return demo.failures ? 1 : 0;
}
