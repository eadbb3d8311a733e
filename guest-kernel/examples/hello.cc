/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest kernel in C++: no library, and none of the compiler's run-time library, which
 * exceptions and type information would need.
 *
 *	c++ -m32 -O2 -ffreestanding -fno-exceptions -fno-rtti -mgeneral-regs-only -fno-pic -nostdlib \
 *		-static -Iinclude -Wl,-Ttext-segment=0x100000,-e,kernel -o hello.elf hello.cc
 *	vole run hello.elf
 *
 * Constructors of global objects are functions in the section .init_array, which nobody calls here.
 */

#include <vole/ports.h>
#include <vole/start_info.h>

namespace
{

class DebugPort
{
      public:
	const DebugPort &operator<<(const char *text) const
	{
		for (; *text; text++)
			__asm__ volatile("outb %0, %1" : : "a"(*text), "Nd"(port));
		return *this;
	}

      private:
	static constexpr uint16_t port = VOLE_PORT_DEBUG;
};

} // namespace

extern "C" int kernel(const start_info *)
{
	DebugPort() << "Hello from a kernel"
		    << " in C++!\n";
	return 0;
}
